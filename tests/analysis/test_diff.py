"""What a change of policy does to traffic."""

import dataclasses

import pytest

from georouter.analysis.diff import Diff, Measured, diff
from georouter.analysis.measured import Queries
from georouter.analysis.traffic import Served, Side, address_space
from georouter.facts.ramp import RampRule
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Capacity, Match, Nearest, Residency, Weighted
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, region, service, tiny_map, world, zone

NAMES = {"www": "web", "api": "web", "static": "cdn"}
WEB = service("web", chain=[Nearest()])
CDN = service("cdn", regions=("eu",))


def rules(
    services: tuple[Service, ...] = (WEB, CDN),
    names: dict[str, str] | None = None,
    regions: tuple[object, ...] = REGIONS,
) -> Policy:
    """A zone with steered names."""
    return policy([zone("example.com", (), names or NAMES)], services, regions)  # type: ignore[arg-type]


def compared(old: Policy, new: Policy, queries: Queries | None = None) -> Diff:
    """Both on the tiny map with every region up."""
    geo = tiny_map()
    return diff(Side(old, geo, world()), Side(new, geo, world()), address_space(geo, geo), queries)


def test_nothing_changes() -> None:
    """The same policy moves nobody."""
    found = compared(rules(), rules())
    assert not found.matters
    assert found.moved == 0.0
    assert {change.names for change in found.changes} == {
        ("www.example.com", "api.example.com"),
        ("static.example.com",),
    }


def test_a_region_leaves_a_service() -> None:
    """Its clients move, under every name of the service; the most moved come first."""
    less = dataclasses.replace(WEB, regions=tuple(map(RegionName, ("eu", "eu2", "us"))), ttl_s=60)
    found = compared(rules(), rules((less, CDN)))
    change = found.changes[0]
    assert change.names == ("www.example.com", "api.example.com")
    assert (change.ttl_before_s, change.ttl_after_s) == (30, 60)
    assert {way.source for way in change.effect.shift.ways} == {"ap"}
    assert (
        found.moved
        == change.effect.shift.moved
        == pytest.approx(change.effect.shift.before[RegionName("ap")])
    )
    assert not found.changes[1].matters


def test_names_come_go_and_change_their_service() -> None:
    """A lost name moves all of its clients; a name under another service is compared across services."""
    found = compared(rules(), rules(names={"www": "cdn", "static": "cdn", "new": "web"}))
    assert found.lost == ("api.example.com",)
    assert found.won == ("new.example.com",)
    assert found.moved == 1.0
    assert (found.changes[0].before, found.changes[0].after) == ("web", "cdn")


def test_a_fence_is_told() -> None:
    """Newly refused clients matter, however few they are."""
    fenced = service(
        "web", chain=[Residency(Match(countries=("DE",)), frozenset({RegionName("none")})), Nearest()]
    )
    found = compared(rules(), rules((fenced, CDN)))
    assert found.changes[0].effect.shift.newly_refused == pytest.approx(10 / 246)


def test_other_endpoints_are_told() -> None:
    """A region of the same name that stands elsewhere moves nobody, and yet every connection."""
    found = compared(rules(), rules(regions=(region("eu", "203.0.113.1"), *REGIONS[1:])))
    assert found.readdressed == ("eu",)
    assert found.matters
    assert found.moved == 0.0


RAMP = RampRule(RegionName("ap"), 0.1, 0.5, 3600.0)


def test_a_ramp_is_compared_at_both_ends() -> None:
    """Where it begins, and where it is to end; the larger movement counts."""
    ramping = service("web", chain=[Nearest(), Weighted({}, RAMP)])
    plain = service("web", chain=[Nearest()])
    change = compared(rules((plain, CDN)), rules((ramping, CDN))).changes[0]
    assert change.end is not None
    first, last = (effect.shift.after[RegionName("ap")] for effect in change.effects)
    there = change.effect.shift.before[RegionName("ap")]
    assert (first, last) == (pytest.approx(0.1 * there), pytest.approx(0.5 * there))
    assert change.moved == change.effect.moved == pytest.approx(0.9 * there)


def test_a_ramp_that_goes_on_as_it_was_moves_nobody() -> None:
    """Neither a quicker one; one with a farther end is different there alone."""
    old = rules((service("web", chain=[Weighted({}, RAMP)]), CDN))
    quick = dataclasses.replace(RAMP, over_s=60.0)
    assert not compared(old, rules((service("web", chain=[Weighted({}, quick)]), CDN))).matters
    far = dataclasses.replace(RAMP, target=0.8)
    change = compared(old, rules((service("web", chain=[Weighted({}, far)]), CDN))).changes[0]
    assert change.effect.moved == 0.0
    assert change.moved == pytest.approx(0.3)


def test_a_ramp_moves_others_by_way_of_the_plan() -> None:
    """Services in one plan are all compared at a ramp's end: what it brings to a region pushes others out."""
    regions = [dataclasses.replace(item, capacity=100.0) for item in REGIONS]
    slow = Capacity(steady_limit=1.0)
    web = dataclasses.replace(
        service("web", regions=("eu", "us", "ap"), chain=[Weighted({}, RAMP)]), demand=90.0
    )
    near = dataclasses.replace(service("cdn", chain=[Nearest(), slow]), demand=150.0)
    old = rules(
        (dataclasses.replace(web, chain=(Weighted({RegionName("ap"): 0.0}),)), near), regions=tuple(regions)
    )
    found = compared(old, rules((web, near), regions=tuple(regions)))
    assert found.planned
    effects = {change.before: change.effects for change in found.changes}
    assert [len(item) for item in effects.values()] == [2, 2]
    assert effects[ServiceName("cdn")][1].moved > effects[ServiceName("cdn")][0].moved
    assert found.unplanned == ((), ())


def test_demand_weighs() -> None:
    """The part of the stated demand that moves; None without one."""
    assert compared(rules(), rules()).demand is None
    heavy = dataclasses.replace(CDN, demand=900.0)
    light = dataclasses.replace(WEB, demand=100.0)
    gone = dataclasses.replace(light, regions=(RegionName("us"),))
    found = compared(rules((light, heavy)), rules((gone, heavy)))
    assert found.demand == pytest.approx(0.1 * found.moved)


def test_measured_demand() -> None:
    """What the queries of a log do, by name and together; those for lost names have moved."""
    web, cdn = Served(ServiceName("web")), Served(ServiceName("cdn"))
    less = dataclasses.replace(WEB, regions=tuple(map(RegionName, ("eu", "eu2", "us"))))
    here, far = (4, 10 << 24), (4, 50 << 24)
    queries = {(web, web): {here: 1, far: 5}, (cdn, cdn): {here: 12}, (web, None): {here: 2}}
    found = compared(rules(), rules((less, CDN)), queries)
    assert found.measured == Measured(queries=20, lost=2, moved=pytest.approx(7 / 20))
    change = found.changes[0]
    assert (change.before, change.queries) == ("web", 6)
    assert change.effect.measured is not None
    assert change.effect.measured.moved == pytest.approx(5 / 6)
    assert found.changes[1].effect.measured is not None
    assert found.changes[1].effect.measured.moved == 0.0


def test_names_that_the_log_does_not_have() -> None:
    """Nothing is said of them; without a log nothing at all."""
    cdn = Served(ServiceName("cdn"))
    found = compared(rules(), rules(), {(cdn, cdn): {(4, 0): 1}})
    assert {change.before: change.queries for change in found.changes} == {"web": 0, "cdn": 1}
    assert [change.effect.measured is None for change in found.changes if change.before == "web"] == [True]
    assert compared(rules(), rules()).measured is None
