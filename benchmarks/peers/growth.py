"""What does a query cost among 1,000 names and among a million, over 10,000 ranges and 5 million, with 10
services and 10,000, with 3 regions and 300?

One daemon per size, all at once, asked in turn.

names     one of a zone file at random
ranges    one steered name for random client networks, over a map whose ranges have random borders
services  one at random for random client networks; each is a group of its own, all have one chain
regions   one steered name for random client networks, which all get what is nearest of them

What memory one more of each takes comes from the same daemons.
"""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.processes import resident_mib
from benchmarks.harness.report import Report
from benchmarks.names import zone
from benchmarks.peers import georouter, packets
from benchmarks.peers.chart import Line
from benchmarks.peers.contest import Ground
from benchmarks.peers.peer import Peer
from benchmarks.peers.run import Round, Running, batches
from benchmarks.peers.world import REGIONS, TTL_S, ZONE, Site
from georouter.geo import store
from georouter.geo.codes import continent_of
from georouter.geo.map import GeoMap, Kind, MapInfo, Places

QUESTIONS = 200_000
COUNTRIES = ("US", "DE", "JP")
"""One of each region."""
MORE = 1.6
"""Times, from the smallest to the largest: what is not in the processor's caches costs some misses."""
SEED = 7
STANDPOINTS, STANDING = 5_000, 200_000
"""Distinct places of clients, and ranges, where regions grow: more than 300 regions have rankings of."""


def geo_map(ranges: int, places: Places | None = None) -> GeoMap:
    """So many IPv4 ranges (and a tenth of IPv6) with random borders, neighbours in other places.

    By default these are three countries.
    """
    dice = np.random.default_rng(SEED)
    blocks4 = np.sort(dice.choice(1 << 24, ranges - 1, replace=False).astype(np.uint32))
    blocks6 = np.unique(dice.integers(0x2000 << 32, 0x4000 << 32, max(1, ranges // 10), np.uint64))
    starts4 = np.unique(np.concatenate([np.zeros(1, np.uint32), blocks4 << np.uint32(8)]))
    starts6 = np.concatenate([np.zeros(1, np.uint64), blocks6 << np.uint64(16)])
    places = _places(len(COUNTRIES)) if places is None else places
    known = np.uint32(len(places) - 1)
    place4, place6 = (
        np.arange(len(starts), dtype=np.uint32) % known + np.uint32(1) for starts in (starts4, starts6)
    )
    info = MapInfo("random", 0, frozenset({Kind.NETWORK, Kind.COUNTRY, Kind.CONTINENT, Kind.GROUP}))
    return GeoMap(starts4, place4, starts6, place6, places, info)


def _places(count: int, where: np.random.Generator | None = None) -> Places:
    """So many places in countries by turns; anywhere on the globe, or nobody knows where."""
    none = np.zeros(count + 1, np.int32)
    lat, lon = (np.full(count + 1, np.nan, np.float32) for _ in range(2))
    if where is not None:
        lat[1:], lon[1:] = _spots(where, count)
    codes = [COUNTRIES[number % len(COUNTRIES)] for number in range(count)]
    return Places(
        country=np.array(["", *codes], "S2"),
        continent=np.array(["", *map(continent_of, codes)], "S2"),
        subdivision=np.zeros(count + 1, "S6"),
        city=none,
        lat=lat,
        lon=lon,
        asn=none.astype(np.uint32),
        network_set=none,
    )


def _spots(dice: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes, evenly over the globe."""
    return np.degrees(np.arcsin(dice.uniform(-1, 1, count))), dice.uniform(-180, 180, count)


def measure(
    report: Report, ground: Ground, *, rounds: int, seconds: float, sizes: Mapping[str, Sequence[int]]
) -> list[Line]:
    """All of `sizes`, as curves of µs per query by size."""
    peer = georouter.best()
    with ExitStack() as stack:
        every = [
            STARTS[what](stack, ground, peer, count) for what, counts in sizes.items() for count in counts
        ]
        for server, questions in every:
            server.measure(questions, 0.5, batches)
        seen: list[list[Round]] = [[] for _ in every]
        for _ in range(rounds):
            for found, (server, questions) in zip(seen, every, strict=True):
                found.append(server.measure(questions, seconds, batches))
        memory = [resident_mib(server.pid) for server, _ in every]
    lines, begin = [], 0
    for what, counts in sizes.items():
        part = slice(begin, begin + len(counts))
        lines.append(_tell(report, f"{peer.name}: {what[:-1]}", counts, seen[part], memory[part]))
        begin = part.stop
    return lines


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
    rules = georouter.policy(site.database, zone_file="large.zone")
    return _start(stack, peer, site, packets.static(asked, QUESTIONS), rules)


def _with_ranges(stack: ExitStack, ground: Ground, peer: Peer, count: int) -> tuple[Running, Path]:
    site = _mapped(ground.site(f"ranges-{count}"), geo_map(count))
    return _start(stack, peer, site, packets.steered(QUESTIONS), georouter.policy(site.database))


def _with_services(stack: ExitStack, ground: Ground, peer: Peer, count: int) -> tuple[Running, Path]:
    site = ground.site(f"services-{count}")
    chain = (
        "[{geo: [{match: {continent: [NA, SA]}, regions: [us]}, "
        "{match: {continent: [EU, AF]}, regions: [eu]}, {regions: [ap]}]}, "
        "{weighted: {weights: {us: %d, eu: 1}}}]"
    )
    services = [
        f"  s{number}: {{regions: [{', '.join(REGIONS)}], ttl: {TTL_S}s, chain: {chain % (number + 1)}}}"
        for number in range(count)
    ]
    names = [f"s{number}" for number in range(count)]
    rules = _rules(site, {name: (0.0, 0.0, *pair) for name, pair in REGIONS.items()}, services, names)
    return _start(stack, peer, site, packets.steered(QUESTIONS, names=names), rules)


def _with_regions(stack: ExitStack, ground: Ground, peer: Peer, count: int) -> tuple[Running, Path]:
    dice = np.random.default_rng(SEED)
    site = _mapped(ground.site(f"regions-{count}"), geo_map(STANDING, _places(STANDPOINTS, dice)))
    regions = {
        f"r{number}": (lat, lon, f"192.0.{2 + number // 250}.{number % 250 + 1}", f"2001:db8::{number + 1:x}")
        for number, (lat, lon) in enumerate(
            zip(*(column.tolist() for column in _spots(dice, count)), strict=True)
        )
    }
    services = [f"  s0: {{regions: [{', '.join(regions)}], ttl: {TTL_S}s, chain: [nearest]}}"]
    rules = _rules(site, regions, services, ["s0"])
    return _start(stack, peer, site, packets.steered(QUESTIONS, names=["s0"]), rules)


def _rules(
    site: Site,
    regions: Mapping[str, tuple[float, float, str, str]],
    services: Sequence[str],
    names: Sequence[str],
) -> str:
    """A policy whose names are steered by the services of these names."""
    places = (
        f'  {name}: {{location: {{lat: {lat:.4f}, lon: {lon:.4f}}}, endpoints: [{v4}, "{v6}"]}}'
        for name, (lat, lon, v4, v6) in regions.items()
    )
    records = (f"      {name}: {{service: {name}}}" for name in names)
    zones = ("zones:", f"  {ZONE}:", f"    ns: [ns1.{ZONE}]", "    records:", "      ns1: {A: 192.0.2.53}")
    parts = (
        f"geo: {{database: {site.database}}}",
        "regions:",
        *places,
        "services:",
        *services,
        *zones,
        *records,
    )
    return "\n".join(parts) + "\n"


STARTS: Mapping[str, Callable[[ExitStack, Ground, Peer, int], tuple[Running, Path]]] = {
    "names": _with_names,
    "ranges": _with_ranges,
    "services": _with_services,
    "regions": _with_regions,
}


def _mapped(site: Site, geo: GeoMap) -> Site:
    """The site with this map for a database."""
    path = site.folder / "random.geomap"
    path.write_bytes(store.encode(geo, level=1))
    return replace(site, database=path)


def _start(
    stack: ExitStack, peer: Peer, site: Site, questions: list[bytes], rules: str
) -> tuple[Running, Path]:
    file = site.folder / "queries"
    packets.write(file, questions)
    prepare: Callable[[Site], list[str]] = partial(georouter.command, rules=rules)
    running = stack.enter_context(Running(replace(peer, prepare=prepare), site))
    running.wait_ready(questions[0])
    return running, file
