"""What do a million names cost: time and memory to serve them, to change one, and to look them up?

A zone file of the common types stands beside a steered name. The daemon is started with it, then the
file is replaced by one with a record more, then by a broken one, all under a steady load. Lookups are
timed in this process, beside those of a zone of a thousand names: different names every time, so that
none of it stays in the processor's caches.
"""

import gc
import random
import statistics
import time
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.large import cost_us, measure, peak_mib, put
from benchmarks.harness.load import Load
from benchmarks.harness.processes import children
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.load import PolicyFile, load
from georouter.sources.geo_files import load_map
from tests.answers.ask import query

NAMES, FEW = 1_000_000, 1_000
LOAD_S, MEMORY_MIB, RATIO = 60.0, 1536.0, 2.0
RATE = 500
"""Queries per second meanwhile."""
LOOKUPS, ROUNDS = 100_000, 7

POLICY = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
services:
  web: {regions: [us]}
zones:
  example.com: {file: example.com.zone, records: {www: {service: web}}}
"""
HEAD = """\
$TTL 3600
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
@ NS ns2.example.net.
ns1 A 192.0.2.53
"""


def zone(names: int) -> str:
    """Mostly addresses, as large zones are: 70 % A, 10 % each AAAA and CNAME, some MX and TXT."""
    chance = random.Random(1)
    lines = [HEAD]
    for number in range(names):
        owner, low = f"host-{number:07d}", number & 0xFFFF
        kind = chance.random()
        if kind < 0.7:
            lines.append(f"{owner} IN A 10.{number >> 16 & 255}.{low >> 8}.{low & 255}\n")
        elif kind < 0.8:
            lines.append(f"{owner} 300 IN AAAA 2001:db8::{number >> 16:x}:{low:x}\n")
        elif kind < 0.9:
            lines.append(f"{owner} CNAME www.example.net.\n")
        elif kind < 0.95:
            lines.append(f"{owner} MX 10 mail.example.net.\n")
        else:
            lines.append(f'{owner} TXT "v=spf1 include:{number}.example.net -all"\n')
    return "".join(lines)


def serve(report: Report, names: int, folder: Path) -> None:
    """Start, change, break."""
    text, file = zone(names), folder / "example.com.zone"
    put(file, text)
    daemon = Daemon(folder, POLICY)
    daemon.launch()
    try:
        daemon.wait_ready(timeout_s=5 * LOAD_S)
        report.add("start to first answer", time.monotonic() - daemon.started_s, "s", LOAD_S)
        until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")
        report.add("most memory at start", peak_mib(daemon.pid), "MiB", MEMORY_MIB)
        with Load(daemon.address, [("host-0000001.example.com", None)], RATE) as load_:
            compiling = change_and_break(report, daemon, file, text)
        waits = [outcome.received_s - outcome.sent_s for outcome in load_.outcomes()]
        report.add("queries lost meanwhile", load_.lost, "queries", 0)
        report.add("slowest answer meanwhile", 1000.0 * max(waits), "ms")
        report.add("most memory of the daemon", peak_mib(daemon.pid), "MiB", MEMORY_MIB)
        report.add("most memory of the compiling process", compiling, "MiB", MEMORY_MIB)
    finally:
        daemon.stop()


def change_and_break(report: Report, daemon: Daemon, file: Path, text: str) -> float:
    """A record more, then one that is none; the most memory that the compiling process had."""
    began = time.monotonic()
    put(file, text + "added A 192.0.2.77\n")
    until(lambda: daemon.ask("added.example.com").addresses, "the change", timeout_s=5 * LOAD_S)
    report.add("changed file to its answer", time.monotonic() - began, "s", LOAD_S)
    began = time.monotonic()
    put(file, text + "broken A 192.0.2.\n")
    until(lambda: not daemon.status()["config"]["last_reload"]["ok"], "the refusal", timeout_s=5 * LOAD_S)
    report.add("broken file to its refusal", time.monotonic() - began, "s", LOAD_S)
    assert daemon.ask("added.example.com").addresses, "the last good zone is gone"
    return max(map(peak_mib, children(daemon.pid)))


def responder(names: int) -> Responder:
    """Over a compiled zone of this size."""
    files = (
        PolicyFile("/policy.yaml", "version: 1\n" + POLICY),
        PolicyFile("/example.com.zone", zone(names), zone=True),
    )
    policy = load(files).policy
    up = RegionFacts(State.UP, Effective.UP)
    world = World(regions=dict.fromkeys(policy.regions, up))
    snapshot = publish(plan(policy, load_map((), None), world), world, 1).snapshot
    return Responder(snapshot, [0] * snapshot.directory.layout.size, Limits())


def questions(names: int, kind: str) -> list[bytes]:
    """For names of the zone at random, or for some that it lacks."""
    chance = random.Random(2)
    missing = "x" if kind == "missing" else ""
    numbers = [chance.randrange(names) for _ in range(LOOKUPS)]
    return [query(f"host-{number:07d}{missing}.example.com", edns=kind == "edns") for number in numbers]


def look_up(report: Report, names: int) -> None:
    """The same questions to a large zone and to a small one, in turns."""
    few, many = responder(FEW), responder(names)
    gc.collect()
    gc.freeze()
    for kind in ("plain", "edns", "missing"):
        small, large = questions(FEW, kind), questions(names, kind)
        costs = [(cost_us(few, small), cost_us(many, large)) for _ in range(ROUNDS)]
        low, high = (statistics.median(column) for column in zip(*costs, strict=True))
        report.add(f"lookup among {FEW:,} names, {kind}", low, "us")
        report.add(f"lookup among {names:,} names, {kind}", high, "us")
        report.add(f"ratio, {kind}", high / low, "times", RATIO)


def main() -> None:
    """The daemon first, then lookups."""
    measure("names", NAMES, serve, look_up, __doc__)


if __name__ == "__main__":
    main()
