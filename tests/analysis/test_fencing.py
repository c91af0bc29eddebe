"""What fences and claims allow, place by place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.analysis.fencing import Claim, bits, expected, residencies, said
from georouter.policy.model import Service
from georouter.policy.steps import Match, Residency, Unplaced, WithoutEcs
from georouter.words.ids import RegionName
from tests.routing.chains import fence_of, services, sites, spots
from tests.routing.scenes import (
    ASHBURN,
    BERLIN,
    FRESNO,
    LONDON,
    NOWHERE,
    Spot,
    names,
    places_of,
    policy_of,
    service_of,
)

EU = Match(groups=("EU",))
WEST, CENTRAL = names("eu-west", "eu-central")


@given(services, st.lists(spots, min_size=1, max_size=6), sites)
def test_it_agrees_with_reading_the_fences_aloud(
    service: Service, where: list[Spot], at: dict[str, tuple[float, float]]
) -> None:
    """For random services and places: what `fence_of` works out by hand, inside the service's regions."""
    policy = policy_of(service, at)
    made = expected(policy, service, (), places_of(*where))
    everywhere = bits(policy, (*service.regions, *service.fallback))
    for row, spot in enumerate(where):
        wanted = bits(policy, fence_of(service, spot))
        assert made.masks[made.of[row]] & everywhere == wanted


def test_masks_are_closed_and_meet_is_their_intersection() -> None:
    """Two overlapping fences: what both allow has a number, too."""
    fences = (
        Residency(EU, frozenset({WEST, CENTRAL})),
        Residency(Match(countries=("DE",)), frozenset({CENTRAL})),
    )
    service = service_of(*fences)
    made = expected(policy_of(service), service, (), places_of(LONDON, BERLIN, ASHBURN, NOWHERE))
    for one, first in enumerate(made.masks):
        for other, second in enumerate(made.masks):
            assert made.masks[made.meet[one, other]] == first & second


@pytest.mark.parametrize(
    ("ways", "left"),
    [
        ((WithoutEcs.RESOLVER, WithoutEcs.RESOLVER), 5),
        ((WithoutEcs.RESOLVER, WithoutEcs.RESTRICT), 1),
        ((WithoutEcs.DENY, WithoutEcs.RESTRICT), 0),
    ],
)
def test_without_subnet_the_strictest_counts(ways: tuple[WithoutEcs, WithoutEcs], left: int) -> None:
    """`deny` before `restrict` before the resolver's own place; how many regions that leaves."""
    regions = (frozenset({WEST, CENTRAL}), frozenset({CENTRAL}))
    service = service_of(
        *(Residency(EU, inside, without_ecs=way) for inside, way in zip(regions, ways, strict=True))
    )
    made = expected(policy_of(service), service, (), places_of(ASHBURN))
    assert made.masks[made.without_subnet].bit_count() == left


def test_a_claim_says_nothing_of_what_nobody_placed() -> None:
    """Nor has it a part in what `restrict` leaves; `text` names it."""
    claim = Claim("subdivision:US-CA=eu-west", Match(subdivisions=("US-CA",)), frozenset({WEST}))
    service = service_of(Residency(EU, frozenset({WEST, CENTRAL}), unplaced=Unplaced.RESTRICT))
    policy = policy_of(service)
    made = expected(policy, service, (claim,), places_of(FRESNO, NOWHERE, ASHBURN))
    allowed = [made.masks[number] for number in made.of]
    assert allowed == [bits(policy, (WEST,)), bits(policy, (WEST, CENTRAL)), bits(policy, policy.regions)]
    assert [fence.text for fence in made.fences] == [
        "residency step 1 (group EU)",
        'claim "subdivision:US-CA=eu-west"',
    ]
    assert residencies(service) == service.chain


def test_a_match_in_words() -> None:
    """Every kind, in the order of the page."""
    match = Match(asns=(64500,), countries=("DE", "FR"), continents=("AS",))
    assert said(match) == "asn 64500, country DE, country FR, continent AS"
    assert said(Match()) == ""
    assert bits(policy_of(service_of()), [RegionName("nobody")]) == 0
