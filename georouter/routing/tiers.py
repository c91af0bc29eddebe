"""Arrays of tiers (places x regions) and the ways a step may change them.

A cell holds the tier of one region for one place: 0 answers first. `OUTSIDE` means a fence keeps the
region from clients of that place; `FALLBACK_TIER` marks regions that only `when_all_down: fallback`
may use: no ranking step touches either. Rule 1: a step splits tiers, it never merges them or carries
a region past another tier. Rule 2: only the first `CLIENT_TIERS` tiers made by a measure (distance,
time) depend on the client.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

TierArray: TypeAlias = NDArray[np.int16]
"""Shape (P, R)."""

OUTSIDE = -1
FALLBACK_TIER = 32767
"""The largest int16, so that it sorts behind every real tier."""

CLIENT_TIERS = 3
"""How many tiers a measure orders by the client; the rest follow from the first region. With 30
regions three tiers make thousands of distinct rankings, full orders tens of thousands."""


def start(places: int, regions: int, universe: int) -> TierArray:
    """Where a chain begins: the service's own regions in tier 0, fallback-only regions apart."""
    tiers = np.zeros((places, universe), dtype=np.int16)
    tiers[:, regions:] = FALLBACK_TIER
    return tiers


def is_ranked(tiers: TierArray) -> NDArray[np.bool_]:
    """Which cells hold a real tier."""
    ranked: NDArray[np.bool_] = (tiers >= 0) & (tiers != FALLBACK_TIER)
    return ranked


def split(tiers: TierArray, keys: NDArray[np.integer]) -> TierArray:
    """Split every tier by `keys` (non-negative, shape (P, R) or (1, R)): smaller keys first.

    The result has no gaps between tier numbers.
    """
    steps = np.int32(int(keys.max(initial=0)) + 1)
    wide = tiers.astype(np.int32) * steps + keys.astype(np.int32)
    np.copyto(wide, np.int32(OUTSIDE), where=tiers < 0)
    np.copyto(wide, np.int32(OUTSIDE - 1), where=tiers == FALLBACK_TIER)
    first, inverse = unique_rows(wide)
    return _dense(wide[first], tiers[first])[inverse]


def in_order(tiers: TierArray) -> TierArray:
    """Split every tier into single regions in the service's own order."""
    return split(tiers, np.arange(tiers.shape[1], dtype=np.int32)[None, :])


def _dense(keys: NDArray[np.int32], tiers: TierArray) -> TierArray:
    """Number the distinct keys of each row 0, 1, 2, ...; unranked cells stay as they are."""
    ranked = is_ranked(tiers)
    keys = np.where(ranked, keys, np.iinfo(np.int32).max)
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    numbers = np.zeros(keys.shape, dtype=np.int16)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=numbers[:, 1:])
    result = np.empty(keys.shape, dtype=np.int16)
    np.put_along_axis(result, order, numbers, axis=1)
    np.copyto(result, tiers, where=~ranked)
    return result


def unique_rows(rows: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Distinct rows: `(first, inverse)` such that `rows[first][inverse]` equals `rows`.

    `first` is ascending, so ids follow the order in which rows first appear. Rows are compared by a
    64-bit hash and the result is verified; a collision falls back to comparing the rows' bytes.
    """
    hashed = _hash_rows(rows)
    _, first, inverse = np.unique(hashed, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][inverse], rows):
        packed = np.ascontiguousarray(rows)
        width = packed.dtype.itemsize * packed.shape[1]
        _, first, inverse = np.unique(
            packed.view(np.dtype((np.void, width))).ravel(), return_index=True, return_inverse=True
        )
    order = np.argsort(first, kind="stable")
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    return first[order], position[inverse.ravel()]


def _hash_rows(rows: NDArray[np.integer]) -> NDArray[np.uint64]:
    """A 64-bit hash per row: eight bytes at a time, multiply and shift (the mixing of splitmix64)."""
    width = rows.shape[1] * rows.dtype.itemsize
    padded = np.zeros((rows.shape[0], -(-width // 8) * 8 // rows.dtype.itemsize), dtype=rows.dtype)
    padded[:, : rows.shape[1]] = rows
    words = padded.view(np.uint64)
    hashed = np.zeros(rows.shape[0], dtype=np.uint64)
    for column in range(words.shape[1]):
        hashed ^= words[:, column]
        hashed *= np.uint64(0xBF58476D1CE4E5B9)
        hashed ^= hashed >> np.uint64(31)
        hashed += np.uint64(0x9E3779B97F4A7C15)
    return hashed
