"""Proofs over random addresses: what is compiled and served is what `decide` decides."""

from dataclasses import replace
from ipaddress import ip_address

import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.answers.layout import REASONS
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.failover import FailoverRule
from georouter.facts.plan import CapacityPlan, Shares, Spread
from georouter.facts.ramp import RampRule
from georouter.facts.world import Ramping, Standing, World
from georouter.geo.map import GeoMap
from georouter.policy.model import AllDown, Policy, Service
from georouter.policy.steps import (
    Capacity,
    Failover,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Match,
    Nearest,
    Residency,
    Step,
    Sticky,
    Unplaced,
    Weighted,
)
from georouter.routing.decide import Decision, Family, decide
from georouter.routing.scene import universe
from georouter.routing.select import rule_of
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, Asker, answers, policy, region, service, tiny_map, world, zone
from tests.routing.chains import (
    NAMES,
    fence_of,
    managed,
    managed_orders,
    services,
    sites,
    standing,
    worlds,
)
from tests.routing.scenes import Spot, policy_of

EU, EU2, US, AP, AU = (RegionName(name) for name in ("eu", "eu2", "us", "ap", "au"))
PARTS = (
    *REGIONS[:3],
    region("ap", "192.0.2.4", "192.0.2.44"),
    region("au", "198.51.100.5", "2001:db8::5"),
)
ADDRESS = {
    "192.0.2.1": EU,
    "192.0.2.2": EU2,
    "192.0.2.3": US,
    "192.0.2.4": AP,
    "192.0.2.44": AP,
    "198.51.100.5": AU,
    "2001:db8::1": EU,
    "2001:db8::2": EU2,
    "2001:db8::3": US,
    "2001:db8::5": AU,
}
ORDER = ((EU,), (US,), (EU2,), (AP,))
FENCE = Residency(Match(groups=("EU",)), frozenset({EU, EU2}))
CHAINS: dict[str, tuple[Step, ...]] = {
    "plain": (),
    "nearest": (Nearest(),),
    "fenced": (FENCE, Nearest()),
    "fenced twice": (
        FENCE,
        Residency(Match(countries=("FR", "SG")), frozenset({EU2, AP}), unplaced=Unplaced.DENY),
        Latency(10.0),
    ),
    "weighted": (Weighted({EU: 3.0, EU2: 1.0, US: 0.0}),),
    "wide": (Nearest(tolerance_km=2000.0), Limit(regions=2, addresses=3)),
    "sticky": (Weighted({EU: 3.0, EU2: 1.0, US: 0.0}), Sticky(), Limit(regions=2)),
    "managed": (Failover(ORDER, FailoverRule(tuple(name for (name,) in ORDER))),),
    "managed inside a fence": (FENCE, Failover(ORDER, FailoverRule(tuple(name for (name,) in ORDER)))),
    "ramp": (Weighted({EU: 3.0, US: 0.0}, RampRule(EU2, 0.3, 1.0, 60.0)),),
    "ramp and more": (FENCE, Weighted({}, RampRule(EU2, 0.5, 1.0, 60.0)), Sticky(), Limit(regions=2)),
    "geo": (
        Geo(
            (
                GeoRule(Match(continents=("AS",)), ((AP,),)),
                GeoRule(Match(countries=("DE",)), ((EU, EU2), (US,))),
            )
        ),
        Failover(((EU2,), (EU,))),
    ),
}


def stood(now: World, active: RegionName, *, held: bool = False) -> World:
    """The same world with this region active."""
    standbys = tuple(name for (name,) in ORDER if name != active)
    return replace(now, standings={ServiceName("web"): Standing(active, standbys, held)})


WORLDS = (
    world(),
    world(down=["eu"]),
    world(down=["eu", "eu2"]),
    world(down=["eu", "eu2", "us", "ap"]),
    world(drained=["eu", "ap"], down=["us"]),
    world(unknown=["eu", "eu2", "us", "ap", "au"]),
    world(down=["eu", "eu2", "us", "ap", "au"], last_known={"web": ["us"]}),
    stood(world(), US),
    stood(world(down=["us"]), US, held=True),
    stood(world(down=["us", "eu"]), EU2),
    stood(world(unknown=["us"], drained=["eu2", "ap"]), EU2),
    stood(world(down=["eu", "eu2", "us", "ap"]), EU2),
)


def made(chain: tuple[Step, ...], when_all_down: AllDown) -> Policy:
    """One steered name over four regions and a fallback."""
    web = service("web", chain=chain, when_all_down=when_all_down, fallback=("au",))
    return policy([zone("example.com", (), {"www": "web"})], [web], PARTS)


def decided(rules: Policy, geo: GeoMap, address: str, now: World) -> Decision:
    """The decision for the place of an address, found without the compiler."""
    number = int(ip_address(address))
    starts = geo.starts4.tolist()
    row = int(geo.place4[max(index for index, start in enumerate(starts) if start <= number)])
    return decide(rules, rules.services[ServiceName("web")], geo.places.row(row), now)


@pytest.mark.parametrize("when_all_down", list(AllDown))
@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_served_is_decided(chain: tuple[Step, ...], when_all_down: AllDown) -> None:
    """For every place and many worlds the answers are exactly the decision's candidates."""
    geo = tiny_map()
    rules = made(chain, when_all_down)
    compiled = plan(rules, geo, WORLDS[0])
    published = None
    for generation, now in enumerate(WORLDS):
        published = publish(compiled, now, generation, published)
        asker = Asker(published.snapshot)
        base = published.snapshot.directory.layout.services[0].base
        for place in range(len(geo.places)):
            address = str(ip_address((place * 10 << 24) + 5))
            decision = decided(rules, geo, address, now)
            for family in (Family.A, Family.AAAA):
                _check(asker, decision, family, address, base)


def _check(asker: Asker, decision: Decision, family: Family, address: str, base: int) -> None:
    """Ask at many times, so that every candidate gets its turn."""
    selection = decision.selections[family]
    wanted = {tuple(decision.regions[region] for region in item.regions) for item in selection.candidates}
    seen = set()
    for turn in range(24 if len(wanted) > 1 else 3):
        before = list(asker.counters)
        neighbour = ip_address(int(ip_address(address)) + (turn << 8))  # a sticky one never moves
        response = asker.ask(
            "www.example.com.",
            family.value,
            subnet=f"{neighbour}/32",
            source=str(neighbour),
            now=1000.0 + 30.0 * turn,
        )
        regions = tuple(dict.fromkeys(ADDRESS[line.split()[2]] for line in answers(response)))
        counted = [
            index - base for index in range(base, len(before)) if asker.counters[index] != before[index]
        ]
        alone = [item.cohort is not None for item in selection.candidates] == [True]
        if selection.candidates and (regions or not alone):
            assert regions in wanted
            where = decision.regions.index(regions[0])
            reasons = [item.reason for item in selection.candidates if item.regions[0] == where]
        else:
            assert not regions
            assert (response.rcode() == dns.rcode.SERVFAIL) == selection.servfail
            where, reasons = len(decision.regions), [selection.reason]
        assert counted in [[where * REASONS + reason] for reason in reasons]
        seen.add(regions)
    if selection.candidates and len(wanted) > 1:
        assert len(seen) > 1


STARTS = st.lists(
    st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 5)), min_size=1, max_size=30, unique_by=lambda x: x[0]
)


@settings(max_examples=60, deadline=None)
@given(
    ranges=STARTS,
    picks=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8),
    chain=st.sampled_from(sorted(CHAINS)),
    now=st.sampled_from(WORLDS),
)
def test_random_maps(ranges: list[tuple[int, int]], picks: list[int], chain: str, now: World) -> None:
    """On any map, any address gets what is decided for its place, and so do the ends of its scope."""
    starts = [0, *(start for start, _ in sorted(ranges))]
    geo = tiny_map(starts, [0, *(place for _, place in sorted(ranges))])
    rules = made(CHAINS[chain], AllDown.SERVE_ALL)
    asker = Asker(publish(plan(rules, geo, now), now, 1).snapshot)
    for pick in picks:
        address = str(ip_address(pick))
        response = asker.ask("www.example.com.", subnet=f"{address}/32", source=address)
        scope = response.options[0].scopelen  # type: ignore[attr-defined]
        first = pick >> (32 - scope) << (32 - scope) if scope else 0
        for number in {pick, first, first | (1 << (32 - scope)) - 1}:
            decision = decided(rules, geo, str(ip_address(number)), now)
            wanted = decision.selections[Family.A].candidates
            regions = tuple(dict.fromkeys(ADDRESS[line.split()[2]] for line in answers(response)))
            assert regions in {tuple(decision.regions[r] for r in item.regions) for item in wanted} or (
                not wanted and not regions
            )


@pytest.mark.parametrize("when_all_down", list(AllDown))
@pytest.mark.parametrize("now", WORLDS)
def test_a_fence_is_never_crossed(when_all_down: AllDown, now: World) -> None:
    """Whatever is down and however wide the client's block: Europeans only get Europe."""
    rules = made(CHAINS["fenced"], when_all_down)
    asker = Asker(publish(plan(rules, tiny_map(), now), now, 1).snapshot)
    for subnet in ("10.1.0.0/16", "20.0.0.0/8", "8.0.0.0/5", "0.0.0.0/1", "16.0.0.0/4", "0.0.0.0/2"):
        for kind in ("A", "AAAA"):
            response = asker.ask("www.example.com.", kind, subnet=subnet)
            assert {ADDRESS[line.split()[2]] for line in answers(response)} <= {EU, EU2}


NETWORKS = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(2000)]


def homes(asker: Asker, kind: str = "A", at: float = 1000.0) -> list[RegionName]:
    """The region of each network, read off its answer."""
    return [
        ADDRESS[answers(asker.ask("www.example.com.", kind, subnet=block, now=at))[0].split()[2]]
        for block in NETWORKS
    ]


@pytest.mark.parametrize("lost", ["eu", "eu2", "us", "ap"])
def test_sticky_clients_move_only_when_they_must(lost: str) -> None:
    """A loss moves the region's own clients and nobody else; its return undoes it; time moves nobody."""
    rules = made((Sticky(), Weighted({EU: 3.0, AP: 2.0})), AllDown.SERVE_ALL)
    compiled = plan(rules, tiny_map(), world())
    first = publish(compiled, world(), 1)
    whole = homes(Asker(first.snapshot))
    assert homes(Asker(first.snapshot), at=90_000.0) == whole
    gone = publish(compiled, world(down=[lost]), 2, first)
    after = homes(Asker(gone.snapshot))
    assert {old for old, new in zip(whole, after, strict=True) if old != new} == {lost}
    assert lost not in after
    back = publish(compiled, world(), 3, gone)
    assert homes(Asker(back.snapshot)) == whole
    for name, weight in {EU: 3, EU2: 1, US: 1, AP: 2}.items():
        assert whole.count(name) / len(whole) == pytest.approx(weight / 7, abs=0.03)


def test_sticky_addresses_of_both_families_agree() -> None:
    """A and AAAA of one client are of one region, which has both."""
    compiled = plan(
        made((Sticky(), Geo((GeoRule(None, ((EU, EU2, US),)),))), AllDown.SERVE_ALL), tiny_map(), world()
    )
    asker = Asker(publish(compiled, world(), 1).snapshot)
    assert homes(asker, "A") == homes(asker, "AAAA")


def test_a_sticky_scope_is_never_wider_than_the_network() -> None:
    """The scope is the chosen prefix, or the place's own where that is longer."""
    geo = tiny_map([0, 10 << 24, (10 << 24) + 64], [0, 1, 2])
    rules = made((Nearest(), Sticky(ipv4=20, ipv6=48)), AllDown.SERVE_ALL)
    asker = Asker(publish(plan(rules, geo, world()), world(), 1).snapshot)
    for subnet, scope in {"200.0.0.0/24": 20, "10.0.0.0/24": 26, "2500::/64": 48, "200.0.0.0/8": 20}.items():
        response = asker.ask("www.example.com.", subnet=subnet)
        assert response.options[0].scopelen == scope  # type: ignore[attr-defined]


PARTS_OF_ALL = st.lists(st.floats(0.05, 1.0), min_size=len(NAMES), max_size=len(NAMES))


@settings(max_examples=80, deadline=None)
@given(
    services,
    sites,
    worlds,
    PARTS_OF_ALL,
    st.none() | st.tuples(managed_orders, st.integers(0, 5), st.booleans()),
    st.booleans(),
)
def test_whatever_acts_on_regions_compiled_is_decided_and_inside_the_fence(  # noqa: PLR0917 - all that acts
    web: Service,
    at: dict[str, tuple[float, float]],
    now: World,
    parts: list[float],
    failover: tuple[list[RegionName], int, bool] | None,
    sticky: bool,
) -> None:
    """Overrides (a region outside forced up), sticky choices, any capacity plan, any ramp and any standing of
    a failover: every place of the map gets the candidates of `decide`, and none from outside its fence.
    The way there and back is the identity.
    """
    ramp = Weighted({}, RampRule(web.regions[0], 0.0, 1.0, 60.0))
    more = (*((Sticky(),) if sticky else ()), *((ramp,) if parts[0] > 0.5 else ()), Capacity())
    web = replace(web, chain=(*web.chain, *more))
    standings = {}
    if failover is not None:
        order, active, held = failover
        web = managed(web, order)
        standings[web.name] = standing(web, active, held=held)
    www = zone("example.com", (), {"www": "web"})
    rules = replace(policy_of(web, at), zones={www.name: www})
    geo, quiet = tiny_map(), World(rtt_ms=now.rtt_ms)
    compiled = plan(rules, geo, quiet)
    names, weights = universe(web), rule_of(web).weights
    table = compiled.steered.tables[0]
    shares = {
        ranked.tiers: tuple(
            parts[column] if any(column in tier for tier in ranked.tiers) else 0.0
            for column in range(len(names))
        )
        for ranked in table.rankings
    }
    planned = CapacityPlan(
        0.0, frozenset(), Spread({(names, weights, rule_of(web).alone): Shares.of(len(names), shares)})
    )
    ramps = {web.name: Ramping(parts[-1])} if web.ramp else {}
    now = replace(now, capacity=planned, standings=standings, ramps=ramps)
    before = publish(compiled, quiet, 1)
    there = publish(compiled, now, 2, before)
    for row in range(len(geo.places)):
        decision = decide(rules, web, geo.places.row(row), now)
        spot = Spot(geo.places.country[row].decode(), continent=geo.places.continent[row].decode())
        assert decision.answers() <= fence_of(web, spot)
        ranking = table.rankings.index(decision.ranked)
        for slot, family in ((0, Family.A), (1, Family.AAAA)):
            made = there.states[0].selections[slot]
            assert made.distinct[made.of[ranking]] == decision.selections[family]
            regions = {name for item in made.distinct[made.of[ranking]].candidates for name in item.regions}
            assert {names[region] for region in regions} <= fence_of(web, spot)
    back = publish(compiled, quiet, 3, there)
    assert back.snapshot.bodies == before.snapshot.bodies
    for old, new in zip(before.states[0].selections, back.states[0].selections, strict=True):
        assert [old.distinct[item] for item in old.of] == [new.distinct[item] for item in new.of]
