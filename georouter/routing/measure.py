"""Splitting tiers by a measure between clients and regions (distance, round-trip time)."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.routing.scene import Scene
from georouter.routing.tiers import CLIENT_TIERS, FALLBACK_TIER, TierArray, in_order, is_ranked, unique_rows

Costs: TypeAlias = NDArray[np.int32]
"""Shape (R, N): thousandths of the step's unit (metres, microseconds). Whole numbers, so that a last
bit of floating point never decides, and one place alone ranks as it does among many."""

Measure: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], Costs]
"""Latitudes and longitudes (N each) -> the cost of every region for each of them."""

CHUNK = 16384
"""Places at a time: 30 regions x 16384 x 4 bytes stay in the cache."""

NOTHING = np.iinfo(np.int32).max


def refine(tiers: TierArray, scene: Scene, measure: Measure, tolerance: float) -> TierArray:
    """Split every tier into groups: all within `tolerance` of its best member, then the next, and so on.

    The first `CLIENT_TIERS` tiers of the result are measured from the client's place; whatever is
    left is ordered as a client standing at the first region would see it (the earliest of tier 0 in
    service order). Regions with the same cost are equal even at tolerance 0. A place without
    coordinates gets the service's own order within each tier.
    """
    lat = scene.places.lat.astype(np.float64)
    lon = scene.places.lon.astype(np.float64)
    placed = np.isfinite(lat) & np.isfinite(lon)
    slack = min(round(tolerance * 1000), NOTHING)
    onward = measure(scene.lat, scene.lon).T
    result = np.empty_like(tiers)
    lost = np.flatnonzero(~placed)
    result[lost] = in_order(tiers[lost])
    found = np.flatnonzero(placed)
    for begin in range(0, len(found), CHUNK):
        rows = found[begin : begin + CHUNK]
        heads = _heads(tiers[rows], measure(lat[rows], lon[rows]), slack)
        first, inverse = unique_rows(heads)
        result[rows] = _tails(heads[first], onward, slack)[inverse]
    return result


def _heads(tiers: TierArray, costs: Costs, slack: int) -> TierArray:
    """The first tiers, by the client. Cells not reached hold their old tier plus `CLIENT_TIERS`."""
    waiting = np.ascontiguousarray(tiers.T)
    waiting = np.where(waiting < 0, np.int16(FALLBACK_TIER), waiting)
    made = np.where(is_ranked(tiers), tiers + np.int16(CLIENT_TIERS), tiers).T.copy()
    for number in range(CLIENT_TIERS):
        _take(waiting, made, costs, slack, number)
    return np.ascontiguousarray(made.T)


def _tails(heads: TierArray, onward: NDArray[np.int32], slack: int) -> TierArray:
    """Finish rows from `_heads`: the rest by the measure from their first region."""
    rest = is_ranked(heads) & (heads >= CLIENT_TIERS)
    if not rest.any():
        return heads
    home = np.argmax(heads == 0, axis=1)
    costs = np.ascontiguousarray(onward[home].T)
    waiting = np.ascontiguousarray(np.where(rest, heads, np.int16(FALLBACK_TIER)).T)
    made = heads.T.copy()
    for number in range(CLIENT_TIERS, heads.shape[1]):
        if not _take(waiting, made, costs, slack, number):
            break
    return np.ascontiguousarray(made.T)


def _take(waiting: TierArray, made: TierArray, costs: Costs, slack: int, number: int) -> bool:
    """Move the best group of each column's earliest waiting tier to tier `number`; False when none waits.

    Arrays are (R, N): a column is a place.
    """
    earliest = waiting.min(axis=0)
    candidates = (waiting == earliest) & (earliest != FALLBACK_TIER)
    if not candidates.any():
        return False
    offered = np.where(candidates, costs, NOTHING)
    best = offered.min(axis=0)
    limit = np.minimum(best.astype(np.int64) + slack, NOTHING - 1).astype(np.int32)
    taken = offered <= limit
    made[taken] = number
    waiting[taken] = FALLBACK_TIER
    return True
