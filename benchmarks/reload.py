"""How long until a change is served, and what is lost meanwhile?

A policy of 10,000 names is changed on disk and the daemon told by SIGHUP. Then, with 1,000 services
(sharing ten chains) over 30 regions, a region is drained through the admin port. Both are timed from
the cause to the first answer that shows it, over real sockets, under load.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP
from statistics import median

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import (
    ASHBURN,
    LONDON,
    SINGAPORE,
    SITES,
    many_sites,
    site_address,
    three_regions,
)
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until

BEFORE_S, AFTER_S = 1.0, 1.0
DRAINS = 5
OLD, NEW = "192.0.2.101", "192.0.2.102"
CHAINS = (
    "[nearest]",
    "[latency]",
    "[nearest: {tolerance: 100km}]",
    "[nearest: {tolerance: 300km}]",
    "[latency: {tolerance: 10ms}]",
    "[latency: {tolerance: 20ms}]",
    "[nearest: {bias: {dublin: 10}}]",
    "[nearest: {bias: {tokyo: 20}}]",
    "[nearest, weighted: {weights: {london: 3}}]",
    "[nearest: {tolerance: 500km}, limit: {regions: 2}]",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from each cause to the first answer that shows it, and counts over the whole run."""

    changed_s: tuple[float, ...]
    sent: int
    lost: int
    failed: int
    drops: float


def finished(load: Load, drops: float, changed_s: Sequence[float]) -> Measured:
    """Sum up a stopped load."""
    failed = sum(1 for item in load.outcomes() if item.rcode != 0 or not item.address)
    return Measured(tuple(changed_s), load.sent, load.lost, failed, drops)


def reload_names(names: int, rate: int, folder: Path) -> Measured:
    """Change one record of a policy with `names` names and SIGHUP."""
    steered = [f"n{number}: {{service: web}}" for number in range(names // 2)]
    static = [f"m{number}: {{A: 192.0.2.{number % 250 + 1}}}" for number in range(names // 2)]

    def policy(marker: str) -> str:
        return three_regions(records=[*steered, *static, f"marker: {{A: {marker}}}"])

    clients = (LONDON, ASHBURN, SINGAPORE)
    queries = [
        (name, clients[number % 3])
        for number in range(100)
        for name in ("marker.example.com", f"n{number}.example.com", f"m{number}.example.com")
    ]
    with Daemon(folder, policy(OLD)) as daemon:
        with Load(daemon.address, queries, rate) as load:
            time.sleep(BEFORE_S)
            daemon.write(policy(NEW))
            since = time.monotonic()
            daemon.signal(SIGHUP)
            until(lambda: daemon.ask("marker.example.com").addresses == (NEW,), "the new policy", 60.0)
            time.sleep(AFTER_S)
        drops = daemon.metric("georouter_kernel_receive_drops_total")
    seen = min(item.received_s for item in load.outcomes() if item.address == NEW)
    return finished(load, drops, [seen - since])


def drain_region(services: int, rate: int, folder: Path) -> Measured:
    """Drain and undrain what London gets first, for `services` services over all sites."""
    gone = site_address(next(index for index, site in enumerate(SITES) if site[0] == "london"))
    first = [number for number in range(services) if number % len(CHAINS) == 0][:50]
    queries = [(f"s{number}.example.com", LONDON) for number in first]
    drained: list[float] = []
    with Daemon(folder, many_sites(len(SITES), CHAINS, services), ready="s0.example.com") as daemon:

        def change(kind: str) -> None:
            code, body = daemon.post(f"/v1/{kind}", {"region": "london", "reason": "benchmark"})
            assert code == 200, body

        with Load(daemon.address, queries, rate) as load:
            for _ in range(DRAINS):
                until(lambda: load.latest() == gone, "London to be answered from London")
                time.sleep(BEFORE_S)
                drained.append(time.monotonic())
                change("drain")
                until(lambda: load.latest() not in {"", gone}, "London to be drained")
                time.sleep(AFTER_S)
                change("undrain")
        drops = daemon.metric("georouter_kernel_receive_drops_total")
    moved = [item.received_s for item in load.outcomes() if item.address != gone]
    return finished(load, drops, [min(at for at in moved if at > since) - since for since in drained])


def show(report: Report, what: str, measured: Measured, limit_s: float) -> None:
    """The rows of one run."""
    times = measured.changed_s
    if len(times) > 1:
        report.add(f"{what}: first changed answer, median of {len(times)}", median(times), "s")
    report.add(f"{what}: first changed answer, slowest", max(times), "s", limit_s)
    report.add(f"{what}: queries", measured.sent, "")
    report.add(f"{what}: lost", measured.lost, "", 0)
    report.add(f"{what}: SERVFAIL or empty", measured.failed, "", 0)
    report.add(f"{what}: dropped by the kernel", measured.drops, "", 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Both changes at the sizes that must hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=5000, help="queries per second (default: 5000)")
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--services", type=int, default=1000)
    options = parser.parse_args(arguments)
    report = Report("reload")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reloaded = reload_names(options.names, options.rate, folder / "reload")
        show(report, f"reload of {options.names} names", reloaded, 3.0)
        drained = drain_region(options.services, options.rate, folder / "drain")
        show(report, f"drain with {options.services} services", drained, 0.1)
    report.finish()


if __name__ == "__main__":
    main()
