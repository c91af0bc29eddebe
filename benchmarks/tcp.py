"""10,000 idle TCP connections and 1,000 slow ones at once: what do others notice, and what does it cost?

Slow ones send an octet a second of a long message. First with room for all of them, to see what they
cost; then with the limits as they are by default, to see that these hold and that the oldest make room.
Meanwhile 1,000 queries a second come over UDP, and a new TCP client every 20 ms.
"""

import contextlib
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.harness.ask import question
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load, first_address
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.processes import open_files, resident_mib
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until
from georouter.server.accept import TURN

IDLE, SLOW = 10_000, 1_000
PER_CLIENT = 50
RATE = 1000
SECONDS = 15.0
PAUSE_S = 0.02
"""Between two new TCP clients."""
BARE_LIMIT = 1000
"""`limits.tcp_connections` by default."""
START = b"\x40\x00"
"""The length of a message that never ends."""
SLOWER_MS = 20.0
"""What others may notice at their 99th percentile, on two busy cores."""
CONNECTION_KIB = 12.0
QUERY = question("www.example.com", "A", LONDON).to_wire()
FRAMED = len(QUERY).to_bytes(2, "big") + QUERY


@dataclass(frozen=True, slots=True)
class Seen:
    """What others noticed: seconds to the answer, and UDP queries without one."""

    udp_s: list[float]
    tcp_s: list[float]
    lost: int
    tcp_failed: int


class Crowd:
    """Connections that want nothing; the slow ones get an octet a second while inside."""

    def __init__(self, daemon: Daemon, idle: int, slow: int) -> None:
        self.held: list[socket.socket] = []
        for number in range(idle + slow):
            source = f"127.1.{number // PER_CLIENT // 250}.{1 + number // PER_CLIENT % 250}"
            self.held.append(socket.create_connection(daemon.address, 10, source_address=(source, 0)))
        self._slow = self.held[idle:]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip)
        for sock in self._slow:
            with contextlib.suppress(OSError):
                sock.send(START)

    def _drip(self) -> None:
        """Spread over the second, as clients that know nothing of each other would."""
        share = max(1, len(self._slow) // 50)
        while not self._stop.is_set():
            for at in range(0, len(self._slow), share):
                for sock in self._slow[at : at + share]:
                    with contextlib.suppress(OSError):
                        sock.send(b"x")
                if self._stop.wait(0.02):
                    return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for sock in self.held:
            sock.close()


def look(daemon: Daemon, seconds: float) -> Seen:
    """Ask as others do, for so long."""
    tcp_s: list[float] = []
    failed = 0
    with Load(daemon.address, [("www.example.com", LONDON)], RATE) as load:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                tcp_s.append(fresh_client(daemon))
            except (OSError, EOFError, ValueError):
                failed += 1
            time.sleep(PAUSE_S)
    outcomes = load.outcomes()
    return Seen([each.received_s - each.sent_s for each in outcomes], tcp_s, load.lost, failed)


def fresh_client(daemon: Daemon) -> float:
    """Connect, ask, read, close; how long to the answer. ValueError for a wrong one."""
    began = time.monotonic()
    with socket.create_connection(daemon.address, 5) as sock, sock.makefile("rb") as answers:
        sock.sendall(FRAMED)
        size = int.from_bytes(answers.read(2), "big")
        if first_address(answers.read(size)) != EU_WEST:
            raise ValueError("another answer")
    return time.monotonic() - began


def percentile_ms(values: list[float], share: float) -> float:
    """Of a sorted copy."""
    return 1000 * sorted(values)[int(len(values) * share)]


@contextlib.contextmanager
def running(limits: str) -> Iterator[Daemon]:
    """A daemon of its own that has warmed up."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Daemon(Path(folder), three_regions(), server=f", limits: {{{limits}}}") as daemon,
    ):
        look(daemon, 1.0)
        yield daemon


def tell(report: Report, when: str, seen: Seen, limit_ms: float | None = None) -> None:
    """Medians and 99th percentiles."""
    for what, values in (("UDP", seen.udp_s), ("a new TCP client", seen.tcp_s)):
        report.add(f"{when}: {what}, median", percentile_ms(values, 0.5), "ms")
        report.add(f"{when}: {what}, 99 %", percentile_ms(values, 0.99), "ms", limit_ms)
    report.add(f"{when}: lost over UDP", seen.lost, "queries", 0)
    report.add(f"{when}: TCP clients without an answer", seen.tcp_failed, "clients", 0)


def with_room(report: Report) -> None:
    """All of them stay."""
    limits = f"tcp_connections: {IDLE + SLOW + 500}, tcp_connections_per_client: 100, tcp_idle_timeout: 300s"
    with running(limits) as daemon, ExitStack() as stack:
        alone = look(daemon, SECONDS / 3)
        tell(report, "alone", alone)
        before_mib, before_files = resident_mib(daemon.pid), open_files(daemon.pid)
        stack.enter_context(Crowd(daemon, IDLE, SLOW))
        until(lambda: open_files(daemon.pid) >= before_files + IDLE + SLOW, "the crowd to be let in")
        held_mib = resident_mib(daemon.pid)
        seen = look(daemon, SECONDS)
        limit_ms = percentile_ms(alone.udp_s + alone.tcp_s, 0.99) + SLOWER_MS
        tell(report, f"beside {IDLE:,} idle and {SLOW:,} slow", seen, limit_ms)
        report.add("connections held", open_files(daemon.pid) - before_files, "", IDLE + SLOW, at_least=True)
        each_kib = 1024 * (held_mib - before_mib) / (IDLE + SLOW)
        report.add("memory per connection", each_kib, "KiB", CONNECTION_KIB)
        report.add(f"more after {SECONDS:g} s", resident_mib(daemon.pid) - held_mib, "MiB", 4.0)


def with_limits(report: Report) -> None:
    """The oldest make room, again and again."""
    with running("tcp_connections_per_client: 100") as daemon:
        before_mib, before_files = resident_mib(daemon.pid), open_files(daemon.pid)
        most = 0
        with Crowd(daemon, IDLE, SLOW):
            for _ in range(3):
                seen = look(daemon, SECONDS / 6)
                most = max(most, open_files(daemon.pid) - before_files)
        tell(report, "at the limit", seen, SLOWER_MS * 2)
        report.add("connections at the limit", most, "", BARE_LIMIT + TURN)
        report.add("memory at the limit", resident_mib(daemon.pid) - before_mib, "MiB", 32.0)
        until(lambda: open_files(daemon.pid) <= before_files, "the crowd to be gone")


def main() -> None:
    """Both."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    report = Report("tcp")
    with_room(report)
    with_limits(report)
    report.finish()


if __name__ == "__main__":
    main()
