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

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load, Outcome
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
    """Seconds from the cause to the first answer that shows it, and counts over the run."""

    changed_s: float
    sent: int
    lost: int
    failed: int
    drops: float


def finished(load: Load, daemon_drops: float, since: float, seen: Sequence[Outcome]) -> Measured:
    """Sum up a stopped load; `seen` are the answers that show the change."""
    return Measured(
        changed_s=min(item.received_s for item in seen) - since,
        sent=load.sent,
        lost=load.lost,
        failed=sum(1 for item in load.outcomes() if item.rcode != 0 or not item.address),
        drops=daemon_drops,
    )


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
    return finished(load, drops, since, [item for item in load.outcomes() if item.address == NEW])


def drain_region(services: int, rate: int, folder: Path) -> Measured:
    """Drain what London gets first, for `services` services over all sites."""
    london = next(index for index, site in enumerate(SITES) if site[0] == "london")
    gone = site_address(london)
    first = [number for number in range(services) if number % len(CHAINS) == 0][:50]
    queries = [(f"s{number}.example.com", LONDON) for number in first]
    with Daemon(folder, many_sites(len(SITES), CHAINS, services), ready="s0.example.com") as daemon:
        with Load(daemon.address, queries, rate) as load:
            until(lambda: load.latest() == gone, "London to be answered from London")
            time.sleep(BEFORE_S)
            since = time.monotonic()
            code, body = daemon.post("/v1/drain", {"region": "london", "reason": "benchmark"})
            assert code == 200, body
            until(lambda: load.latest() not in {"", gone}, "London to be drained")
            time.sleep(AFTER_S)
        drops = daemon.metric("georouter_kernel_receive_drops_total")
    moved = [item for item in load.outcomes() if item.received_s > since and item.address != gone]
    return finished(load, drops, since, moved)


def show(report: Report, what: str, measured: Measured, limit_s: float) -> None:
    """The rows of one run."""
    report.add(f"{what}: first changed answer", measured.changed_s, "s", limit_s)
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
