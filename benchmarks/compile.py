"""How long plans and publications take. `python benchmarks/compile.py [map]` where map is `synthetic`
(default: random places on random ranges, about the size of a city map) or `builtin`.
"""

import gc
import pickle
import random
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.geo.map import GeoMap, Kind, MapInfo, Places
from georouter.policy.model import Endpoint, Location, Policy, RecordSet, Region, Service, Soa, Steered, Zone
from georouter.policy.steps import Latency, Match, Nearest, Residency, Step, Weighted
from georouter.wire.names import parse_name
from georouter.wire.rdata import parse_rdata
from georouter.words.ids import RegionName, ServiceName, ZoneName

REGIONS, SERVICES, CHAINS, NAMES = 30, 1000, 10, 10_000
PLACES, RANGES4, RANGES6 = 60_000, 600_000, 300_000

T = TypeVar("T")


def synthetic() -> GeoMap:
    rng = np.random.default_rng(1)
    lat = np.degrees(np.arcsin(rng.uniform(-0.9, 0.95, PLACES))).astype(np.float32)
    lon = rng.uniform(-180, 180, PLACES).astype(np.float32)
    lat[0] = lon[0] = np.nan
    countries = np.array(["", "DE", "FR", "US", "SG", "BR", "JP", "IN"], dtype="S2")
    country = countries[rng.integers(1, 8, PLACES)]
    country[0] = b""

    def starts(count: int, top: int, dtype: type) -> np.ndarray:
        return np.unique(np.append(rng.integers(0, top, count, dtype=np.uint64), 0)).astype(dtype)

    starts4 = starts(RANGES4, 1 << 32, np.uint32)
    starts6 = starts(RANGES6, 1 << 62, np.uint64)
    return GeoMap(
        starts4=starts4,
        place4=rng.integers(0, PLACES, len(starts4)).astype(np.uint32),
        starts6=starts6,
        place6=rng.integers(0, PLACES, len(starts6)).astype(np.uint32),
        places=Places(
            country=country,
            continent=np.array([""] * PLACES, dtype="S2"),
            subdivision=np.array([""] * PLACES, dtype="S6"),
            city=np.zeros(PLACES, dtype=np.int32),
            lat=lat,
            lon=lon,
            asn=np.zeros(PLACES, dtype=np.uint32),
            network_set=np.zeros(PLACES, dtype=np.int32),
        ),
        info=MapInfo("synthetic", 0, frozenset({Kind.COUNTRY})),
    )


def builtin() -> GeoMap:
    from georouter.sources.geo_files import load_map  # noqa: PLC0415

    return load_map((), None)


def chain(number: int, names: list[RegionName]) -> tuple[Step, ...]:
    if number == 0:
        fence = Residency(Match(countries=("DE", "FR")), frozenset(names[::2]))
        return (fence, Nearest())
    if number < 5:
        return (Latency(tolerance_ms=float(number)),)
    return (Nearest(tolerance_km=number * 10.0), Weighted({names[number]: 3.0}))


def make_policy() -> Policy:
    dice = random.Random(2)
    regions = {
        RegionName(f"r{i}"): Region(
            RegionName(f"r{i}"),
            Location(dice.uniform(-40, 60), dice.uniform(-120, 150)),
            (Endpoint(f"192.0.2.{i + 1}", 4), Endpoint(f"2001:db8::{i + 1:x}", 6)),
        )
        for i in range(REGIONS)
    }
    names = list(regions)
    services = {
        ServiceName(f"s{i}"): Service(ServiceName(f"s{i}"), tuple(names), chain(i % CHAINS, names))
        for i in range(SERVICES)
    }
    return Policy(regions=regions, services=services, zones={ZoneName("example.com"): make_zone()})


def make_zone() -> Zone:
    apex = parse_name("example.com")
    records = [RecordSet(apex, 2, 3600, (parse_rdata("NS", "ns1", apex)[1],))]
    for i in range(NAMES):
        rdata = parse_rdata("A", f"10.0.{i >> 8}.{i & 255}", apex)[1]
        records.append(RecordSet(parse_name(f"h{i}.example.com"), 1, 300, (rdata,)))
    steered = tuple(Steered(parse_name(f"s{i}.example.com"), ServiceName(f"s{i}")) for i in range(SERVICES))
    return Zone(
        ZoneName("example.com"), apex, Soa("ns1.example.com", "root.example.com"), tuple(records), steered
    )


def timed(what: str, work: Callable[[], T]) -> T:
    gc.collect()
    began = time.perf_counter()
    made = work()
    print(f"{what:58} {1000 * (time.perf_counter() - began):9.1f} ms")
    return made


def world(policy: Policy, *down: str, forced: str = "") -> World:
    facts = {
        name: RegionFacts(State.DOWN, Effective.DOWN)
        if name in down
        else RegionFacts(State.UP, Effective.DRAINED, forced=Effective.DRAINED)
        if name == forced
        else RegionFacts(State.UP, Effective.UP)
        for name in policy.regions
    }
    return World(regions=facts)


def main() -> None:
    geo = timed("map", builtin if sys.argv[1:] == ["builtin"] else synthetic)
    policy = timed(f"policy: {NAMES} names parsed, {SERVICES} services", make_policy)
    up = world(policy)
    made = timed(
        f"plan: {CHAINS} chains, {REGIONS} regions, {len(geo.places)} places", lambda: plan(policy, geo, up)
    )
    for index, table in enumerate(made.steered.tables):
        ranges = f"{len(table.map.v4.starts)} + {len(table.map.v6.starts)} ranges"
        print(f"  table {index}: {len(table.rankings)} rankings, {ranges}")
    data = timed("plan pickled", lambda: pickle.dumps(made))
    print(f"  {len(data) / 1e6:.1f} MB")
    timed("plan unpickled", lambda: pickle.loads(data))
    one = timed("publish: first", lambda: publish(made, up, 1))
    two = timed("publish: a region goes down", lambda: publish(made, world(policy, "r3"), 2, one))
    timed("publish: and returns", lambda: publish(made, up, 3, two))
    timed("publish: a region is drained", lambda: publish(made, world(policy, forced="r3"), 4, one))
    half = [f"r{i}" for i in range(0, REGIONS, 2)]
    timed("publish: half of the regions down", lambda: publish(made, world(policy, *half), 5, one))
    timed("publish: all regions down", lambda: publish(made, world(policy, *policy.regions), 6, one))
    timed("publish: nothing changed", lambda: publish(made, up, 7, one))


if __name__ == "__main__":
    main()
