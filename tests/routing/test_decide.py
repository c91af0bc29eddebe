"""The decision with its trace."""

import pytest

from georouter.answers.layout import Reason
from georouter.facts.world import World
from georouter.policy.model import AllDown
from georouter.policy.steps import Match, Nearest, Residency, Weighted
from georouter.routing.decide import Family, decide
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import known_of
from tests.routing.scenes import (
    ASHBURN,
    BERLIN,
    DOWN,
    LONDON,
    names,
    order,
    places_of,
    policy_of,
    service_of,
)

FENCE = Residency(Match(groups=("EU",)), frozenset(names("eu-west", "eu-central")))


def test_trace_follows_the_regions_through_the_chain() -> None:
    """What comes out of one step goes into the next, and the ranking is what comes out last."""
    service = service_of(FENCE, Nearest(), Weighted({}))
    decision = decide(policy_of(service), service, places_of(BERLIN), World())
    assert [trace.step for trace in decision.steps] == ["residency", "nearest", "weighted"]
    assert decision.steps[0].before == order("us-east us-west eu-west eu-central ap-south")
    assert decision.steps[0].after == decision.steps[1].before == order("eu-west eu-central")
    assert decision.steps[0].dropped == decision.dropped == names("us-east", "us-west", "ap-south")
    assert decision.steps[2].after == decision.tiers == order("eu-central", "eu-west")


def test_families_are_decided_apart() -> None:
    """AAAA comes from the nearest region that has it."""
    service = service_of(Nearest())
    policy = policy_of(service, addresses={"eu-central": ["2001:db8::1"]})
    decision = decide(policy, service, places_of(LONDON), World())
    assert decision.answers() == {"eu-west"}
    assert decision.answers(Family.A) == {"eu-west"}
    assert decision.answers(Family.AAAA) == {"eu-central"}


def test_facts_and_last_known_come_from_the_world() -> None:
    """Health by name; the last known regions of this service only."""
    service = service_of(Nearest(), when_all_down=AllDown.LAST_KNOWN)
    world = World(
        dict.fromkeys(service.regions, DOWN),
        last_known={
            service.name: known_of("us-west"),
            ServiceName("other"): known_of("eu-west"),
        },
    )
    decision = decide(policy_of(service), service, places_of(ASHBURN), world)
    assert decision.facts == (DOWN,) * 5
    assert decision.answers() == {"us-west"}
    assert decision.selections[Family.ANY].reason is Reason.ALL_DOWN


def test_failover_is_visible() -> None:
    """The nearest region is down, so the next one answers, and the reason says so."""
    service = service_of(Nearest())
    world = World({RegionName("eu-west"): DOWN})
    decision = decide(policy_of(service), service, places_of(LONDON), world)
    assert decision.answers() == {"eu-central"}
    assert decision.selections[Family.ANY].reason is Reason.FAILOVER


def test_decides_for_one_place_only() -> None:
    """Many places are the compiler's business."""
    service = service_of()
    with pytest.raises(ValueError, match="one place, not 2"):
        decide(policy_of(service), service, places_of(LONDON, BERLIN), World())
