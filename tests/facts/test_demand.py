"""Where clients are: the prior at first, the queries in the end, with fading memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from georouter.facts.demand import HALF_LIFE_S, PRIOR_QUERIES, Census, division, observe

PRIOR = np.array([3.0, 1.0, 4.0])
SLOTS = np.array([0, 1, 1])


def counters(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Counters of four slots."""
    return np.array([*values, *[0.0] * (4 - len(values))])


def test_without_queries_it_is_the_address_space() -> None:
    """Parts of one; evenly where not even that is known."""
    assert division(PRIOR, SLOTS, None) == pytest.approx([3 / 8, 1 / 8, 4 / 8])
    assert division(np.zeros(2), np.array([0, 1]), None) == pytest.approx([0.5, 0.5])


def test_queries_take_over() -> None:
    """Many of them outweigh the prior; rankings that share a slot divide it by address space."""
    census = observe(observe(None, counters(), 0.0), counters(0, PRIOR_QUERIES * 999), 0.0)
    assert division(PRIOR, SLOTS, census) == pytest.approx([0.0, 0.2, 0.8], abs=0.001)
    half = observe(observe(None, counters(), 0.0), counters(PRIOR_QUERIES, 0), 0.0)
    assert division(PRIOR, SLOTS, half) == pytest.approx([11 / 16, 1 / 16, 4 / 16])


def test_queries_fade() -> None:
    """After a half-life half of them count; a clock that goes back fades nothing."""
    first = observe(observe(None, counters(), 0.0), counters(100, 20), 0.0)
    assert observe(first, counters(100, 20), HALF_LIFE_S).faded[:2] == pytest.approx([50, 10])
    assert observe(first, counters(110, 20), -5000.0).faded[:2] == pytest.approx([110, 20])


def test_counters_that_begin_anew() -> None:
    """After a reload that changed the layout everything counted is news."""
    census = observe(observe(None, counters(), 0.0), counters(100, 20), 0.0)
    again = observe(census, counters(7, 0), 0.0)
    assert again.faded[:2] == pytest.approx([107, 20])
    assert len(observe(census, np.zeros(8), 0.0).faded) == 8


@given(
    prior=arrays.arrays(np.float64, 5, elements=st.floats(0, 1e9)),
    asked=arrays.arrays(np.float64, 4, elements=st.floats(0, 1e9)),
    slots=arrays.arrays(np.int64, 5, elements=st.integers(0, 3)),
)
def test_a_division_is_one(
    prior: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    asked: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    slots: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> None:
    """Whatever was counted, parts are not negative and sum to one."""
    made = division(prior, slots, Census(0.0, asked, asked))
    assert (made >= 0).all()
    assert made.sum() == pytest.approx(1.0)
