"""Rules by place."""

import pytest

from georouter.policy.steps import Geo, GeoRule, Match
from georouter.routing.decide import decide
from tests.routing.scenes import (
    ASHBURN,
    BERLIN,
    FRESNO,
    LONDON,
    NOWHERE,
    SINGAPORE,
    Spot,
    World,
    order,
    places_of,
    policy_of,
    service_of,
    tiers_of,
)

RULES = (
    GeoRule(Match(subdivisions=("US-CA",)), order("us-west", "us-east")),
    GeoRule(Match(countries=("US",)), order("us-east")),
    GeoRule(Match(continents=("EU",)), order("eu-west eu-central", "us-east")),
)
DEFAULT = GeoRule(None, order("ap-south"))


@pytest.mark.parametrize(
    ("spot", "tiers"),
    [
        (FRESNO, [["us-west"], ["us-east"], ["eu-west", "eu-central", "ap-south"]]),
        (ASHBURN, [["us-east"], ["us-west", "eu-west", "eu-central", "ap-south"]]),
        (BERLIN, [["eu-west", "eu-central"], ["us-east"], ["us-west", "ap-south"]]),
        (SINGAPORE, [["ap-south"], ["us-east", "us-west", "eu-west", "eu-central"]]),
        (NOWHERE, [["ap-south"], ["us-east", "us-west", "eu-west", "eu-central"]]),
    ],
)
def test_first_match_wins_and_the_unnamed_come_last(spot: Spot, tiers: list[list[str]]) -> None:
    """Rules run top to bottom; the default takes the rest."""
    assert tiers_of(service_of(Geo((*RULES, DEFAULT))), spot) == tiers


def test_no_match_and_no_default_keeps_the_services_order() -> None:
    """Each region becomes a tier, as the service lists them."""
    expected = [["us-east"], ["us-west"], ["eu-west"], ["eu-central"], ["ap-south"]]
    assert tiers_of(service_of(Geo(RULES)), SINGAPORE) == expected


@pytest.mark.parametrize(
    ("spot", "reason"),
    [
        (LONDON, "rule 3 of 4 matches by continent EU: eu-west = eu-central > us-east, then the others"),
        (SINGAPORE, "rule 4 of 4 (the default) applies: ap-south, then the others"),
    ],
)
def test_explains_which_rule_matched(spot: Spot, reason: str) -> None:
    """The reason names the rule's number and what it was met by."""
    service = service_of(Geo((*RULES, DEFAULT)))
    assert decide(policy_of(service), service, places_of(spot), World()).steps[0].reasons == (reason,)


def test_explains_that_no_rule_matched() -> None:
    """Silence of the rules is a reason too."""
    service = service_of(Geo(RULES))
    reasons = decide(policy_of(service), service, places_of(SINGAPORE), World()).steps[0].reasons
    assert reasons == ("no rule matches and there is no default: the service's own order stands",)
