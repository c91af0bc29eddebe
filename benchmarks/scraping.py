"""Does a scrape every second disturb the packet path? Latency with and without, in turns.

Once with a small policy and once with 1,000 services in 30 regions: 30,000 series to render.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import ASHBURN, LONDON, SINGAPORE, many_sites, three_regions
from benchmarks.harness.report import Report

SECONDS = 5.0
EVERY_S = 1.0
PLACES = (LONDON, ASHBURN, SINGAPORE)


@dataclass(frozen=True, slots=True)
class Measured:
    """One round: microseconds from send to receive, and counts."""

    median_us: float
    p99_us: float
    sent: int
    lost: int
    scrape_ms: float


@contextmanager
def scraped(daemon: Daemon, took_s: list[float]) -> Iterator[None]:
    """Somebody fetches /metrics once a second."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            daemon.get("/metrics")
            took_s.append(time.monotonic() - begun)
            stop.wait(max(0.0, EVERY_S - took_s[-1]))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(daemon: Daemon, name: str, rate: int, *, scraping: bool) -> Measured:
    """One round of load."""
    load = Load(daemon.address, [(name, place) for place in PLACES], rate)
    took_s: list[float] = []
    with load:
        if scraping:
            with scraped(daemon, took_s):
                time.sleep(SECONDS)
        else:
            time.sleep(SECONDS)
    waits = sorted(1e6 * (item.received_s - item.sent_s) for item in load.outcomes())
    return Measured(
        statistics.median(waits),
        waits[int(0.99 * len(waits))],
        load.sent,
        load.lost,
        1e3 * statistics.median(took_s) if took_s else 0.0,
    )


def compare(report: Report, what: str, daemon: Daemon, name: str, *, rate: int, rounds: int) -> None:
    """Rounds with and without, in turns, so that whatever else the machine does falls on both."""
    found: dict[bool, list[Measured]] = {False: [], True: []}
    for _ in range(rounds):
        for scraping in (False, True):
            found[scraping].append(measure(daemon, name, rate, scraping=scraping))

    def ratio(value: str) -> float:
        with_, without = (
            statistics.median(getattr(item, value) for item in found[scraping]) for scraping in (True, False)
        )
        return float(with_ / without)

    every = found[True] + found[False]
    report.add(f"{what}: median latency, scraped / not", ratio("median_us"), "x")
    report.add(f"{what}: 99th percentile, scraped / not", ratio("p99_us"), "x")
    report.add(f"{what}: a scrape takes", statistics.median(m.scrape_ms for m in found[True]), "ms")
    report.add(f"{what}: queries", sum(item.sent for item in every), "")
    report.add(f"{what}: lost", sum(item.lost for item in every), "", 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """A small policy and a large one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="queries per second (default: 2000)")
    parser.add_argument("--rounds", type=int, default=4, help="of each kind (default: 4)")
    options = parser.parse_args(arguments)
    report = Report("scraping")
    policies = (
        ("three regions", three_regions(), "www.example.com"),
        ("30,000 series", many_sites(30, ["[nearest]"], 1000), "s0.example.com"),
    )
    for what, policy, name in policies:
        with tempfile.TemporaryDirectory() as folder, Daemon(Path(folder), policy, ready=name) as daemon:
            compare(report, what, daemon, name, rate=options.rate, rounds=options.rounds)
    report.finish()


if __name__ == "__main__":
    main()
