"""The hard fence."""

from ipaddress import ip_network

import pytest

from georouter.policy.steps import Match, Nearest, Residency, Unplaced, WithoutEcs
from georouter.routing.decide import decide
from georouter.routing.scene import universe
from georouter.routing.steps.residency import without_ecs_allowed
from tests.routing.scenes import (
    ASHBURN,
    BERLIN,
    NOWHERE,
    Spot,
    World,
    names,
    places_of,
    policy_of,
    ranked_of,
    service_of,
    tiers_of,
)

EU_ONLY = Residency(Match(groups=("EU",)), frozenset(names("eu-west", "eu-central")))
US_ONLY = Residency(Match(countries=("US",)), frozenset(names("us-east", "us-west")))


def test_clients_keep_only_the_fenced_regions() -> None:
    """A client inside the fence loses every other region; one outside keeps all."""
    service = service_of(EU_ONLY)
    assert tiers_of(service, BERLIN) == [["eu-west", "eu-central"]]
    assert len(tiers_of(service, ASHBURN)[0]) == 5


@pytest.mark.parametrize(
    ("unplaced", "left"),
    [
        (Unplaced.ALLOW, 5),
        (Unplaced.RESTRICT, 2),
        (Unplaced.DENY, 0),
    ],
)
def test_unplaced_clients_as_the_step_says(unplaced: Unplaced, left: int) -> None:
    """Allow keeps all regions, restrict those inside every fence, deny none."""
    service = service_of(Residency(EU_ONLY.clients, EU_ONLY.regions, unplaced))
    assert len(ranked_of(service, NOWHERE)[0].allowed) == left


def test_restrict_meets_all_fences() -> None:
    """Two fences without a common region leave nothing for an unplaced client."""
    assert ranked_of(service_of(EU_ONLY, US_ONLY), NOWHERE)[0].allowed == frozenset()


def test_coordinates_without_a_country_are_unplaced() -> None:
    """A fence is about countries; a point on the map does not say which."""
    service = service_of(EU_ONLY)
    assert len(ranked_of(service, Spot("", 40.0, -100.0))[0].allowed) == 2


def test_country_without_its_subdivision_is_unplaced_for_a_state_fence() -> None:
    """A client somewhere in the US may be in California."""
    fence = Residency(Match(subdivisions=("US-CA",)), frozenset(names("us-west")))
    service = service_of(fence)
    assert tiers_of(service, Spot("US", 38.0, -97.0)) == [["us-west"]]
    assert len(tiers_of(service, ASHBURN)[0]) == 5
    assert len(tiers_of(service, Spot("CA", 45.0, -75.0))[0]) == 5


def test_fence_by_network_leaves_the_unplaced_alone() -> None:
    """A client outside a named network is known to be outside it, wherever it is."""
    fence = Residency(Match(networks=(ip_network("10.0.0.0/8"),)), frozenset(names("us-east")))
    assert len(ranked_of(service_of(fence), NOWHERE)[0].allowed) == 5


def test_fallback_regions_are_fenced_too() -> None:
    """A fallback region outside the fence is out of reach."""
    service = service_of(EU_ONLY, regions=["eu-west", "us-east"], fallback=names("ap-south", "eu-central"))
    assert ranked_of(service, BERLIN)[0].allowed == {0, 3}
    assert ranked_of(service, ASHBURN)[0].fallback == (2, 3)


def test_fence_counts_before_scoring_wherever_it_stands() -> None:
    """A fence written last still comes first: far tiers follow a region that the client can get."""
    late = service_of(Nearest(), EU_ONLY)
    assert tiers_of(late, BERLIN) == [["eu-central"], ["eu-west"]]
    assert [trace.step for trace in decide(policy_of(late), late, places_of(BERLIN), World()).steps] == [
        "residency",
        "nearest",
    ]


@pytest.mark.parametrize(
    ("spot", "unplaced", "reason", "dropped"),
    [
        (BERLIN, Unplaced.RESTRICT, "the client is fenced by group EU (DE): only eu-west, eu-central", 3),
        (ASHBURN, Unplaced.RESTRICT, "the client does not meet this fence: all regions stay", 0),
        (NOWHERE, Unplaced.ALLOW, "unplaced: allow keeps all regions", 0),
        (
            NOWHERE,
            Unplaced.RESTRICT,
            "unplaced: restrict keeps what every fence allows: eu-west, eu-central",
            3,
        ),
        (NOWHERE, Unplaced.DENY, "unplaced: deny keeps no region", 5),
    ],
)
def test_explains_the_fence(spot: Spot, unplaced: Unplaced, reason: str, dropped: int) -> None:
    """The trace says which case it was and which regions went."""
    service = service_of(Residency(EU_ONLY.clients, EU_ONLY.regions, unplaced))
    trace = decide(policy_of(service), service, places_of(spot), World()).steps[0]
    assert trace.reasons[0].endswith(reason)
    assert len(trace.dropped) == dropped
    assert all(name in trace.reasons[1] for name in trace.dropped)


def test_without_ecs_takes_the_strictest_fence() -> None:
    """Deny beats restrict beats the resolver's own place; without fences nothing is special."""

    def allowed(*ways: WithoutEcs) -> frozenset[int] | None:
        service = service_of(*(Residency(EU_ONLY.clients, EU_ONLY.regions, without_ecs=way) for way in ways))
        return without_ecs_allowed(service, universe(service))

    assert allowed() is None
    assert allowed(WithoutEcs.RESOLVER) is None
    assert allowed(WithoutEcs.RESOLVER, WithoutEcs.RESTRICT) == {2, 3}
    assert allowed(WithoutEcs.DENY, WithoutEcs.RESTRICT) == frozenset()
