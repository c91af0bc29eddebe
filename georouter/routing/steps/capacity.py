"""`capacity`: what would overflow a region goes to the next best. It ranks nothing: selection has the plan.

The plan is worked out beforehand, from everybody's demand at once: see `routing.capacity`.
"""

from georouter.policy.steps import Capacity
from georouter.routing.scene import Scene
from georouter.routing.tiers import TierArray


def rank(step: Capacity, tiers: TierArray, scene: Scene) -> TierArray:
    """The tiers as they came."""
    del step, scene
    return tiers


def explain(step: Capacity, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The limits; what the plan makes of them is the selection's to tell."""
    del before, after, scene
    return (
        f"a region takes {step.steady_limit:.0%} of its capacity, {step.failure_limit:.0%} while one is gone",
        "what is above that goes to the next best",
    )
