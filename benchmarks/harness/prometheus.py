"""A Prometheus that scrapes one daemon, and what it answers."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.harness.wait import free_port, until

CONFIG = """
global: {{scrape_interval: {pace}, scrape_timeout: {pace}, evaluation_interval: {pace}}}
rule_files: [{rules}]
scrape_configs:
  - job_name: georouter
    static_configs: [{{targets: ["{target}"]}}]
"""
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Row:
    """One series of a result: its labels, and (time, value) pairs; one pair for an instant query."""

    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class QueryError(Exception):
    """Prometheus would not run a query."""


class Prometheus:
    """Scrapes `target` (host and port) every `pace` and keeps it in `folder`."""

    def __init__(
        self,
        folder: Path,
        target: tuple[str, int],
        *,
        pace: str = "1s",
        rules: Sequence[Path] = (),
        program: str | None = None,
    ) -> None:
        self._folder = folder
        self._where = f"127.0.0.1:{free_port()}"
        self._program = program or shutil.which("prometheus") or "prometheus"
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "prometheus.yml"
        text = CONFIG.format(pace=pace, target=f"{target[0]}:{target[1]}", rules=", ".join(map(str, rules)))
        self._config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def instant(self, promql: str) -> list[Row]:
        """The value now of every series of a query."""
        return [
            Row(item["metric"], ((float(item["value"][0]), float(item["value"][1])),))
            for item in self._series("query", query=promql)
        ]

    def over_time(self, promql: str, begin: float, end: float, step_s: float) -> list[Row]:
        """The values between two Unix times."""
        found = self._series("query_range", query=promql, start=begin, end=end, step=step_s)
        return [
            Row(item["metric"], tuple((float(at), float(value)) for at, value in item["values"]))
            for item in found
        ]

    def value(self, promql: str) -> float | None:
        """The first value of an instant query, None without any (or without Prometheus)."""
        try:
            found = self.instant(promql)
        except OSError:
            return None
        return found[0].points[0][1] if found else None

    def alerts(self) -> set[tuple[str, str]]:
        """(name, state) of alerts that are pending or firing."""
        return {(item["labels"]["alertname"], item["state"]) for item in self._call("alerts")["alerts"]}

    def rule_health(self) -> list[tuple[str, str]]:
        """(name, health) of every rule, once each was evaluated."""

        def found() -> list[tuple[str, str]]:
            rules = [rule for group in self._call("rules")["groups"] for rule in group["rules"]]
            return [(rule["name"], rule["health"]) for rule in rules]

        until(lambda: all(health != "unknown" for _, health in found()), "every rule to be evaluated")
        return found()

    def _series(self, what: str, **fields: str | float) -> list[Any]:
        data = self._call(what, **fields)
        if data["resultType"] not in {"vector", "matrix"}:
            raise QueryError(f"{fields['query']}: {data['resultType']}")
        series: list[Any] = data["result"]
        return series

    def _call(self, what: str, **fields: str | float) -> Any:
        url = f"http://{self._where}/api/v1/{what}?{urllib.parse.urlencode(fields)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.SERVICE_UNAVAILABLE:  # it is starting
                raise
            raise QueryError(f"{fields.get('query', what)}: {error.read().decode()}") from error

    def __enter__(self) -> Self:
        command = [self._program, f"--config.file={self._config}", f"--web.listen-address={self._where}"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--storage.tsdb.path={self._folder / 'data'}"], stdout=log, stderr=log
            )
        try:
            until(lambda: self.value('up{job="georouter"}') == 1, "a scrape", 30.0)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
