"""The meet of stretches, against walking them."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.analysis.meeting import Meeting

AND = np.array([[one & other for other in range(8)] for one in range(8)], dtype=np.int32)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=40), st.data())
def test_every_stretch_is_its_walk(values: list[int], data: st.DataObject) -> None:
    """Any stretch of any ranges gives what intersecting them one by one gives."""
    stretches = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(values) - 1), st.integers(0, len(values) - 1)).map(sorted),
            max_size=10,
        )
    )
    meeting = Meeting(np.array(values, dtype=np.int32), AND, 0)
    first, last = (np.array([pair[end] for pair in stretches], dtype=np.intp) for end in (0, 1))
    wanted = [reduce(lambda one, other: one & other, values[low : high + 1]) for low, high in stretches]
    assert meeting.over(first, last).tolist() == wanted


@pytest.mark.parametrize(
    ("change", "bottom"),
    [((3, 3, 1), None), ((1, 2, 1), None), ((0, 1, 1), 0)],
    ids=["not idempotent", "not commutative", "not the bottom"],
)
def test_what_is_no_meet_is_refused(change: tuple[int, int, int], bottom: int | None) -> None:
    """A table in which the order matters would make nonsense of the packet path's walk, too."""
    table = AND.copy()
    table[change[0], change[1]] = change[2]
    with pytest.raises(ValueError, match="no meet"):
        Meeting(np.zeros(1, dtype=np.int32), table, bottom)
