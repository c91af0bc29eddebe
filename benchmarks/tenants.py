"""What do a million tenants cost: time and memory to serve them, to move one, and to look them up?

The daemon is started with a directory of a million rows, then one tenant moves and one row is broken, under a
steady load. Lookups are timed in this process, in turns, each for another tenant every time, so that none of
it stays in the processor's caches, beside names that stand in the zone: one steered by the same chain
without tenants, and one with an address. Last the daemon's processor time for a query, socket and all.
"""

import gc
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.large import cost_us, measure, peak_mib, put
from benchmarks.harness.load import Load
from benchmarks.harness.processes import children
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until
from benchmarks.peers.native import ask_for
from benchmarks.peers.packets import write
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import World
from georouter.policy.load import PolicyFile, load
from georouter.sources.geo_files import load_map
from tests.answers.ask import query

TENANTS = 1_000_000
LOAD_S, MEMORY_MIB, RATIO = 20.0, 1024.0, 1.5
RATE = 500
"""Queries per second while the directory changes."""
LOOKUPS, ROUNDS = 50_000, 7
SERVED, SERVED_RATE, SERVED_S, SERVED_ROUNDS = 200_000, 3_000, 1.0, 15
PAUSE_US = 100
"""For so long the asker sleeps where it has nothing to do, and leaves its processor to others."""
REGIONS = ("us", "eu", "ap")
POLICY = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3, country: IE}, endpoints: [192.0.2.20]}
  ap: {location: {lat: 1.3, lon: 103.8, country: SG}, endpoints: [192.0.2.30]}
services:
  web: {regions: [us, eu, ap], chain: [nearest]}
  app: {regions: [us, eu, ap], chain: [{pin: {directory: tenants.csv, unknown: nxdomain}}, nearest]}
zones:
  example.com:
    ns: [ns1.example.net]
    records: {www: {service: web}, host: {A: 192.0.2.53}, "*.app": {service: app}}
"""


def directory(tenants: int) -> str:
    """A third in each region, every tenth with a residency, every hundredth on the move."""
    lines = ["tenant,home,residency,state,moving_to\n"]
    for number in range(tenants):
        home, following = REGIONS[number % 3], REGIONS[(number + 1) % 3]
        moving = f"moving,{following}" if number % 100 == 7 else "active,"
        lines.append(f"tenant-{number:07d},{home},{home if number % 10 == 0 else ''},{moving}\n")
    return "".join(lines)


def serve(report: Report, tenants: int, folder: Path) -> None:
    """Start, move, break; then the time that queries take."""
    text, file = directory(tenants), folder / "tenants.csv"
    put(file, text)
    daemon = Daemon(folder, POLICY)
    daemon.launch()
    try:
        daemon.wait_ready(timeout_s=5 * LOAD_S)
        report.add("start to first answer", time.monotonic() - daemon.started_s, "s", LOAD_S)
        until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")
        report.add("most memory at start", peak_mib(daemon.pid), "MiB", MEMORY_MIB)
        with Load(daemon.address, [("tenant-0000001.app.example.com", None)], RATE) as running:
            compiling = move_and_break(report, daemon, file, text)
        wrong = [outcome for outcome in running.outcomes() if outcome.address != "192.0.2.20"]
        report.add("queries lost meanwhile", running.lost, "queries", 0)
        report.add("wrong answers meanwhile", len(wrong), "answers", 0)
        report.add("most memory of the daemon", peak_mib(daemon.pid), "MiB", MEMORY_MIB)
        report.add("most memory of the compiling process", compiling, "MiB", MEMORY_MIB)
        through_sockets(report, daemon, tenants)
    finally:
        daemon.stop()


def move_and_break(report: Report, daemon: Daemon, file: Path, text: str) -> float:
    """One tenant's home, then a region that is none; the most memory that the compiling process had."""
    name, began = "tenant-0000003.app.example.com", time.monotonic()
    put(file, text.replace("tenant-0000003,us,", "tenant-0000003,ap,"))
    until(lambda: daemon.ask(name).addresses == ("192.0.2.30",), "the move", timeout_s=5 * LOAD_S)
    report.add("changed file to its answer", time.monotonic() - began, "s", LOAD_S)
    began = time.monotonic()
    put(file, text.replace("tenant-0000003,us,", "tenant-0000003,mars,"))
    until(lambda: not daemon.status()["config"]["last_reload"]["ok"], "the refusal", timeout_s=5 * LOAD_S)
    report.add("broken file to its refusal", time.monotonic() - began, "s", LOAD_S)
    assert daemon.ask(name).addresses == ("192.0.2.30",), "the last good directory is gone"
    return max(map(peak_mib, children(daemon.pid)))


def through_sockets(report: Report, daemon: Daemon, tenants: int) -> None:
    """Processor time of the daemon for a query, in turns."""
    chance = random.Random(3)
    names = {
        "address": ["host"] * SERVED,
        "steered": ["www"] * SERVED,
        "tenant": [f"tenant-{chance.randrange(tenants):07d}.app" for _ in range(SERVED)],
    }
    files = {kind: daemon.folder / f"{kind}.queries" for kind in names}
    for kind, few in names.items():
        write(files[kind], [query(f"{name}.example.com", edns=True) for name in few])
    for what, rate in (("one at a time", SERVED_RATE), ("in batches", 0)):
        costs: dict[str, list[float]] = {kind: [] for kind in names}
        lost = 0
        for _ in range(SERVED_ROUNDS):
            for kind, file in files.items():
                before = spent_us(daemon.pid)
                asked = ask_for(daemon.address[1], file, SERVED_S, rate, pause_us=PAUSE_US if rate else 0)
                costs[kind].append((spent_us(daemon.pid) - before) / asked.answered)
                lost += asked.lost
        median = {kind: statistics.median(found) for kind, found in costs.items()}
        for kind, cost in median.items():
            report.add(f"the daemon's time, {what}, {kind}", cost, "us")
        ratio = median["tenant"] / median["address"]
        report.add(f"{what}: ratio to an address in the zone", ratio, "times", RATIO)
        report.add(f"{what}: ratio to a steered name", median["tenant"] / median["steered"], "times")
        report.add(f"{what}: queries lost", lost, "queries")


def spent_us(pid: int) -> float:
    """Processor time of all threads, as the scheduler counts it: to the nanosecond, while ticks are 10 ms."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000


def look_up(report: Report, tenants: int) -> None:
    """Names in the zone and tenants' names, in turns."""
    files = (
        PolicyFile("/policy.yaml", "version: 1\n" + POLICY),
        PolicyFile("/tenants.csv", directory(tenants), zone=True),
    )
    snapshot = publish(plan(load(files).policy, load_map((), None), World()), World(), 1).snapshot
    asked = Responder(snapshot, [0] * snapshot.directory.layout.size, Limits())
    gc.collect()
    gc.freeze()
    chance = random.Random(2)
    names = {
        "www": ["www"] * LOOKUPS,
        "host": ["host"] * LOOKUPS,
        "tenant": [f"tenant-{chance.randrange(tenants):07d}.app" for _ in range(LOOKUPS)],
        "missing": [f"nobody-{chance.randrange(tenants):07d}.app" for _ in range(LOOKUPS)],
    }
    messages: dict[str, Sequence[bytes]] = {
        kind: [query(f"{name}.example.com", edns=True) for name in few] for kind, few in names.items()
    }
    costs: dict[str, list[float]] = {kind: [] for kind in messages}
    for _ in range(ROUNDS):
        for kind, few in messages.items():
            costs[kind].append(cost_us(asked, few))
    median = {kind: statistics.median(found) for kind, found in costs.items()}
    for kind, cost in median.items():
        report.add(f"lookup, {kind}", cost, "us")
    report.add("ratio to a steered name in the zone", median["tenant"] / median["www"], "times", RATIO)
    report.add("ratio to an address in the zone, no sockets", median["tenant"] / median["host"], "times")


def main() -> None:
    """The daemon first, then lookups."""
    measure("tenants", TENANTS, serve, look_up, __doc__)


if __name__ == "__main__":
    main()
