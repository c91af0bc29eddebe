"""What do two workers do beside one?

Where there are four processors, the workers have two and two askers the others. Where there are fewer,
askers and workers share all of them, so the queries per second say little: then the processor time
per query tells whether the workers hold each other up.
"""

import os
import resource
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.report import Report
from benchmarks.peers import georouter
from benchmarks.peers.contest import Ground
from benchmarks.peers.native import Asking
from benchmarks.peers.processors import prefix
from benchmarks.peers.run import Running
from benchmarks.peers.truth import steered

WINDOW, SOCKETS = 192, 32
"""Of each asker; many sockets, because the kernel deals them out to the workers by hash (SO_REUSEPORT)."""
TIMES = 1.8
NOISE = 1.1


@dataclass(frozen=True, slots=True)
class _Seen:
    rate: float
    cpu_us: float
    asker_us: float
    lost: int


def measure(report: Report, ground: Ground, *, rounds: int, seconds: float) -> None:
    """One worker and two, in turn."""
    if georouter.NATIVE_PEER.absent():
        print("left out: two workers (only the native path has more than one)")
        return
    enough = len(os.sched_getaffinity(0)) >= 4
    where = [prefix(2), prefix(3)] if enough else [[]]
    with (
        Running(georouter.NATIVE_PEER, ground.site("one-worker"), prefix(0) if enough else []) as one,
        Running(georouter.TWO_WORKERS, ground.site("two-workers"), prefix(0, 1) if enough else []) as two,
    ):
        for server in (one, two):
            server.wait_ready(steered(ground.queries, ground.truth))
        seen = [(_ask(one, ground, where, seconds), _ask(two, ground, where, seconds)) for _ in range(rounds)]
    rate = statistics.median(both.rate / single.rate for single, both in seen)
    cost = statistics.median(both.cpu_us / single.cpu_us for single, both in seen)
    limit = TIMES if enough else None
    report.add("two workers: queries/s, of one's", rate, "x", limit, at_least=True)
    report.add("two workers: CPU per query, of one's", cost, "x", NOISE)
    report.add("two workers: lost", sum(both.lost for _, both in seen), "queries", 0)
    if not enough:
        processors = len(os.sched_getaffinity(0))
        used = statistics.median(both.rate * (both.cpu_us + both.asker_us) / 1e6 for _, both in seen)
        asker = statistics.median(both.asker_us for _, both in seen)
        report.add(f"two workers: processors in use, of {processors}", used, "")
        report.add("two workers: what asking costs per query", asker, "µs")
        print(f"  limited by {processors} processors, which the workers share with who asks; with enough of")
        print(f"  them they would do {2 / cost:.2f} times one worker's (twice, over their cost per query)")


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
