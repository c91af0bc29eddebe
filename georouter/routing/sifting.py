"""Transport problems too large to be solved as a whole: only those who are in doubt are.

    prices of the regions' rooms --> everybody's cheapest region, price included
                                      |-- clearly the cheapest: they go there
                                      '-- next best nearly as cheap: a small problem --> better prices

Rule 1. First prices are those of a problem of the largest groups alone, unless somebody knows better.
Rule 2. It ends when the cost is within `GAP` of what no division can go below (the dual bound: everybody at
        the cheapest, less the rooms at their prices). So it is as good as it says, whatever was guessed.
Rule 3. A problem that does not get there is solved as a whole.
"""

import numpy as np
from numpy.typing import NDArray

from georouter.routing.transport import Array, Solution, Transport, least_stretch

GAP = 5e-3
"""Of the cost: half of what is promised."""
LARGEST = 1500
"""Groups of one small problem; problems of up to twice as many are solved as they are."""
_DOUBT_MS = 8.0
"""Whoever saves more than this by the best region over the next is not divided."""
_DEARER_MS = 4.0
"""What the price of a room rises by where it does not hold those who are sure of it."""
_SLACK = 1e-3
"""Rooms that had to grow grow by this part more: where all are full to the brim, nothing can be rounded."""
_ROUNDS = 12


def solve(cost: Array, supply: Array, room: Array, price: Array | None = None) -> Solution:
    """As `Transport(cost, supply).solve(room)`, within `GAP` of its cost. `price` (R) is a first guess."""
    if len(supply) <= 2 * LARGEST:
        return Transport(cost, supply).solve(room)
    allowed = np.isfinite(cost) & (room > 0)
    cost = np.where(allowed, cost, np.inf)
    open_to = allowed.any(axis=1)
    supply = np.where(open_to, supply, 0.0)
    stretch = least_stretch(allowed, supply, room)
    rooms = np.where(stretch > 1.0 + 1e-6, room * stretch * (1.0 + _SLACK), room)
    if price is None:
        price = _first_prices(cost, supply, rooms)
    most = LARGEST
    for _ in range(_ROUNDS):
        found = _with_fixed(cost, supply, rooms, price, _in_doubt(cost, supply, price, most))
        if found.stretch.max() > 1.0 + 1e-6:  # too many were sure of what has no room
            price = price + np.where(found.stretch > 1.0 + 1e-6, _DEARER_MS, 0.0)
        else:
            if _gap(cost, supply, rooms, found) <= GAP:
                return Solution(found.flow, stretch, found.price)
            price = found.price
        most = 3 * most // 2
    return Transport(cost, supply).solve(room)


def _first_prices(cost: Array, supply: Array, room: Array) -> Array:
    """The prices if only the largest groups were there, with room in proportion."""
    largest = np.argsort(supply)[-LARGEST:]
    part = float(supply[largest].sum() / supply.sum())
    return Transport(cost[largest], supply[largest]).solve(room * part).price


def _in_doubt(cost: Array, supply: Array, price: Array, most: int) -> NDArray[np.bool_]:
    """The largest of those whose two best regions are about equal."""
    two = np.partition(cost + price, 1, axis=1)[:, :2]
    doubtful = np.flatnonzero((two[:, 1] < two[:, 0] + _DOUBT_MS) & (supply > 0))
    active = np.zeros(len(supply), dtype=np.bool_)
    active[doubtful[np.argsort(supply[doubtful])[-most:]]] = True
    return active


def _with_fixed(cost: Array, supply: Array, room: Array, price: Array, active: NDArray[np.bool_]) -> Solution:
    """The optimum while only the `active` groups may choose. It does not fit where `stretch` is above 1."""
    flow = np.zeros_like(cost)
    settled = np.flatnonzero(~active & (supply > 0))
    flow[settled, (cost[settled] + price).argmin(axis=1)] = supply[settled]
    left = room - flow.sum(axis=0)
    least = 1e-9 * float(supply.sum())
    if (left < -least).any():
        return Solution(flow, np.where(left < -least, 2.0, 1.0), price)
    if not active.any():
        return Solution(flow, np.ones(len(room)), price)
    small = Transport(cost[active], supply[active]).solve(np.maximum(left, least))
    flow[active] = small.flow
    return Solution(flow, small.stretch, small.price)


def _gap(cost: Array, supply: Array, room: Array, found: Solution) -> float:
    """How far the cost may be above the optimum, as a part of it."""
    moved = found.flow > 0
    paid = float((found.flow[moved] * cost[moved]).sum())
    asked = supply > 0
    cheapest = (cost[asked] + found.price).min(axis=1)
    priced = found.price > 0
    bound = float((supply[asked] * cheapest).sum() - (found.price[priced] * room[priced]).sum())
    return (paid - bound) / max(paid, 1e-9)
