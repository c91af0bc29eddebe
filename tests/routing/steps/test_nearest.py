"""Distance, bias and tolerance."""

from dataclasses import replace

import pytest

from georouter.policy.steps import Failover, Latency, Nearest
from georouter.routing.decide import decide
from georouter.routing.rank import rank
from georouter.routing.scene import make_scene
from georouter.routing.steps.nearest import bias_factor
from georouter.routing.tiers import FALLBACK_TIER
from georouter.words.ids import RegionName
from tests.routing.scenes import (
    ASHBURN,
    BERLIN,
    LONDON,
    NOWHERE,
    SINGAPORE,
    SITES,
    World,
    order,
    places_of,
    policy_of,
    service_of,
    tiers_of,
)


def test_nearest_first() -> None:
    """Without tolerance every region is a tier of its own."""
    assert tiers_of(service_of(Nearest()), LONDON)[:3] == [["eu-west"], ["eu-central"], ["us-east"]]
    assert tiers_of(service_of(Nearest()), SINGAPORE)[0] == ["ap-south"]


def test_tolerance_makes_near_ties_equal() -> None:
    """Dublin is 464 km from London and Frankfurt 655 km: equal within 200 km."""
    assert tiers_of(service_of(Nearest(tolerance_km=200)), LONDON)[0] == ["eu-west", "eu-central"]
    assert tiers_of(service_of(Nearest(tolerance_km=150)), LONDON)[0] == ["eu-west"]


def test_same_coordinates_are_equal_without_tolerance() -> None:
    """Two regions in one place share a tier."""
    sites = {"a": (53.3, -6.3), "b": (10.0, 10.0), "c": (53.3, -6.3)}
    service = service_of(Nearest(), regions=sites)
    decision = decide(policy_of(service, sites), service, places_of(LONDON), World())
    assert decision.tiers == order("a c", "b")


@pytest.mark.parametrize("step", [Nearest(), Latency()])
def test_a_fallback_region_needs_no_location(step: Nearest | Latency) -> None:
    """It comes last wherever it is, and nobody ranks by a distance that is not known."""
    service = replace(service_of(step), fallback=(RegionName("sorry"),))
    policy = policy_of(service, {**SITES, "sorry": (0.0, 0.0)})
    nowhere = replace(policy.regions[RegionName("sorry")], location=None)
    policy = replace(policy, regions={**policy.regions, nowhere.name: nowhere})
    scene = make_scene(policy, service, places_of(LONDON, SINGAPORE), World())
    alone = service_of(step)
    known = make_scene(policy_of(alone), alone, scene.places, World())
    tiers = rank(policy, service, scene)
    assert (tiers[:, :-1] == rank(policy_of(alone), alone, known)).all()
    assert (tiers[:, -1] == FALLBACK_TIER).all()


def test_bias_moves_the_border() -> None:
    """Halving the distance to Frankfurt brings London there; making Dublin farther does too."""
    assert tiers_of(service_of(Nearest(bias_percent={RegionName("eu-central"): 50})), LONDON)[0] == [
        "eu-central"
    ]
    assert tiers_of(service_of(Nearest(bias_percent={RegionName("eu-west"): -50})), LONDON)[0] == [
        "eu-central"
    ]


@pytest.mark.parametrize(("bias", "factor"), [(0, 1.0), (50, 0.5), (-50, 2.0), (99, 0.01), (-99, 100.0)])
def test_bias_factor(bias: float, factor: float) -> None:
    """Positive bias shrinks the distance, negative bias divides it (Route 53 geoproximity)."""
    assert bias_factor(bias) == pytest.approx(factor)


def test_the_largest_bias_at_the_antipode_still_counts() -> None:
    """20,000 km times 100 stays a number that can be compared."""
    sites = {"far": (-51.51, 179.87), "farther": (-51.51, 179.0)}
    service = service_of(Nearest(bias_percent={RegionName("far"): -99}), regions=sites)
    decision = decide(policy_of(service, sites), service, places_of(LONDON), World())
    assert decision.tiers == order("farther", "far")


def test_refines_what_an_earlier_step_made() -> None:
    """Distance orders regions inside a tier and never across."""
    service = service_of(Failover(order("ap-south us-west")), Nearest())
    assert tiers_of(service, ASHBURN) == [["us-west"], ["ap-south"], ["us-east"], ["eu-west"], ["eu-central"]]


def test_explains_with_distances() -> None:
    """Each region's kilometres, what the bias makes of them, the tolerance, and the far tiers."""
    service = service_of(Nearest(tolerance_km=100, bias_percent={RegionName("us-east"): 20}))
    reasons = decide(policy_of(service), service, places_of(LONDON), World()).steps[0].reasons
    assert reasons[0] == "the client is at 51.51, -0.13"
    assert reasons[1] == "eu-west is 463 km away"
    assert reasons[3].startswith("us-east is 5,9")
    assert "counts as 4,7" in reasons[3]
    assert "(bias +20 %)" in reasons[3]
    assert reasons[6] == "regions within 100 km of a tier's best are equal"
    assert reasons[7] == "tiers after the first 3 are ordered as seen from eu-west"


def test_explains_missing_coordinates() -> None:
    """An unplaced client gets the service's order, and is told so."""
    service = service_of(Nearest())
    reasons = decide(policy_of(service), service, places_of(NOWHERE), World()).steps[0].reasons
    assert reasons == ("the client has no coordinates: the service's own order stands within each tier",)


def test_berlin_is_nearest_to_frankfurt() -> None:
    """A plain check against the map of Europe."""
    assert tiers_of(service_of(Nearest()), BERLIN)[0] == ["eu-central"]
