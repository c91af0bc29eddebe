"""One server as a process on a processor of its own, asked from another one."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.exception
import dns.message
import dns.query

from benchmarks.harness.ask import Reply, read
from benchmarks.harness.processes import memory_mib
from benchmarks.harness.wait import until
from benchmarks.peers.native import Asked, ask_for
from benchmarks.peers.peer import PATH, Peer
from benchmarks.peers.processors import asker_prefix, server_prefix
from benchmarks.peers.world import Site

START_S = 240.0
"""A million names on a busy machine."""
CLIENTS, OUTSTANDING = 8, 100
"""dnsperf's sockets, and its queries under way: its own defaults are one and these."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run saw.

    `cpu_us` is the server's processor time per query, `user_us` what of it was outside the kernel;
    `busy` is the share of its processor that it used, `busy_s` that in seconds.
    """

    rate: float
    cpu_us: float
    user_us: float
    busy: float
    busy_s: float
    lost: int
    memory_mib: float


class Running:
    """`server` started on `site`, until the end of the block; `prefix` is what binds it to processors."""

    def __init__(self, server: Peer, site: Site, prefix: list[str] | None = None) -> None:
        self.server = server
        self.name = server.name
        self.port = site.port
        self._prefix = server_prefix() if prefix is None else prefix
        self._site = site
        self._log = site.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    def ask(self, query: bytes, timeout_s: float = 2.0) -> Reply:
        """The answer to a message as it stands."""
        message = dns.message.from_wire(query)
        return read(dns.query.udp(message, "127.0.0.1", port=self._site.port, timeout=timeout_s))

    def wait_ready(self, query: bytes) -> None:
        """Until `query` is answered; RuntimeError with the log when the server ends instead."""

        def answered() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{self._log.read_text(errors='replace')}")
            try:
                return self.ask(query, 0.2).rcode == "NOERROR"
            except (OSError, dns.exception.Timeout):
                return False

        until(answered, f"an answer from {self.name}", START_S)

    def measure(self, queries: Path, seconds: float, asker: "Asker") -> Round:
        """Ask as fast as it answers."""
        before, began = self.processor_s(), time.monotonic()
        rate, answered, lost = asker(self.port, queries, seconds)
        elapsed = time.monotonic() - began
        user_s, kernel_s = (now - then for now, then in zip(self.processor_s(), before, strict=True))
        return Round(
            rate=rate,
            cpu_us=(user_s + kernel_s) / answered * 1e6,
            user_us=user_s / answered * 1e6,
            busy=min(1.0, (user_s + kernel_s) / min(elapsed, answered / rate)),
            busy_s=user_s + kernel_s,
            lost=lost,
            memory_mib=memory_mib(self.pid),
        )

    def at_rate(self, queries: Path, seconds: float, rate: float) -> Asked:
        """Ask at a steady rate, whatever is answered."""
        return ask_for(self.port, queries, seconds, rate)

    def processor_s(self) -> tuple[float, float]:
        """Processor time of all its threads: their own, and in the kernel for them (proc(5)).

        Each thread's own account: the process's divides all of its time as its ticks were since it began, so
        that what Python spends at a start would go on to be told as user time of what comes later.
        """
        user = kernel = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            user, kernel = user + int(fields[11]), kernel + int(fields[12])
        return user / TICKS_PER_S, kernel / TICKS_PER_S

    def __enter__(self) -> Self:
        command = self.server.prepare(self._site)
        cache = str(self._site.folder / "cache")
        environment = {**os.environ, "PATH": PATH, "XDG_CACHE_HOME": cache, **self.server.environment}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._prefix, *command],
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


Asker = Callable[[int, Path, float], tuple[float, int, int]]
"""Asks a port for so many seconds; answers per second, answers, and queries lost."""


def dnsperf(port: int, queries: Path, seconds: float) -> tuple[float, int, int]:
    """The field's own tool. It needs about 2.5 µs per query, more than a fast server does."""
    command = [*asker_prefix(), "dnsperf", "-B", "-s", "127.0.0.1", "-p", str(port), "-d", str(queries)]
    done = subprocess.run(
        [*command, "-l", str(seconds), "-c", str(CLIENTS), "-q", str(OUTSTANDING), "-T", "1", "-t", "1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    return (
        _figure("Queries per second", done.stdout),
        int(_figure("Queries completed", done.stdout)),
        int(_figure("Queries lost", done.stdout)),
    )


def batches(port: int, queries: Path, seconds: float) -> tuple[float, int, int]:
    """load.c, which sends and receives many datagrams with one call, as resolvers under load arrive."""
    asked = ask_for(port, queries, seconds)
    return asked.rate, asked.answered, asked.lost


def _figure(what: str, output: str) -> float:
    found = re.search(rf"{what}:\s+([\d.]+)", output)
    if found is None:
        raise RuntimeError(f"dnsperf does not say {what!r}:\n{output}")
    return float(found[1])
