"""What does a query cost among 1,000 names and among a million, and over 10,000 ranges and 5 million?

One daemon per size, all at once, asked in turn: names of a zone file at random, or one steered name for
random client networks over a map whose ranges have random borders. What memory a name and a range
take comes from the same daemons.
"""

import random
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness.processes import resident_mib
from benchmarks.harness.report import Report
from benchmarks.names import zone
from benchmarks.peers import georouter, packets
from benchmarks.peers.chart import Line
from benchmarks.peers.contest import Ground
from benchmarks.peers.peer import Peer
from benchmarks.peers.run import Round, Running, batches
from benchmarks.peers.world import Site
from georouter.geo import store
from georouter.geo.codes import continent_of
from georouter.geo.map import GeoMap, Kind, MapInfo, Places

QUESTIONS = 200_000
COUNTRIES = ("US", "DE", "JP")
"""One of each region."""
MORE = 1.6
"""Times, from the smallest to the largest: what is not in the processor's caches costs some misses."""
SEED = 7


def geo_map(ranges: int) -> GeoMap:
    """So many IPv4 ranges (and a tenth of IPv6) with random borders, neighbours in other countries."""
    dice = np.random.default_rng(SEED)
    blocks4 = np.sort(dice.choice(1 << 24, ranges - 1, replace=False).astype(np.uint32))
    blocks6 = np.unique(dice.integers(0x2000 << 32, 0x4000 << 32, max(1, ranges // 10), np.uint64))
    starts4 = np.unique(np.concatenate([np.zeros(1, np.uint32), blocks4 << np.uint32(8)]))
    starts6 = np.concatenate([np.zeros(1, np.uint64), blocks6 << np.uint64(16)])
    rows = len(COUNTRIES) + 1
    none = np.zeros(rows, np.int32)
    nowhere = np.full(rows, np.nan, np.float32)
    places = Places(
        country=np.array(["", *COUNTRIES], "S2"),
        continent=np.array(["", *map(continent_of, COUNTRIES)], "S2"),
        subdivision=np.zeros(rows, "S6"),
        city=none,
        lat=nowhere,
        lon=nowhere,
        asn=none.astype(np.uint32),
        network_set=none,
    )
    place4, place6 = (
        np.arange(len(starts), dtype=np.uint32) % np.uint32(len(COUNTRIES)) + np.uint32(1)
        for starts in (starts4, starts6)
    )
    info = MapInfo("random", 0, frozenset({Kind.NETWORK, Kind.COUNTRY, Kind.CONTINENT, Kind.GROUP}))
    return GeoMap(starts4, place4, starts6, place6, places, info)


def measure(
    report: Report,
    ground: Ground,
    *,
    names: Sequence[int],
    ranges: Sequence[int],
    rounds: int,
    seconds: float,
) -> tuple[Line, Line]:
    """Both, as curves of µs per query by size."""
    peer = georouter.best()
    with ExitStack() as stack:
        by_names = [_with_names(stack, ground, peer, count) for count in names]
        by_ranges = [_with_ranges(stack, ground, peer, count) for count in ranges]
        every = [*by_names, *by_ranges]
        for server, questions in every:
            server.measure(questions, 0.5, batches)
        seen: list[list[Round]] = [[] for _ in every]
        for _ in range(rounds):
            for found, (server, questions) in zip(seen, every, strict=True):
                found.append(server.measure(questions, seconds, batches))
        memory = [resident_mib(server.pid) for server, _ in every]
    edge = len(names)
    lines = []
    for what, sizes, rounds_, mib in (
        ("name", names, seen[:edge], memory[:edge]),
        ("range", ranges, seen[edge:], memory[edge:]),
    ):
        lines.append(_tell(report, f"{peer.name}: {what}", sizes, rounds_, mib))
    return lines[0], lines[1]


def _tell(
    report: Report, what: str, sizes: Sequence[int], seen: Sequence[Sequence[Round]], memory: Sequence[float]
) -> Line:
    costs = [[one.cpu_us for one in found] for found in seen]
    for size, cost, found in zip(sizes, costs, seen, strict=True):
        report.add(f"{what}s, {size:,}: CPU per query", statistics.median(cost), "µs")
        report.add(f"{what}s, {size:,}: lost", sum(one.lost for one in found), "queries", 0)
    ratio = statistics.median(most / least for least, most in zip(costs[0], costs[-1], strict=True))
    report.add(f"{what}s: CPU with {sizes[-1]:,}, of that with {sizes[0]:,}", ratio, "x", MORE)
    octets = (memory[-1] - memory[0]) * 2**20 / (sizes[-1] - sizes[0])
    report.add(f"{what}s: memory of one more", octets, "bytes")
    return Line(
        what,
        sizes,
        [min(cost) for cost in costs],
        [statistics.median(cost) for cost in costs],
        [max(cost) for cost in costs],
    )


def _with_names(stack: ExitStack, ground: Ground, peer: Peer, count: int) -> tuple[Running, Path]:
    site = ground.site(f"names-{count}")
    (site.folder / "large.zone").write_text(zone(count))
    chance = random.Random(SEED)
    asked = [f"host-{chance.randrange(count):07d}" for _ in range(min(count, QUESTIONS))]
    return _start(stack, peer, site, packets.static(asked, QUESTIONS), "large.zone")


def _with_ranges(stack: ExitStack, ground: Ground, peer: Peer, count: int) -> tuple[Running, Path]:
    site = ground.site(f"ranges-{count}")
    path = site.folder / "random.geomap"
    path.write_bytes(store.encode(geo_map(count), level=1))
    return _start(stack, peer, replace(site, database=path), packets.steered(QUESTIONS), None)


def _start(
    stack: ExitStack, peer: Peer, site: Site, questions: list[bytes], zone_file: str | None
) -> tuple[Running, Path]:
    file = site.folder / "queries"
    packets.write(file, questions)
    prepare: Callable[[Site], list[str]] = partial(georouter.command, zone_file=zone_file)
    running = stack.enter_context(Running(replace(peer, prepare=prepare), site))
    running.wait_ready(questions[0])
    return running, file
