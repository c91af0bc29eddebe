"""The explicit order."""

from georouter.policy.steps import Failover
from georouter.routing.decide import decide
from tests.routing.scenes import LONDON, NOWHERE, World, order, places_of, policy_of, service_of, tiers_of

STEP = Failover(order("us-west", "us-east eu-west"))


def test_order_is_the_same_for_everybody() -> None:
    """Named tiers first, the unnamed together last."""
    expected = [["us-west"], ["us-east", "eu-west"], ["eu-central", "ap-south"]]
    assert tiers_of(service_of(STEP), LONDON) == expected
    assert tiers_of(service_of(STEP), NOWHERE) == expected


def test_explains_the_order() -> None:
    """The reason repeats the order and names who was left out."""
    service = service_of(STEP)
    reasons = decide(policy_of(service), service, places_of(LONDON), World()).steps[0].reasons
    assert reasons == (
        "the order is us-west > us-east = eu-west; not named, so last together: eu-central, ap-south",
    )
