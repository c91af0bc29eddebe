"""Sticky leaves the ranking alone."""

from georouter.policy.steps import Sticky
from georouter.routing.decide import decide
from tests.routing.scenes import LONDON, World, order, places_of, policy_of, service_of


def test_ranks_nothing_and_explains_what_is_kept_together() -> None:
    """Tiers pass; the reason names both prefix lengths."""
    service = service_of(Sticky(ipv4=20), regions=["us-east", "eu-west"])
    trace = decide(policy_of(service), service, places_of(LONDON), World()).steps[0]
    assert trace.before == trace.after == order("us-east eu-west")
    assert trace.reasons == (
        "among the regions of a tier, clients of one /20 (IPv4) or /56 (IPv6) keep theirs",
    )
