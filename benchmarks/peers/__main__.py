"""Measures georouter beside other name servers, and by itself while things change and grow.

    python -m benchmarks.peers [--quick] [--rounds N] [--only PART ...] [--asker batches|dnsperf]

contest   the same questions to all, as fast as they answer, and at half of that
changes   latency while snapshots are published and while a large zone is compiled
growth    cost per query by the number of names, ranges, services and regions, and their memory
workers   two workers beside one
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness.report import RESULTS, Report
from benchmarks.peers import changes, chart, contest, georouter, growth, workers
from benchmarks.peers.chart import Bar, Panel
from benchmarks.peers.contest import LOST_US, Results
from benchmarks.peers.processors import asker_prefix
from benchmarks.peers.run import batches, dnsperf

PARTS = ("contest", "changes", "growth", "workers")
ASKERS = {"batches": batches, "dnsperf": dnsperf}
ROUNDS = 5
FULL: dict[str, dict[str, Any]] = {
    "contest": {"full_s": 2.5, "half_s": 1.5},
    "changes": {"seconds": 3.0},
    "growth": {
        "sizes": {
            "names": (1_000, 10_000, 100_000, 1_000_000),
            "ranges": (10_000, 100_000, 1_000_000, 5_000_000),
            "services": (10, 100, 1_000, 10_000),
            "regions": (3, 30, 300),
        },
        "seconds": 1.0,
    },
    "workers": {"seconds": 1.5},
}
QUICK: dict[str, dict[str, Any]] = {
    "contest": {"full_s": 0.7, "half_s": 0.4},
    "changes": {"seconds": 0.6, "names": 20_000},
    "growth": {
        "sizes": {
            "names": (1_000, 50_000),
            "ranges": (10_000, 1_000_000),
            "services": (10, 1_000),
            "regions": (3, 100),
        },
        "seconds": 0.3,
    },
    "workers": {"seconds": 0.4},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; exit 1 when something that must hold does not."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a look within 90 seconds, of less weight")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each (default: {ROUNDS})")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument(
        "--asker",
        choices=[*ASKERS],
        default="batches",
        help="who asks in the contest as fast as is answered: load.c, or dnsperf, which is slower than some",
    )
    options = parser.parse_args(arguments)
    asker = ASKERS[options.asker]
    if asker is dnsperf and not shutil.which("dnsperf"):
        parser.error("dnsperf is not installed (apt-get install --no-install-recommends dnsperf)")
    sizes, details = QUICK if options.quick else FULL, {}
    report, began = Report("peers"), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        ground = contest.prepare(Path(name))
        rounds = options.rounds
        if "contest" in options.only:
            with contest.started(contest.installed(), ground) as servers:
                results = contest.measure(
                    servers, ground.file, rounds=rounds, asker=asker, **sizes["contest"]
                )
            contest.show(results)
            contest.judge(report, results)
            details |= {key: _plain(getattr(results, key)) for key in ("full", "half")}
            _draw(results, f"{rounds} interleaved rounds, the same {len(ground.queries):,} questions for all")
        if "changes" in options.only:
            changes.measure(report, ground, georouter.best(), rounds=rounds, **sizes["changes"])
        if "growth" in options.only:
            curves = growth.measure(report, ground, rounds=rounds, **sizes["growth"])
            if chart.is_there():
                kinds = [curve.name.rpartition(": ")[2] + "s" for curve in curves]
                panels = [
                    (f"CPU µs per query by {kind}", kind, [curve])
                    for kind, curve in zip(kinds, curves, strict=True)
                ]
                chart.lines(panels, f"Median, lowest and highest of {rounds} rounds", RESULTS / "growth.svg")
        if "workers" in options.only:
            workers.measure(report, ground, rounds=rounds, **sizes["workers"])
    print(f"{time.monotonic() - began:.0f} s")
    report.finish(
        **details,
        rounds=options.rounds,
        quick=options.quick,
        asker=options.asker,
        pinned=bool(asker_prefix()),
    )


def _plain(rounds: dict[str, list[object]]) -> dict[str, list[dict[str, object]]]:
    return {name: [asdict(one) for one in each] for name, each in rounds.items()}  # type: ignore[call-overload]


def _draw(results: Results, caption: str) -> None:
    if not chart.is_there():
        print("no picture: it needs matplotlib (scripts/setup bench)")
        return
    rates, costs, tails = [], [], []
    for name in results.full:
        rates.append(_bar(name, [rate / 1000 for rate in results.rates(name)]))
        costs.append(_bar(name, results.costs(name), results.user_us(name)))
        tails.append(_bar(name, [tail / 1000 for tail in results.tails(name)]))
    chart.bars(
        (
            Panel("Thousand queries per second", rates, ".0f"),
            Panel("CPU µs per query (dark: outside the kernel)", costs, ".2f"),
            Panel("p99.9 at half load, ms", tails, ".1f", LOST_US / 1000),
        ),
        f"Median, lowest and highest of {caption}; one worker each. Lost: more than one query in a thousand.",
        RESULTS / "peers.svg",
    )


def _bar(name: str, values: list[float], part: float | None = None) -> Bar:
    return Bar(name, min(values), statistics.median(values), max(values), part)


if __name__ == "__main__":
    main()
