"""What steered names have in a copy, where nobody steers."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from georouter.compiler.defaults import Defaults
from georouter.compiler.steering import steer
from georouter.facts.world import World
from georouter.policy.model import AllDown, Binding, Endpoint, Region, Service
from georouter.policy.steps import (
    Failover,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Match,
    Nearest,
    Pin,
    Residency,
    Step,
    Sticky,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.policy.tenants import Tenancy
from georouter.wire.codes import type_text
from georouter.wire.rdata import rdata_text
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, region, service, tiny_map, zone
from tests.compiler.test_pins import directory

EU, EU2, US, AP = (RegionName(name) for name in ("eu", "eu2", "us", "ap"))
EUROPE = Match(continents=("EU",))
AMERICA = Match(continents=("NA",))


def fence(clients: Match, *regions: RegionName, **how: object) -> Residency:
    """A residency step."""
    return Residency(clients, frozenset(regions), **how)  # type: ignore[arg-type]


def of(made: Service, regions: Sequence[Region] = REGIONS, world: World | None = None) -> list[str]:
    """The default records of a service, as text."""
    rules = policy([zone("example.com", (), {"www": made.name})], [made], regions)
    steered = steer(rules, tiny_map(), world or World())
    found = Defaults(rules, steered).of(ServiceName(made.name))
    return [f"{type_text(kind)} {rdata_text(kind, item)}" for kind, items in found.items() for item in items]


def region_of(chain: Sequence[Step], **how: object) -> str:
    """The region whose addresses a default answer holds; empty without one."""
    found = of(service("web", chain=chain, **how))  # type: ignore[arg-type]
    for item in REGIONS:
        if found == [
            f"{kind} {end.address}" for kind, end in zip(("A", "AAAA"), item.endpoints, strict=True)
        ]:
            return str(item.name)
    assert found == []
    return ""


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ((), "eu"),
        ((Nearest(),), "eu"),
        ((Latency(),), "eu"),
        ((Failover(((US,), (EU,))),), "us"),
        ((Geo((GeoRule(EUROPE, ((EU2,),)), GeoRule(None, ((AP,),)))),), "ap"),
        ((Geo((GeoRule(EUROPE, ((EU2,),)),)),), "eu"),
        ((Failover(((EU, US, AP),)), Weighted({EU: 1, US: 3, AP: 3})), "us"),
        ((Failover(((EU, US, AP),)), Weighted({EU: 0, US: 0, AP: 0})), "eu2"),
        ((Failover(((EU, US),)), Sticky(), Weighted({EU: 1, US: 2})), "us"),
    ],
)
def test_the_answer_for_a_client_that_nobody_can_place(chain: Sequence[Step], expected: str) -> None:
    """A rule for everybody, else the service's own order; of equal regions the heaviest, then the first."""
    assert region_of(chain) == expected


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ((fence(EUROPE, EU2),), "eu2"),
        ((fence(EUROPE, EU, EU2), Failover(((US,), (EU2,)))), "eu2"),
        ((fence(EUROPE, EU, EU2), fence(AMERICA, EU2, US)), "eu2"),
        ((fence(EUROPE, EU), fence(AMERICA, US)), ""),
        ((fence(EUROPE, EU2, unplaced=Unplaced.ALLOW), Failover(((US,),))), "eu2"),
        ((fence(EUROPE, EU2, unplaced=Unplaced.DENY),), ""),
        ((fence(EUROPE, EU2, without_ecs=WithoutEcs.RESTRICT),), "eu2"),
        ((fence(EUROPE, EU2, without_ecs=WithoutEcs.DENY),), ""),
        ((fence(Match(networks=()), EU2, unplaced=Unplaced.ALLOW),), "eu2"),
        ((Pin(directory(acme=Tenancy(EU))),), ""),
    ],
)
def test_fences_hold_for_everybody(chain: Sequence[Step], expected: str) -> None:
    """Only what every client may get, those inside of a fence and those that nobody can place alike;
    and no tenant another one's home.
    """
    assert region_of(chain) == expected


def test_nothing_but_the_policy_counts() -> None:
    """Round trips of the node do not."""
    made = service("web", chain=[Latency()])
    assert of(made, world=World(rtt_ms={US: 0.1, EU: 900.0})) == of(made)


def test_several_addresses() -> None:
    """As many as an answer may hold, from the heaviest endpoint on."""
    ends = [Endpoint(f"192.0.2.{number}", 4, weight=float(number)) for number in (1, 2, 5, 3)]
    regions = (region("eu", *ends),)
    every = of(service("web", ["eu"]), regions)
    assert sorted(every) == ["A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.3", "A 192.0.2.5"]
    few = of(service("web", ["eu"], chain=[Limit(addresses=2)]), regions)
    assert few == ["A 192.0.2.5", "A 192.0.2.3"]
    both = of(service("web", ["eu", "us"], chain=[Limit(regions=2, addresses=8)]))
    assert both == ["A 192.0.2.1", "A 192.0.2.3", "AAAA 2001:db8::1", "AAAA 2001:db8::3"]


def test_hostnames_are_one_cname() -> None:
    """Whatever the type."""
    assert of(service("web", ["eu"]), (region("eu", "edge.example.net"),)) == ["CNAME edge.example.net."]
    mixed = (region("eu", "192.0.2.1"), region("us", "edge.example.net"))
    assert of(service("web", ["us", "eu"]), mixed) == ["CNAME edge.example.net."]
    assert of(service("web", ["eu", "us"]), mixed) == ["A 192.0.2.1"]


def test_one_family() -> None:
    """What a region does not have is not made up."""
    assert of(service("web", ["eu"]), (region("eu", "2001:db8::1"),)) == ["AAAA 2001:db8::1"]


def test_https_has_the_same_addresses() -> None:
    """As hints, where the binding wants them; nothing where there is no address."""
    plain, bare = Binding(1, b"\0", (), hints=True), Binding(2, b"\0", ((3, b"\1\xbb"),), hints=False)
    made = replace(service("web", ["eu"]), https=(plain, bare))
    assert of(made)[2:] == ['HTTPS 1 . ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"', 'HTTPS 2 . port="443"']
    shut = replace(made, chain=(fence(EUROPE, EU, unplaced=Unplaced.DENY),))
    assert of(shut) == []


def test_a_fallback_inside_the_fences() -> None:
    """Where no region of the service's own is left, it is what everybody gets, as it is without a copy."""
    made = service("web", ["eu", "us"], [fence(EUROPE, AP)], AllDown.FALLBACK, ["ap"])
    assert of(made) == ["A 192.0.2.4", "AAAA 2001:db8::4"]
