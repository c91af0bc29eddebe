"""One server as a process on a processor of its own, and dnsperf on another."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

import dns.exception
import dns.message
import dns.query

from benchmarks.harness.ask import Reply, read
from benchmarks.harness.wait import until
from benchmarks.peers.world import Site

START_S = 60.0
CLIENTS, OUTSTANDING = 8, 100
"""dnsperf's sockets, and its queries under way: fewer than any server's receive buffer holds."""
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
"""Servers are not on every user's."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of dnsperf saw.

    `cpu_us` is the server's processor time per query, `user_us` what of it was outside the kernel;
    `busy` is the share of its processor that it used.
    """

    rate: float
    cpu_us: float
    user_us: float
    busy: float
    lost: int


def is_installed(server: ModuleType) -> bool:
    """Whether its program and all its parts are there."""
    return shutil.which(server.PROGRAM, path=PATH) is not None and all(
        any(Path("/").glob(part[1:])) for part in server.PARTS
    )


def processors() -> tuple[list[str], list[str]]:
    """Command prefixes for the server and for dnsperf; empty where there is only one processor."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2 or not shutil.which("taskset"):
        return [], []
    return ["taskset", "-c", str(usable[0])], ["taskset", "-c", str(usable[1])]


class Running:
    """`server` started on `site`, until the end of the block."""

    def __init__(self, server: ModuleType, site: Site) -> None:
        self.server = server
        self.name: str = server.NAME
        self._site = site
        self._log = site.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, query: bytes) -> Reply:
        """The answer to a message as it stands."""
        message = dns.message.from_wire(query)
        return read(dns.query.udp(message, "127.0.0.1", port=self._site.port, timeout=2.0))

    def wait_ready(self, query: bytes) -> None:
        """Until `query` is answered; RuntimeError with the log when the server ends instead."""

        def answered() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{self._log.read_text(errors='replace')}")
            try:
                return self.ask(query).rcode == "NOERROR"
            except (OSError, dns.exception.Timeout):
                return False

        until(answered, f"an answer from {self.name}", START_S)

    def measure(self, queries: Path, seconds: float) -> Round:
        """Ask as fast as it answers."""
        _, prefix = processors()
        command = [
            *prefix,
            "dnsperf",
            "-B",
            "-s",
            "127.0.0.1",
            "-p",
            str(self._site.port),
            "-d",
            str(queries),
        ]
        before = self._processor_s()
        done = subprocess.run(
            [*command, "-l", str(seconds), "-c", str(CLIENTS), "-q", str(OUTSTANDING), "-t", "1"],
            capture_output=True,
            text=True,
            check=True,
        )
        user_s, kernel_s = (now - then for now, then in zip(self._processor_s(), before, strict=True))
        spent_s = user_s + kernel_s
        completed = _figure("Queries completed", done.stdout)
        return Round(
            rate=_figure("Queries per second", done.stdout),
            cpu_us=spent_s / completed * 1e6,
            user_us=user_s / completed * 1e6,
            busy=spent_s / _figure(r"Run time \(s\)", done.stdout),
            lost=int(_figure("Queries lost", done.stdout)),
        )

    def _processor_s(self) -> tuple[float, float]:
        """Processor time of all its threads: their own, and in the kernel for them."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / TICKS_PER_S, int(fields[12]) / TICKS_PER_S

    def __enter__(self) -> Self:
        prefix, _ = processors()
        command = self.server.prepare(self._site)
        environment = {**os.environ, "PATH": PATH, "XDG_CACHE_HOME": str(self._site.folder / "cache")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._site.folder,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _figure(what: str, output: str) -> float:
    found = re.search(rf"{what}:\s+([\d.]+)", output)
    if found is None:
        raise RuntimeError(f"dnsperf does not say {what!r}:\n{output}")
    return float(found[1])
