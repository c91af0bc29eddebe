"""What do two workers do beside one?

Where there are four processors, the workers have two and two askers the others. Where there are fewer,
askers and workers share all of them, so the queries per second say little: then the processor time
per query tells whether the workers hold each other up, beside what it tells of a bare echo's workers,
which have nothing in common: more of them find less waiting each time, and that costs, too.
"""

import os
import resource
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

from benchmarks.harness.report import Report
from benchmarks.peers import echo, georouter
from benchmarks.peers.contest import Ground
from benchmarks.peers.native import Asking
from benchmarks.peers.processors import prefix
from benchmarks.peers.run import Running
from benchmarks.peers.truth import steered

WINDOW, SOCKETS = 192, 32
"""Of each asker; many sockets, because the kernel deals them out to the workers by hash (SO_REUSEPORT)."""
PAIRS = ((georouter.NATIVE_PEER, georouter.TWO_WORKERS), (echo.PEER, echo.TWO_WORKERS))
TIMES = 1.8
NOISE = 1.1


@dataclass(frozen=True, slots=True)
class _Seen:
    rate: float
    cpu_us: float
    asker_us: float
    lost: int


@dataclass(frozen=True, slots=True)
class _Doubled:
    rate: float
    cost: float

    @classmethod
    def of(cls, single: Sequence[_Seen], both: Sequence[_Seen]) -> "_Doubled":
        """What two workers do, of what one does: medians of rounds."""
        rounds = list(zip(single, both, strict=True))
        return cls(
            statistics.median(two.rate / one.rate for one, two in rounds),
            statistics.median(two.cpu_us / one.cpu_us for one, two in rounds),
        )


def measure(report: Report, ground: Ground, *, rounds: int, seconds: float) -> None:
    """One worker and two, in turn."""
    if georouter.NATIVE_PEER.absent():
        print("left out: two workers (only the native path has more than one)")
        return
    enough = len(os.sched_getaffinity(0)) >= 4
    where = [prefix(2), prefix(3)] if enough else [[]]
    places = [prefix(0), prefix(0, 1)] * len(PAIRS)
    seen: dict[str, list[_Seen]] = {peer.name: [] for pair in PAIRS for peer in pair}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Running(peer, ground.site(f"workers-{number}"), place if enough else []))
            for number, (peer, place) in enumerate(zip(chain(*PAIRS), places, strict=True))
        ]
        for server in servers:
            server.wait_ready(steered(ground.queries, ground.truth))
        for _ in range(rounds):
            for server in servers:
                seen[server.name].append(_ask(server, ground, where, seconds))
    ours, echos = (_Doubled.of(seen[one.name], seen[two.name]) for one, two in PAIRS)
    limit = TIMES if enough else None
    report.add("two workers: queries/s, of one's", ours.rate, "x", limit, at_least=True)
    report.add("two workers: CPU per query, of one's", ours.cost, "x")
    report.add("two workers of the bare echo: CPU per query, of one's", echos.cost, "x")
    report.add("two workers: what CPU per query grows by, of the echo's", ours.cost / echos.cost, "x", NOISE)
    report.add("two workers: lost", sum(both.lost for both in seen[georouter.TWO_WORKERS.name]), "queries", 0)
    if not enough:
        processors, twos = len(os.sched_getaffinity(0)), seen[georouter.TWO_WORKERS.name]
        used = statistics.median(both.rate * (both.cpu_us + both.asker_us) / 1e6 for both in twos)
        asker = statistics.median(both.asker_us for both in twos)
        report.add(f"two workers: processors in use, of {processors}", used, "")
        report.add("two workers: what asking costs per query", asker, "µs")
        print(f"  limited by {processors} processors, shared by workers and who asks: less waits at a time,")
        print("  and what that costs is what it costs the echo's workers")


def _ask(server: Running, ground: Ground, where: Sequence[list[str]], seconds: float) -> _Seen:
    """As fast as it answers, from as many askers as there are places for them."""
    before, own = server.processor_s(), _children_s()
    asking = [
        Asking(server.port, ground.file, seconds, window=WINDOW, sockets=SOCKETS, prefix=place)
        for place in where
    ]
    asked = [one.wait() for one in asking]
    answered = sum(one.answered for one in asked)
    return _Seen(
        sum(one.rate for one in asked),
        (sum(server.processor_s()) - sum(before)) / answered * 1e6,
        (_children_s() - own) / answered * 1e6,
        sum(one.lost for one in asked),
    )


def _children_s() -> float:
    """Processor time of the askers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
