"""Splitting tiers and finding distinct rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from georouter.routing import tiers as module
from georouter.routing.tiers import FALLBACK_TIER, OUTSIDE, in_order, split, start, unique_rows


def rows(*cells: list[int]) -> module.TierArray:
    """Tiers written as lists."""
    return np.array(cells, dtype=np.int16)


def test_start_keeps_fallback_regions_apart() -> None:
    """A chain begins with the service's own regions equal and the others out of reach."""
    assert start(2, 2, 3).tolist() == [[0, 0, FALLBACK_TIER]] * 2


def test_split_refines_each_tier_and_leaves_marked_cells() -> None:
    """Keys order regions inside a tier only; fenced and fallback cells stay; no gaps remain."""
    before = rows([0, 0, 4, 4, OUTSIDE, FALLBACK_TIER])
    keys = np.array([[9, 2, 1, 1, 0, 0]])
    assert split(before, keys).tolist() == [[1, 0, 2, 2, OUTSIDE, FALLBACK_TIER]]


def test_split_of_nothing() -> None:
    """No places, no rows."""
    assert split(start(0, 2, 2), np.zeros((1, 2), dtype=np.int32)).shape == (0, 2)


def test_in_order_is_the_services_own_order() -> None:
    """Every region becomes a tier of its own, in column order within its old tier."""
    assert in_order(rows([1, 0, 0, 1])).tolist() == [[2, 0, 1, 3]]


@given(arrays(np.int16, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-1, 2)))
def test_unique_rows_rebuilds_its_input(cells: module.TierArray) -> None:
    """`first` and `inverse` give the array back, once per distinct row, in order of appearance."""
    first, inverse = unique_rows(cells)
    assert np.array_equal(cells[first][inverse], cells)
    assert len({tuple(row) for row in cells.tolist()}) == len(first)
    assert list(first) == sorted(first)


def test_unique_rows_survives_colliding_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the hash were useless, rows would be compared by their bytes."""
    cells = rows([1, 2], [3, 4], [1, 2])
    monkeypatch.setattr(module, "_hash_rows", lambda rows: np.zeros(len(rows), dtype=np.uint64))
    first, inverse = unique_rows(cells)
    assert np.array_equal(cells[first][inverse], cells)
    assert list(first) == [0, 1]


@given(
    arrays(np.int16, (4, 6), elements=st.integers(-1, 3)),
    arrays(np.int32, (4, 6), elements=st.integers(0, 3)),
)
def test_split_only_refines(cells: module.TierArray, keys: NDArray[np.int32]) -> None:
    """Regions in order stay in order, and equal ones are parted by their keys alone."""
    after = split(cells, keys)
    for row in range(4):
        for one in range(6):
            for other in range(6):
                if cells[row, one] < 0 or cells[row, other] < 0:
                    assert (after[row, one] == OUTSIDE) == (cells[row, one] == OUTSIDE)
                    continue
                before = (cells[row, one], keys[row, one])
                assert (before < (cells[row, other], keys[row, other])) == (
                    after[row, one] < after[row, other]
                )
