"""Selection for all rankings of a table at once: the same `Selector`, asked once per common beginning.

Rule: a beginning is settled when its regions alone determine the selection, so that whatever tiers
follow change nothing. That is provable while some region is up (or unknown, or everything is down)
and no override could make the reason depend on later tiers; otherwise every ranking is asked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.compiler.prefixes import Beginning, bits
from georouter.compiler.steering import Steering, Table
from georouter.facts.world import RegionFacts, State
from georouter.policy.model import AllDown
from georouter.routing.select import DOWN, UNKNOWN, UP, Selection, Selector, level


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """`distinct[of[r]]` is the selection for ranking `r` of the table."""

    distinct: tuple[Selection, ...]
    of: NDArray[np.int32]


def select_all(
    table: Table,
    steering: Steering,
    facts: tuple[RegionFacts, ...],
    usable: frozenset[int] | None,
    last_known: frozenset[int],
) -> Selections:
    """The selection for every ranking of `table`."""
    selector = Selector(steering.rule, facts, usable, last_known)
    good, witnesses = _deciders(steering, facts)
    narrow = good if usable is None else good & bits(usable)
    if usable is not None:
        witnesses &= bits(usable)
    most = max(1, steering.rule.limit.regions)
    known: dict[Selection, int] = {}
    ordered = np.empty(len(table.rankings), dtype=np.int32)
    order = table.prefixes.order.tolist()

    def settled(beginning: Beginning) -> bool:
        taken = beginning.taken
        if not taken & good:
            return False
        if not narrow & beginning.reach & ~taken and not narrow & taken:
            return True
        enough = (taken & narrow).bit_count() >= most or not narrow & beginning.reach & ~taken
        return enough and bool(taken & witnesses)

    waiting = [table.prefixes.root]
    while waiting:
        beginning = waiting.pop()
        if beginning.further and not settled(beginning):
            waiting += reversed(beginning.further)
        elif beginning.high > beginning.low:
            selection = selector(table.rankings[order[beginning.low]])
            ordered[beginning.low : beginning.high] = known.setdefault(selection, len(known))
    of = np.empty_like(ordered)
    of[table.prefixes.order] = ordered
    return Selections(tuple(known), of)


def _deciders(steering: Steering, facts: tuple[RegionFacts, ...]) -> tuple[int, int]:
    """Two sets of regions, as bits: `good` ones, of which the first in a ranking decides the answer,
    and `witnesses`, of which one has to be known to tell the reason (without overrides: the good
    ones). Both are 0 when no such rule is safe.
    """
    rule, own = steering.rule, range(steering.own)
    weights = [rule.weights[region] * max(facts[region].health, 0.0) for region in own]
    levels = [level(facts[region], weights[region]) for region in own]
    best = min(levels, default=DOWN)
    forced = any(fact.forced is not None for fact in facts)
    if best == UP or (best == UNKNOWN and not forced):
        good = bits([region for region in own if levels[region] == best])
        up = bits([region for region in own if facts[region].observed is State.UP and weights[region] > 0])
        return good, up if forced else good
    if best == DOWN and rule.when_all_down is AllDown.SERVE_ALL and all(rule.weights[r] > 0 for r in own):
        good = bits(own)
        return good, good
    return 0, 0
