"""Scraped by a real Prometheus, and linted by promtool."""

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import LONDON
from benchmarks.harness.wait import free_port, until

pytestmark = pytest.mark.live
CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: georouter
    static_configs: [{{targets: ["127.0.0.1:{admin}"]}}]
"""


def test_promtool_finds_nothing_to_complain_about(need: Callable[[str], str], daemon: Daemon) -> None:
    """Names, types and help follow the conventions."""
    daemon.ask("www.example.com", client=LONDON)
    code, text = daemon.get("/metrics")
    assert code == 200
    done = subprocess.run(
        [need("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def query(
    need: Callable[[str], str], daemon: Daemon, tmp_path: Path
) -> Iterator[Callable[[str], float | None]]:
    """`query(promql)` gives the first value of an instant query to a Prometheus that scrapes the daemon."""
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(admin=daemon.admin[1]))
    where = f"127.0.0.1:{free_port()}"
    command = [need("prometheus"), f"--config.file={config}", f"--web.listen-address={where}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--storage.tsdb.path={tmp_path / 'data'}"], stdout=log, stderr=log
        )

    def ask(promql: str) -> float | None:
        url = f"http://{where}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                result = json.load(response)["data"]["result"]
        except OSError:
            return None
        return float(result[0]["value"][1]) if result else None

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(20)


def test_prometheus_scrapes_and_counts(query: Callable[[str], float | None], daemon: Daemon) -> None:
    """The target is up, and what we asked is what it counts."""
    until(lambda: query('up{job="georouter"}') == 1, "a scrape", 30.0)
    count = 'sum(georouter_dns_requests_total{type="A",proto="udp"})'
    before = query(count) or 0.0
    for _ in range(25):
        daemon.ask("www.example.com", client=LONDON)
    until(lambda: (query(count) or 0.0) >= before + 25, "the queries in a scrape")
    assert query("max(georouter_build_info)") == 1
    assert query('sum(georouter_routing_decisions_total{service="web",region="eu-west"})') is not None
