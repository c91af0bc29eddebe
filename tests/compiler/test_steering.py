import dataclasses

import numpy as np
import pytest

from georouter.answers.ranges import locate
from georouter.compiler.fences import MOST_FENCES
from georouter.compiler.steering import Made, freeze, rerank, steer, table_key
from georouter.facts.world import World
from georouter.policy.model import AllDown, Policy
from georouter.policy.steps import (
    Failover,
    Latency,
    Limit,
    Match,
    Nearest,
    Residency,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.routing.rank import restrict
from georouter.words.errors import PolicyError
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import (
    BERLIN,
    NOWHERE,
    PARIS,
    REGIONS,
    SINGAPORE,
    policy,
    region,
    service,
    tiny_map,
    world,
    zone,
)

EU, EU2, US, AP = (RegionName(name) for name in ("eu", "eu2", "us", "ap"))
FENCE = Residency(Match(groups=("EU",)), frozenset({EU, EU2}))


def test_sharing() -> None:
    """Equal steps and regions share a table; equal rules and TTLs, too, share the group."""
    services = [
        service("one", chain=[Nearest(5.0, {EU: 2.0, US: 1.0})]),
        service("same", chain=[Nearest(5.0, {US: 1.0, EU: 2.0})]),
        service("slow", chain=[Nearest(5.0, {EU: 2.0, US: 1.0})], ttl_s=60),
        service("weighted", chain=[Nearest(5.0, {EU: 2.0, US: 1.0}), Weighted({EU: 2.0})]),
        service("wide", chain=[Nearest(5.0, {EU: 2.0, US: 1.0}), Limit(2)]),
        service("known", chain=[Nearest(5.0, {EU: 2.0, US: 1.0})], when_all_down=AllDown.LAST_KNOWN),
        service("known2", chain=[Nearest(5.0, {EU: 2.0, US: 1.0})], when_all_down=AllDown.LAST_KNOWN),
        service("other", chain=[Nearest(6.0)]),
    ]
    made = steer(policy([zone("example.com")], services), tiny_map(), world())
    group = {str(name): number for name, number in made.group_of.items()}
    assert group["one"] == group["same"]
    assert len(set(group.values())) == 7
    assert len(made.tables) == 2
    assert {made.steerings[group[name]].table for name in ("one", "slow", "weighted", "wide", "known")} == {0}
    assert made.steerings[group["known"]].sole == "known"


def test_tables_with_the_same_ranges_share_them() -> None:
    """Two chains that rank alike keep one copy of the ranges."""
    services = [
        service("one", chain=[Failover(((EU,), (US,)))]),
        service("two", chain=[Failover(((US,), (EU,)))]),
        service("three", chain=[Nearest()]),
    ]
    made = steer(policy([zone("example.com")], services), tiny_map(), world())
    assert made.tables[0].map is made.tables[1].map
    assert made.tables[0].rankings != made.tables[1].rankings
    assert made.tables[2].map is not made.tables[0].map


def test_only_latency_is_ranked_anew() -> None:
    """New round trips touch tables with a latency step, and nothing else."""
    services = [service("near", chain=[Nearest()]), service("fast", chain=[Latency()])]
    rules = policy([zone("example.com")], services)
    rules = dataclasses.replace(rules, server=dataclasses.replace(rules.server, location=REGIONS[0].location))
    made = steer(rules, tiny_map(), world())
    moved = World(rtt_ms={EU: 200.0, EU2: 5.0})
    again = rerank(made, rules, tiny_map(), moved)
    assert again.tables[0] is made.tables[0]
    assert again.steerings is made.steerings
    before, after = (item.tables[1] for item in (made, again))
    berlin = locate(before.map.v4, BERLIN * 10 << 24)
    assert before.rankings[before.map.v4.values[berlin]].tiers[0] == (0,)
    berlin = locate(after.map.v4, BERLIN * 10 << 24)
    assert after.rankings[after.map.v4.values[berlin]].tiers[0] == (1,)


def test_tables_that_would_come_out_equal_are_taken() -> None:
    """Only what ranks otherwise is made anew: another step, a moved region, other round trips or map."""
    chains = {
        "near": [Nearest()],
        "fast": [Latency()],
        "fenced": [FENCE, Nearest()],
        "heavy": [Weighted({EU: 2.0})],
    }
    services = [service(name, chain=chain) for name, chain in chains.items()]
    rules = policy([zone("example.com")], services)
    rules = dataclasses.replace(rules, server=dataclasses.replace(rules.server, location=REGIONS[0].location))
    first = steer(rules, tiny_map(), world(), Made("ground"))

    def anew(rules: Policy, now: World | None = None, ground: str | None = "ground") -> list[str]:
        """The services whose tables were made, and are as if nothing had been known."""
        made = steer(rules, tiny_map(), now or world(), Made(ground, first.tables))
        plain = steer(rules, tiny_map(), now or world())
        for mine, whole in zip(made.tables, plain.tables, strict=True):
            assert (mine.map, mine.rankings, mine.fences) == (whole.map, whole.rankings, whole.fences)
            assert (mine.slots, mine.share.tolist()) == (whole.slots, whole.share.tolist())
        return [
            str(name)
            for name, group in made.group_of.items()
            if not any(made.tables[made.steerings[group].table] is table for table in first.tables)
        ]

    def changed(**changes: object) -> Policy:
        return dataclasses.replace(rules, **changes)  # type: ignore[arg-type]

    assert anew(rules) == []
    assert anew(rules, ground="other") == anew(rules, ground=None) == list(chains)
    assert anew(rules, World(rtt_ms={EU: 200.0, EU2: 5.0})) == ["fast"]
    one = dataclasses.replace(services[0], chain=(Nearest(5.0),))
    added = service("added", chain=[Nearest(7.0)])
    assert anew(changed(services={item.name: item for item in (added, one, *services[1:])})) == [
        "added",
        "near",
    ]
    home = dataclasses.replace(
        rules.regions[EU], location=dataclasses.replace(rules.regions[EU].location, lat=0.0)
    )
    assert anew(changed(regions={**rules.regions, EU: home})) == list(chains)
    weighty = dataclasses.replace(services[3], chain=(Weighted({EU: 5.0}),), ttl_s=7)
    assert anew(changed(services={**rules.services, weighty.name: weighty})) == []


def test_round_trips_that_are_known_are_ranked_once() -> None:
    """What was ranked anew between two loads is taken by the next one, too."""
    rules = policy([zone("example.com")], [service("fast", chain=[Latency()])])
    rules = dataclasses.replace(rules, server=dataclasses.replace(rules.server, location=REGIONS[0].location))
    moved = World(rtt_ms={EU: 200.0, EU2: 5.0})
    again = rerank(steer(rules, tiny_map(), world(), Made("ground")), rules, tiny_map(), moved, "ground")
    assert steer(rules, tiny_map(), moved, Made("ground", again.tables)).tables[0] is again.tables[0]
    assert rerank(again, rules, tiny_map(), moved, "ground").tables[0] is again.tables[0]
    assert rerank(again, rules, tiny_map(), moved).tables[0] is not again.tables[0]


def test_fence_tables() -> None:
    """Meets and restrictions do what sets do; every ranking lies in the fence the map says."""
    second = Residency(Match(countries=("FR", "SG")), frozenset({EU2, AP}), unplaced=Unplaced.DENY)
    rules = policy([zone("example.com")], [service("web", chain=[FENCE, second, Nearest()])])
    table = steer(rules, tiny_map(), world()).tables[0]
    fences = table.fences
    assert fences is not None
    fence_of = {}
    for place in range(6):
        ranking = table.map.v4.values[locate(table.map.v4, (place * 10 + 1) << 24)]
        fence_of[place] = fences.map.v4.values[locate(fences.map.v4, place * 10 << 24)]
        assert ranking < table.mapped
        own = fences.restrict[ranking * fences.count + fence_of[place]]
        assert own == ranking
    allowed = {}
    for place, fence in fence_of.items():
        ranking = table.map.v4.values[locate(table.map.v4, (place * 10 + 1) << 24)]
        allowed[fence] = table.rankings[ranking].allowed
    assert allowed[fence_of[BERLIN]] == {0, 1}
    assert allowed[fence_of[PARIS]] == {1}
    assert allowed[fence_of[SINGAPORE]] == {1, 3}
    assert allowed[fence_of[NOWHERE]] == frozenset()
    assert fences.bottom == fence_of[NOWHERE]
    assert fences.without_ecs == -1
    for left in range(fences.count):
        for right in range(fences.count):
            both = fences.meet[left * fences.count + right]
            assert both == fences.meet[right * fences.count + left]
            if left in allowed and right in allowed:
                assert allowed.setdefault(both, allowed[left] & allowed[right]) == (
                    allowed[left] & allowed[right]
                )
    assert len(table.rankings) > table.mapped
    for ranking, ranked in enumerate(table.rankings):
        for fence in range(fences.count):
            cut = table.rankings[fences.restrict[ranking * fences.count + fence]]
            assert cut == restrict(ranked, allowed[fence])


@pytest.mark.parametrize(
    ("ways", "left"),
    [
        ((WithoutEcs.RESOLVER,), None),
        ((WithoutEcs.RESTRICT,), {0, 1}),
        ((WithoutEcs.RESOLVER, WithoutEcs.DENY), set()),
    ],
)
def test_without_ecs(ways: tuple[WithoutEcs, ...], left: set[int] | None) -> None:
    """What a query without client subnet may get is a fence of its own, also where no place has it."""
    chain = [dataclasses.replace(FENCE, clients=Match(countries=("BR",)), without_ecs=way) for way in ways]
    table = steer(policy([zone("example.com")], [service("web", chain=chain)]), tiny_map(), world()).tables[0]
    fences = table.fences
    assert fences is not None
    ranking = table.map.v4.values[locate(table.map.v4, SINGAPORE * 10 << 24)]
    if left is None:
        assert fences.without_ecs == -1
    else:
        cut = fences.restrict[ranking * fences.count + fences.without_ecs]
        assert table.rankings[cut].allowed == left


def test_too_many_fences_are_refused() -> None:
    """Fences that overlap in every way are an operator's error, named with their service."""
    names = [RegionName(f"r{number}") for number in range(12)]
    regions = [dataclasses.replace(region("eu", "192.0.2.1"), name=name) for name in names]
    wide = tiny_map()
    count = len(names)
    places = dataclasses.replace(
        wide.places,
        **{
            column: np.resize(getattr(wide.places, column), count)
            for column in ("continent", "subdivision", "city", "lat", "lon", "asn", "network_set")
        },
        country=np.array([f"A{chr(65 + number)}" for number in range(count)], dtype="S2"),
    )
    geo = dataclasses.replace(
        wide,
        places=places,
        starts4=np.arange(count, dtype=np.uint32),
        place4=np.arange(count, dtype=np.uint32),
    )
    chain = [
        Residency(Match(countries=(f"A{chr(65 + number)}",)), frozenset(names) - {name}, Unplaced.ALLOW)
        for number, name in enumerate(names)
    ]
    rules = policy([zone("example.com")], [service("web", regions=names, chain=chain)], regions)
    with pytest.raises(PolicyError, match=f"services.web.chain: .*more than {MOST_FENCES}"):
        steer(rules, geo, world())


def test_freeze() -> None:
    """Frozen values are equal when the values are, whatever the order of mappings."""
    assert freeze(Nearest(1.0, {EU: 1.0, US: 2.0})) == freeze(Nearest(1.0, {US: 2.0, EU: 1.0}))
    assert freeze(Nearest(1.0)) != freeze(Nearest(2.0))
    assert freeze(Nearest(1.0)) != freeze(Latency(1.0))
    assert hash(freeze(([1], {"a": (2,)}))) == hash(freeze(((1,), {"a": [2]})))
    with pytest.raises(TypeError, match="cannot be compared"):
        freeze({1, 2})
    assert table_key(service("a")) == table_key(service("b"))


def test_hostname_slots() -> None:
    """Hostnames answer every type; addresses only their own; `usable` is None when all have it."""
    regions = [region("eu", "192.0.2.1"), region("us", "edge.example.net")]
    made = steer(
        policy([zone("example.com")], [service("web", regions=("eu", "us"))], regions), tiny_map(), world()
    )
    group = made.steerings[made.group_of[ServiceName("web")]]
    assert group.slots == {0, 1, 2}
    assert group.usable == (None, frozenset({1}), None)
