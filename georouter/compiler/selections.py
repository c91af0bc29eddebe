"""Selection for all rankings of a table at once: the same `Selector`, asked once per common beginning.

Rule 1: a beginning is settled when its regions alone determine the selection, so that whatever tiers
follow change nothing. That is provable while some region is up (or unknown, or everything is down)
and no override could make the reason depend on later tiers; otherwise every ranking is asked.
Rule 2: a beginning that was settled and is, with none of its regions changed, selects as before.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from georouter.compiler.prefixes import Beginning, bits
from georouter.compiler.steering import Steering, Table
from georouter.facts.plan import Shares
from georouter.facts.world import Effective, RegionFacts, Role
from georouter.policy.model import AllDown
from georouter.routing.select import (
    DOWN,
    UNKNOWN,
    UP,
    LastKnown,
    Selection,
    Selector,
    as_if_up,
    level,
    weight_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """`distinct[of[r]]` is the selection for ranking `r` of the table.

    `kept[i]` is the index that `distinct[i]` had before, or -1: then none of its regions has changed.
    `settled` maps beginnings (`low`, `taken`) to their index; `keys[i]` identifies `distinct[i]`.
    """

    distinct: tuple[Selection, ...]
    of: NDArray[np.int32]
    kept: tuple[int, ...]
    settled: Mapping[tuple[int, int], int]
    keys: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The selections of the same table, rule and limits in another world."""

    facts: tuple[RegionFacts, ...]
    selections: Selections


def select_all(  # noqa: PLR0917 - the arguments of `select`, and what there was
    table: Table,
    steering: Steering,
    facts: tuple[RegionFacts, ...],
    usable: frozenset[int] | None = None,
    last_known: LastKnown = frozenset(),
    before: Before | None = None,
    shares: Shares | None = None,
) -> Selections:
    """The selection for every ranking of `table`. `shares` is the capacity plan's word on them."""
    walk = _Walk(table, steering, facts, usable, last_known, before, shares)
    walk.run()
    of = np.empty_like(walk.ordered)
    of[table.prefixes.order] = walk.ordered
    kept = tuple(walk.kept.get(index, -1) for index in range(len(walk.distinct)))
    return Selections(tuple(walk.distinct), of, kept, walk.settled, tuple(walk.known))


class _Walk:
    """One pass over the tree of beginnings."""

    def __init__(  # noqa: PLR0917 - as `select_all`
        self,
        table: Table,
        steering: Steering,
        facts: tuple[RegionFacts, ...],
        usable: frozenset[int] | None,
        last_known: LastKnown,
        before: Before | None,
        shares: Shares | None,
    ) -> None:
        self.table = table
        self.most = max(1, steering.rule.limit.regions)
        if usable is not None and not usable:
            shares = None  # nobody can answer, whatever is planned
        self.selector = Selector(steering.rule, facts, usable, last_known, shares)
        self.planned = _planned_before(table, shares) if shares else None
        self.good, self.witnesses = _deciders(steering, facts)
        everyone = -1 if usable is None else bits(usable)
        self.narrow = self.good & everyone
        self.witnesses &= everyone
        self.before = before.selections if before else None
        self.changed = bits(_differing(facts, before.facts)) if before else -1
        self.ordered = np.empty(len(table.rankings), dtype=np.int32)
        self.distinct: list[Selection] = []
        self.known: dict[Hashable, int] = {}
        self.kept: dict[int, int] = {}
        self.settled: dict[tuple[int, int], int] = {}
        self._reused: dict[int, int] = {}

    def run(self) -> None:
        """Fill `ordered`: the selection's index for every ranking in sorted order."""
        waiting = [self.table.prefixes.root]
        while waiting:
            beginning = waiting.pop()
            low, high, taken = beginning.low, beginning.high, beginning.taken
            if self._is_settled(beginning):
                index = self._reuse(low, taken)
                if index is None:
                    index = self._ask(low)
                self.settled[low, taken] = index
            elif beginning.further:
                waiting += reversed(beginning.further)
                continue
            elif high > low:
                index = self._ask(low)
            else:
                continue
            self.ordered[low:high] = index

    def _is_settled(self, beginning: Beginning) -> bool:
        taken, narrow = beginning.taken, self.narrow
        if not taken & self.good:
            return False
        if self.planned is not None and self.planned[beginning.low] != self.planned[beginning.high]:
            return False  # a plan treats each ranking in its own way
        if (taken & narrow).bit_count() >= self.most:
            return bool(taken & self.witnesses)
        if narrow & beginning.reach & ~taken:
            return False
        return not taken & narrow or bool(taken & self.witnesses)

    def _ask(self, low: int) -> int:
        ranking = self.table.prefixes.order[low]
        selection = self.selector(self.table.rankings[ranking])
        return self._number(selection, _key(selection))

    def _number(self, selection: Selection, key: Hashable) -> int:
        index = self.known.setdefault(key, len(self.known))
        if index == len(self.distinct):
            self.distinct.append(selection)
        return index

    def _reuse(self, low: int, taken: int) -> int | None:
        if self.before is None or taken & self.changed:
            return None
        old = self.before.settled.get((low, taken))
        if old is None:
            return None
        index = self._reused.get(old)
        if index is None:
            index = self._reused[old] = self._number(self.before.distinct[old], self.before.keys[old])
            self.kept[index] = old
        return index


def _planned_before(table: Table, shares: Shares) -> list[int]:
    """How many rankings before each one, in sorted order, a capacity plan has something to say of."""
    order = table.prefixes.order
    said = (ranking.tiers in shares for ranking in map(table.rankings.__getitem__, order))
    return [0, *accumulate(said)]


def _key(selection: Selection) -> Hashable:
    """Equal for equal selections, and quick to hash."""
    return (
        selection.servfail,
        int(selection.reason),
        *(
            (*item.regions, item.weight, int(item.reason), item.cohort or 0.0)
            for item in selection.candidates
        ),
    )


def _is_witness(fact: RegionFacts) -> bool:
    """Whether the region would answer if nobody had forced anything."""
    return fact.role is Role.HELD or (fact.unforced is Effective.UP and fact.role is not Role.STANDBY)


def _differing(facts: tuple[RegionFacts, ...], before: tuple[RegionFacts, ...]) -> list[int]:
    return [index for index, (new, old) in enumerate(zip(facts, before, strict=True)) if new != old]


def _deciders(steering: Steering, facts: tuple[RegionFacts, ...]) -> tuple[int, int]:
    """Two sets of regions, as bits: `good` ones, of which the first in a ranking decides the answer,
    and `witnesses`, of which one has to be known to tell the reason (without overrides: the good
    ones). Both are 0 when no such rule is safe.

    A region with a cohort decides for a part of the clients only, and for records that it has: it is none
    of either.
    """
    rule, every = steering.rule, range(steering.own)
    divided = frozenset(region for region in every if facts[region].cohort)
    own = [region for region in every if region not in divided]
    weights = {region: weight_of(facts[region], rule.weights[region]) for region in every}
    levels = {region: level(facts[region], weights[region]) for region in every}
    best = min((levels[region] for region in own), default=DOWN)
    forced = any(fact.forced is not None for fact in facts)
    if divided and (forced or any(levels[region] < best for region in divided)):
        return 0, 0
    if best == UP or (best == UNKNOWN and not forced):
        good = bits([region for region in own if levels[region] == best])
        up = bits([region for region in own if _is_witness(facts[region]) and weights[region] > 0])
        return good, up if forced else good
    if (
        best == DOWN
        and rule.when_all_down is AllDown.SERVE_ALL
        and all(weight_of(as_if_up(facts[region]), rule.weights[region]) > 0 for region in own)
    ):
        if_up = {region: level(as_if_up(facts[region]), rule.weights[region]) for region in own}
        good = bits([region for region in own if if_up[region] == min(if_up.values())])
        return good, good
    return 0, 0
