"""`failover`: an explicit order, the same for every client. Regions it does not name come last, together."""

import numpy as np
from numpy.typing import NDArray

from georouter.policy.steps import Failover, Tiers
from georouter.routing.scene import Scene
from georouter.routing.text import tier_list
from georouter.routing.tiers import TierArray, split


def rank(step: Failover, tiers: TierArray, scene: Scene) -> TierArray:
    """Split every tier by the explicit order."""
    return split(tiers, order_keys(step.order, scene)[None, :])


def order_keys(order: Tiers, scene: Scene) -> NDArray[np.int32]:
    """The place of each region (R) in `order`; regions not named share the one after the last."""
    keys = np.full(len(scene.regions), len(order), dtype=np.int32)
    columns = scene.index()
    for number, tier in reversed(list(enumerate(order))):
        for name in tier:
            if name in columns:
                keys[columns[name]] = number
    return keys


def explain(step: Failover, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The order, and who was not named."""
    del before, after
    named = {name for tier in step.order for name in tier}
    rest = [name for name in scene.regions[: scene.own] if name not in named]
    tail = f"; not named, so last together: {', '.join(rest)}" if rest else ""
    return (f"the order is {tier_list(step.order)}{tail}",)
