"""`weighted`: shares inside a tier. It ranks nothing; selection applies the weights.

A region not named weighs 1. Weight 0 answers only when every other region is gone.
"""

from georouter.policy.steps import Weighted
from georouter.routing.scene import Scene
from georouter.routing.tiers import TierArray


def rank(step: Weighted, tiers: TierArray, scene: Scene) -> TierArray:
    """The tiers as they came."""
    del step, scene
    return tiers


def explain(step: Weighted, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The weight of each region; the shares are the selection's to tell, they depend on health."""
    del before, after
    weights = ", ".join(f"{name} {step.weights.get(name, 1.0):g}" for name in scene.regions[: scene.own])
    idle = [name for name in scene.regions[: scene.own] if step.weights.get(name, 1.0) == 0]
    reasons = [f"weights: {weights}"]
    if idle:
        reasons.append(f"weight 0 answers only when all others are gone: {', '.join(idle)}")
    return tuple(reasons)
