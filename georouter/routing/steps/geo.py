"""`geo`: the first rule that matches the client names the regions in order.

Regions that the rule does not name form one last tier. When no rule matches (and there is no
default, a rule without `match`), the service's own order stands: each region a tier of its own.
"""

import numpy as np
from numpy.typing import NDArray

from georouter.policy.steps import Geo
from georouter.routing.match import meets, why
from georouter.routing.scene import Scene
from georouter.routing.steps.failover import order_keys
from georouter.routing.text import tier_list
from georouter.routing.tiers import TierArray, split


def rank(step: Geo, tiers: TierArray, scene: Scene) -> TierArray:
    """Split every tier by the rule of each place."""
    own_order = np.arange(len(scene.regions), dtype=np.int32)
    keys = np.stack([*(order_keys(rule.tiers, scene) for rule in step.rules), own_order])
    return split(tiers, keys[rule_index(step, scene)])


def rule_index(step: Geo, scene: Scene) -> NDArray[np.intp]:
    """The first rule that matches each place; `len(step.rules)` where none does."""
    chosen = np.full(len(scene.places), len(step.rules), dtype=np.intp)
    open_ = np.ones(len(scene.places), dtype=np.bool_)
    for number, rule in enumerate(step.rules):
        met = open_ if rule.match is None else open_ & meets(rule.match, scene.places)
        chosen[met] = number
        open_ &= ~met
    return chosen


def explain(step: Geo, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """Which rule matched the one place of `scene`, and by what."""
    del before, after
    number = int(rule_index(step, scene)[0])
    if number == len(step.rules):
        return ("no rule matches and there is no default: the service's own order stands",)
    rule = step.rules[number]
    if rule.match is None:
        reason = f"rule {number + 1} of {len(step.rules)} (the default) applies"
    else:
        reason = f"rule {number + 1} of {len(step.rules)} matches by {why(rule.match, scene.places)}"
    return (f"{reason}: {tier_list(rule.tiers)}, then the others",)
