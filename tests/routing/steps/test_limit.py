"""Limits leave the ranking alone."""

import pytest

from georouter.policy.steps import Limit
from georouter.routing.decide import decide
from tests.routing.scenes import LONDON, World, places_of, policy_of, service_of


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Limit(), "an answer holds 1 region and at most 8 addresses"),
        (Limit(3, 4), "an answer holds up to 3 regions and at most 4 addresses"),
    ],
)
def test_ranks_nothing_and_explains_the_limits(step: Limit, reason: str) -> None:
    """Tiers pass; the reason names both limits."""
    service = service_of(step)
    trace = decide(policy_of(service), service, places_of(LONDON), World()).steps[0]
    assert trace.before == trace.after
    assert trace.reasons == (reason,)
