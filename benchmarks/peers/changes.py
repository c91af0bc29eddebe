"""Do answers come later while answers change? p99.9 at half load in four situations, in turns.

quiet        nothing happens
publishing   a region is drained and undrained, ten times a second: each makes a new snapshot
reloading    a zone of 100,000 names is changed and compiled, again and again
contending   as reloading, and the process that compiles may use the processor of the thread that answers

But for the last situation, that thread has the first processor for itself, everything else of the daemon,
its child processes included, shares the second one with the asker, which leaves it when it has nothing to do:
what is measured is whether changes hold up answers, not whether there are processors for both. The last one
shows what the scheduler makes of a compile that is nice, and need not hold. An asker that is held up itself
sends in bursts, and bursts are answered late: as root it comes first on its processor, and how late it sent
is told beside.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.processes import children
from benchmarks.harness.report import Report
from benchmarks.names import zone
from benchmarks.peers import georouter
from benchmarks.peers.contest import Ground
from benchmarks.peers.native import Asked, ask_for
from benchmarks.peers.peer import Peer
from benchmarks.peers.processors import asker_prefix, prefix
from benchmarks.peers.world import NAMES, REGIONS, ZONE

NAMES_COUNT = 100_000
PER_SECOND = 10.0
PAUSE_US = 50
QUIET, PUBLISHING, RELOADING, CONTENDING = "quiet", "publishing", "reloading", "contending"
SITUATIONS = (QUIET, PUBLISHING, RELOADING, CONTENDING)
UNCHANGED = 1.25
"""Of the quiet p99.9, or as much as the quiet rounds differ among each other, up to `NOISIEST`."""
NOISIEST = 1.5
"""Rounds that differ more say nothing, and must not pass for a proof."""


class Changing:
    """A daemon with 100,000 names under a zone file, and what can happen to it."""

    def __init__(self, ground: Ground, peer: Peer, names: int) -> None:
        folder = ground.folder / f"changes-{peer.name.replace(' ', '-')}"
        folder.mkdir()
        self._zone = folder / f"{ZONE}.zone"
        self._text = zone(names)
        self._put(0)
        self.daemon = Daemon(
            folder,
            georouter.policy(ground.database, zone_file=self._zone.name),
            ready=f"{NAMES[0]}.{ZONE}",
            server=f", workers: 1{georouter.LIMITED}",
        )
        self.daemon.environment = dict(peer.environment)
        self.made = 0
        """Publications or reloads so far."""

    def _put(self, number: int) -> None:
        draft = self._zone.with_suffix(".draft")
        draft.write_text(f"{self._text}changed TXT {number}\n")
        draft.replace(self._zone)

    def generation(self) -> int:
        """Of the snapshot in use."""
        return int(self.daemon.metric("georouter_snapshot_generation"))

    def publish(self, stop: threading.Event) -> None:
        """Drain, undrain, until `stop`."""
        region = next(iter(REGIONS))
        begin, number = time.monotonic(), 0
        while not stop.is_set():
            kind = "undrain" if number % 2 else "drain"
            code, body = self.daemon.post(f"/v1/{kind}", {"region": region, "reason": "benchmark"})
            assert code == 200, body
            number += 1
            stop.wait(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        if number % 2:
            self.daemon.post("/v1/undrain", {"region": region, "reason": "benchmark"})
        self.made += number

    def reload(self, stop: threading.Event) -> None:
        """Change the zone and have it read, one after the other, until `stop`."""
        while not stop.is_set():
            self.made += 1
            self._put(self.made)
            code, body = self.daemon.post("/v1/reload", {})
            assert code == 200, body


def measure(
    report: Report, ground: Ground, peer: Peer, *, rounds: int, seconds: float, names: int = NAMES_COUNT
) -> None:
    """All situations in turn, so many rounds."""
    changing = Changing(ground, peer, names)
    daemon = changing.daemon
    with daemon:
        daemon.post("/v1/reload", {})  # the compiling process is there, and warm
        ask = _asker(daemon, ground.file)
        spread(daemon.pid, lambda: ask(0.5, 0))
        rate = ask(1.0, 0).rate / 2
        seen: dict[str, list[Asked]] = {name: [] for name in SITUATIONS}
        made = dict.fromkeys(SITUATIONS, 0)
        for _ in range(rounds):
            for name in SITUATIONS:
                confine(daemon.pid, anywhere=name == CONTENDING)
                before, begun = changing.generation(), changing.made
                seen[name].append(_during(name, changing, lambda: ask(seconds, rate)))
                made[name] += changing.generation() - before if name == PUBLISHING else changing.made - begun
    quiet = [one.p999_us for one in seen[QUIET]]
    noise = min(NOISIEST, max(UNCHANGED, max(quiet) / statistics.median(quiet)))
    what = f"{peer.name}, {rate / 1000:.0f} k q/s"
    for name in SITUATIONS:
        report.add(f"{what}, {name}: p99.9", statistics.median(one.p999_us for one in seen[name]), "µs")
        late = statistics.median(one.lag_p999_us for one in seen[name])
        report.add(f"{what}, {name}: p99.9 of how late the asker sent", late, "µs")
    for name in (PUBLISHING, RELOADING, CONTENDING):
        ratio = statistics.median(one.p999_us / calm for one, calm in zip(seen[name], quiet, strict=True))
        bound = noise if peer is georouter.NATIVE_PEER and name != CONTENDING else None
        report.add(f"{what}, {name}: p99.9, of the quiet one", ratio, "x", bound)
        report.add(f"{what}, {name}: lost", sum(one.lost for one in seen[name]), "queries", 0)
        report.add(f"{what}, {name}: times", made[name], "")


def _asker(daemon: Daemon, file: Path) -> Callable[[float, float], Asked]:
    first = ["nice", "-n", "-15"] if os.geteuid() == 0 else []
    how = {"pause_us": PAUSE_US, "prefix": [*asker_prefix(), *first]}
    return lambda seconds, rate: ask_for(daemon.address[1], file, seconds, rate, **how)


def _during(name: str, changing: Changing, ask: Callable[[], Asked]) -> Asked:
    """Ask while something happens."""
    if name == QUIET:
        return ask()
    stop = threading.Event()
    thread = threading.Thread(
        target=changing.publish if name == PUBLISHING else changing.reload, args=(stop,)
    )
    thread.start()
    try:
        return ask()
    finally:
        stop.set()
        thread.join()


def spread(pid: int, load: Callable[[], object]) -> None:
    """Give the thread that works most under `load` the first processor, all others the second one."""
    if not prefix(1):
        return
    first, second, *_ = sorted(os.sched_getaffinity(0))
    before = _worked(pid)
    load()
    after = _worked(pid)
    busiest = max(after, key=lambda thread: after[thread] - before.get(thread, 0))
    for thread in after:
        os.sched_setaffinity(thread, {first if thread == busiest else second})


def confine(pid: int, *, anywhere: bool) -> None:
    """Keep the child processes to the second processor, or let them have both."""
    if not prefix(1):
        return
    both = sorted(os.sched_getaffinity(0))[:2]
    for child in children(pid):
        for task in Path(f"/proc/{child}/task").iterdir():
            os.sched_setaffinity(int(task.name), both if anywhere else both[1:])


def _worked(pid: int) -> dict[int, int]:
    """Nanoseconds on a processor by thread (proc(5), schedstat)."""
    return {
        int(task.name): int((task / "schedstat").read_text().split()[0])
        for task in Path(f"/proc/{pid}/task").iterdir()
    }
