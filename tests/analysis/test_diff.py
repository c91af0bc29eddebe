"""What a change of policy does to traffic."""

import dataclasses

import pytest

from georouter.analysis.diff import Diff, Measured, diff
from georouter.analysis.measured import Queries
from georouter.analysis.traffic import Served, Side, address_space
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Match, Nearest, Residency
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
    assert {way.source for way in change.shift.ways} == {"ap"}
    assert found.moved == change.shift.moved == pytest.approx(change.shift.before[RegionName("ap")])
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
    assert found.changes[0].shift.newly_refused == pytest.approx(10 / 246)


def test_other_endpoints_are_told() -> None:
    """A region of the same name that stands elsewhere moves nobody, and yet every connection."""
    found = compared(rules(), rules(regions=(region("eu", "203.0.113.1"), *REGIONS[1:])))
    assert found.readdressed == ("eu",)
    assert found.matters
    assert found.moved == 0.0


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
    assert change.measured is not None
    assert change.measured.moved == pytest.approx(5 / 6)
    assert found.changes[1].measured is not None
    assert found.changes[1].measured.moved == 0.0


def test_names_that_the_log_does_not_have() -> None:
    """Nothing is said of them; without a log nothing at all."""
    cdn = Served(ServiceName("cdn"))
    found = compared(rules(), rules(), {(cdn, cdn): {(4, 0): 1}})
    assert {change.before: change.queries for change in found.changes} == {"web": 0, "cdn": 1}
    assert [change.measured is None for change in found.changes if change.before == "web"] == [True]
    assert compared(rules(), rules()).measured is None
