"""The cheapest way to bring supplies to regions with limited room: a transport problem, solved by HiGHS.

    minimise   sum cost[g, r] * flow[g, r]
    such that  sum over r of flow[g, r] = supply[g]    for every group g of clients
               sum over g of flow[g, r] <= room[r]     for every region r
               flow[g, r] = 0                          where cost[g, r] is infinite (a fence)

Rule 1. Where the supplies do not fit, the rooms that bound them grow by one common factor, no more than
        needed: load that fits nowhere is spread in proportion, and regions it may not reach keep theirs.
Rule 2. Groups with few cheap regions are the rule, so columns are added as their prices ask for them
        (column generation, Gilmore and Gomory 1961); the result is the optimum of the whole problem.
Rule 3. Another set of rooms is solved from the last one's basis.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from georouter.routing.tiers import unique_rows

Array = NDArray[np.float64]

_TOTAL = 1e5
"""Supplies are scaled to this sum: far from the solver's tolerances (1e-7) in both directions."""
_CHEAPEST = 2
"""Columns that every group begins with."""
_PRICE = 1e-6
"""A column that saves less than this per unit is not worth adding."""


_DUAL, _PRIMAL = 1, 4
"""HiGHS's simplex strategies."""


class NoSolverError(ImportError):
    """HiGHS is not installed."""


def load_solver() -> Any:
    """The module `highspy`. Raises NoSolverError, which says how to get it."""
    try:
        import highspy  # noqa: PLC0415 - large, and only for those who use it
    except ImportError as error:
        raise NoSolverError("the solver HiGHS is not installed: pip install highspy") from error
    return highspy


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """`flow` (G, R) in the unit of the supplies. `stretch` (R): 1, or by how much a room had to grow.

    `price` (R): by how much a unit would be cheaper with more room there, 0 where there is room left.
    """

    flow: Array
    stretch: Array
    price: Array


class Transport:
    """One set of groups and costs, to be solved for one set of rooms after the other.

    `cost` is (G, R), infinite where a group may not go; every group may go somewhere. `supply` is (G),
    not negative, and its sum is above 0.
    """

    def __init__(self, cost: Array, supply: Array) -> None:
        self._cost, self._supply = cost, supply
        self._scale = _TOTAL / float(supply.sum())
        groups, regions = cost.shape
        finite = cost[np.isfinite(cost)]
        self._highs = load_solver().Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        scaled = supply * self._scale
        nothing = np.empty(0)
        for lower, upper in ((scaled, scaled), (np.full(regions, -np.inf), np.full(regions, _TOTAL))):
            none = np.zeros(len(lower), dtype=np.int32)
            self._highs.addRows(len(lower), lower, upper, 0, none, np.empty(0, np.int32), nothing)
        # a way out for every group, dearer than any real one, so that a first set of columns is feasible
        self._group = np.arange(groups)
        self._region = np.full(groups, -1)
        out = np.full(groups, 1e3 * (1.0 + float(finite.max(initial=0.0) - finite.min(initial=0.0))))
        self._highs.addCols(
            groups,
            out + float(finite.max(initial=0.0)),
            np.zeros(groups),
            np.full(groups, np.inf),
            groups,
            np.arange(groups, dtype=np.int32),
            np.arange(groups, dtype=np.int32),
            np.ones(groups),
        )
        self._known = ~np.isfinite(cost)
        cheapest = np.argsort(cost, axis=1, kind="stable")[:, :_CHEAPEST]
        chosen = np.zeros_like(self._known)
        np.put_along_axis(chosen, cheapest, values=True, axis=1)
        self._add(chosen & ~self._known)
        self._begin(cheapest[:, 0])

    def _begin(self, cheapest: NDArray[np.int64]) -> None:
        """Begin with everybody where it costs least, full or not: the dual simplex moves what overflows.

        That basis is dual feasible, so that few pivots are left where few have to move.
        """
        status = load_solver().HighsBasisStatus
        groups, regions = self._cost.shape
        basis = load_solver().HighsBasis()
        here = (self._region >= 0) & (cheapest[self._group] == self._region)
        basis.col_status = [status.kBasic if one else status.kLower for one in here.tolist()]
        basis.row_status = [status.kLower] * groups + [status.kBasic] * regions
        basis.valid = True
        self._highs.setBasis(basis)

    def solve(self, room: Array) -> Solution:
        """The cheapest flow into these rooms (R, not negative, in the unit of the supplies).

        A room of 0 is closed, and groups to which nothing is open have no flow. See Rule 1 for the rest.
        """
        allowed = np.isfinite(self._cost) & (room > 0)
        supply = np.where(allowed.any(axis=1), self._supply, 0.0)
        stretch = least_stretch(allowed, supply, room)
        first = len(supply)
        upper = np.concatenate([supply, room * stretch * (1 + 1e-9)]) * self._scale
        lower = np.concatenate([supply * self._scale, np.full(len(room), -np.inf)])
        rows = np.arange(len(upper), dtype=np.int32)
        self._highs.setOptionValue("simplex_strategy", _DUAL)
        self._highs.changeRowsBounds(len(rows), rows, lower, upper)
        while True:
            self._highs.run()
            found = self._highs.getSolution()
            price = np.asarray(found.row_dual)
            saving = price[:first, None] + price[None, first:] - self._cost
            saving[self._known] = -np.inf
            best = saving.argmax(axis=1)
            worth = saving[np.arange(first), best] > _PRICE
            if not worth.any():
                break
            chosen = np.zeros_like(self._known)
            chosen[np.flatnonzero(worth), best[worth]] = True
            self._add(chosen)
            self._highs.setOptionValue("simplex_strategy", _PRIMAL)  # what was found stays feasible
        flow = np.zeros_like(self._cost)
        real = self._region >= 0
        flow[self._group[real], self._region[real]] = np.asarray(found.col_value)[real] / self._scale
        flow[:, room <= 0] = 0.0  # what the solver's tolerance lets through
        return Solution(np.maximum(flow, 0.0), stretch, np.maximum(-price[first:], 0.0))

    def _add(self, chosen: NDArray[np.bool_]) -> None:
        """Let the solver use these (group, region) pairs."""
        group, region = np.nonzero(chosen)
        count = len(group)
        if not count:
            return
        self._known |= chosen
        self._group, self._region = np.append(self._group, group), np.append(self._region, region)
        rows = np.stack([group, len(self._supply) + region], axis=1).astype(np.int32).ravel()
        self._highs.addCols(
            count,
            self._cost[group, region],
            np.zeros(count),
            np.full(count, np.inf),
            2 * count,
            np.arange(0, 2 * count, 2, dtype=np.int32),
            rows,
            np.ones(2 * count),
        )


def least_stretch(allowed: NDArray[np.bool_], supply: Array, room: Array) -> Array:
    """By how much each room has to grow for the supplies to fit: the least, in proportion (Rule 1)."""
    first, inverse = unique_rows(allowed.view(np.uint8))
    patterns = allowed[first]
    amounts = np.bincount(inverse, weights=supply, minlength=len(patterns))
    stretch = np.ones(len(room))
    asking: NDArray[np.bool_] = amounts > 0
    for linked, wanted in _parts(patterns[asking], amounts[asking].astype(np.float64)):
        active: NDArray[np.bool_] = np.asarray(linked.any(axis=0))
        while active.any():
            factor, tight = _common_factor(linked, wanted, room * stretch, active)
            if factor <= 1.0 + 1e-9:
                break
            stretch[active] *= factor
            active &= ~tight
            stretch[active] = 1.0
    return stretch


def _parts(patterns: NDArray[np.bool_], amounts: Array) -> Iterator[tuple[NDArray[np.bool_], Array]]:
    """Patterns that share no region are problems of their own."""
    left = np.ones(len(patterns), dtype=np.bool_)
    while left.any():
        inside = np.zeros(len(patterns), dtype=np.bool_)
        inside[np.flatnonzero(left)[0]] = True
        while True:
            wider = left & (patterns & patterns[inside].any(axis=0)).any(axis=1)
            if (wider == inside).all():
                break
            inside = wider
        left &= ~inside
        yield patterns[inside], amounts[inside]


def _common_factor(
    patterns: NDArray[np.bool_], amounts: Array, room: Array, active: NDArray[np.bool_]
) -> tuple[float, NDArray[np.bool_]]:
    """The least factor for the rooms of `active` with which everything fits, and the rooms that bound it."""
    highs = load_solver().Highs()
    highs.setOptionValue("output_flag", False)
    scale = _TOTAL / float(amounts.sum())
    group, region = np.nonzero(patterns)
    count, regions = len(group), len(room)
    limits = np.where(active, 0.0, room * scale)
    for lower, upper in ((amounts * scale, amounts * scale), (np.full(regions, -np.inf), limits)):
        none = np.zeros(len(lower), dtype=np.int32)
        highs.addRows(len(lower), lower, upper, 0, none, np.empty(0, np.int32), np.empty(0))
    rows = np.stack([group, len(amounts) + region], axis=1).astype(np.int32).ravel()
    starts = np.arange(0, 2 * count, 2, dtype=np.int32)
    highs.addCols(
        count,
        np.zeros(count),
        np.zeros(count),
        np.full(count, np.inf),
        2 * count,
        starts,
        rows,
        np.ones(2 * count),
    )
    grown = np.flatnonzero(active)
    highs.addCols(
        1,
        np.ones(1),
        np.zeros(1),
        np.full(1, np.inf),
        len(grown),
        np.zeros(1, np.int32),
        (len(amounts) + grown).astype(np.int32),
        -room[grown] * scale,
    )
    highs.run()
    found = highs.getSolution()
    factor = float(found.col_value[-1])
    bound = np.abs(np.asarray(found.row_dual)[len(amounts) :]) > 1e-12
    return factor, bound & active
