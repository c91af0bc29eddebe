"""Rankings as a tree of common beginnings, so that selection looks at each beginning once.

Thousands of rankings differ only in tiers that no answer reaches while the first ones are up. Sorted,
all rankings with the same beginning stand side by side; a node of the tree is such a run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from georouter.routing.rank import Ranked


class Beginning(NamedTuple):
    """The rankings `order[low:high]` share their first tiers.

    `taken` is the set of regions in those tiers and `reach` the set of all regions that any of these
    rankings allows, as bits. `further` splits the run by the next tier; it is empty for one ranking.
    """

    low: int
    high: int
    taken: int
    reach: int
    further: "tuple[Beginning, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """`order[i]` is the id of the `i`-th ranking in sorted order; `root` covers all of them."""

    order: NDArray[np.int32]
    root: Beginning


def prefixes(rankings: Sequence[Ranked]) -> Prefixes:
    """The tree over these rankings."""
    order = sorted(range(len(rankings)), key=lambda index: (rankings[index].tiers, rankings[index].fallback))
    ordered = [rankings[index] for index in order]
    known: dict[tuple[int, ...], int] = {}

    def mask(regions: tuple[int, ...]) -> int:
        found = known.get(regions)
        if found is None:
            found = known[regions] = bits(regions)
        return found

    masks = [[mask(tier) for tier in ranked.tiers] for ranked in ordered]
    # tiers are disjoint: their sum is their union
    reach = [sum(tiers, mask(ranked.fallback)) for tiers, ranked in zip(masks, ordered, strict=True)]
    return Prefixes(np.array(order, dtype=np.int32), _grow(masks, reach, (0, len(ordered)), 0, 0))


def bits(regions: Iterable[int]) -> int:
    """A set of region indices as the bits of one int."""
    mask = 0
    for region in regions:
        mask |= 1 << region
    return mask


def _grow(
    masks: Sequence[Sequence[int]], reach: Sequence[int], run: tuple[int, int], depth: int, taken: int
) -> Beginning:
    low, high = run
    if high - low <= 1:
        return Beginning(low, high, taken, reach[low] if high > low else 0, ())
    further: list[Beginning] = []
    start = low
    while start < high:
        tier = _tier(masks[start], depth)
        stop = start + 1
        while stop < high and _tier(masks[stop], depth) == tier:
            stop += 1
        if tier is None:
            further += (Beginning(one, one + 1, taken, reach[one], ()) for one in range(start, stop))
        else:
            further.append(_grow(masks, reach, (start, stop), depth + 1, taken | tier))
        start = stop
    whole = 0
    for child in further:
        whole |= child.reach
    return Beginning(low, high, taken, whole, tuple(further))


def _tier(tiers: Sequence[int], depth: int) -> int | None:
    return tiers[depth] if depth < len(tiers) else None
