"""Weights leave the ranking alone."""

from georouter.policy.steps import Weighted
from georouter.routing.decide import decide
from georouter.words.ids import RegionName
from tests.routing.scenes import LONDON, World, order, places_of, policy_of, service_of

STEP = Weighted({RegionName("us-east"): 3.0, RegionName("us-west"): 0.0})


def test_ranks_nothing_and_explains_the_weights() -> None:
    """Tiers pass; the reason lists every weight and who waits for the last moment."""
    service = service_of(STEP, regions=["us-east", "us-west", "eu-west"])
    trace = decide(policy_of(service), service, places_of(LONDON), World()).steps[0]
    assert trace.before == trace.after == order("us-east us-west eu-west")
    assert trace.reasons == (
        "weights: us-east 3, us-west 0, eu-west 1",
        "weight 0 answers only when all others are gone: us-west",
    )
