"""`limit`: how many regions and how many addresses one answer holds. Selection and the compiler apply it."""

from georouter.policy.steps import Limit
from georouter.routing.scene import Scene
from georouter.routing.tiers import TierArray


def rank(step: Limit, tiers: TierArray, scene: Scene) -> TierArray:
    """The tiers as they came."""
    del step, scene
    return tiers


def explain(step: Limit, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The two limits."""
    del before, after, scene
    regions = "1 region" if step.regions == 1 else f"up to {step.regions} regions"
    return (f"an answer holds {regions} and at most {step.addresses} addresses",)
