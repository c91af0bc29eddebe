from dataclasses import replace
from ipaddress import ip_address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.ranges import locate, scope
from georouter.answers.tables import LOCAL
from georouter.compiler.ranges import Ground, one_for_all, range_table
from tests.compiler.build import tiny_map


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 3)), max_size=40), st.integers(0, 3))
def test_merging_keeps_every_address(rows: list[tuple[int, int]], first: int) -> None:
    """Merged tables say the same of every range start, and neighbours differ."""
    pairs = sorted({0: first, **dict(rows)}.items())
    starts = np.array([start for start, _ in pairs], dtype=np.uint32)
    values = np.array([value for _, value in pairs], dtype=np.int32)
    table = range_table(starts, values, "I")
    assert table.starts[0] == 0
    assert all(left != right for left, right in zip(table.values, table.values[1:], strict=False))
    for start, value in pairs:
        assert table.values[locate(table, start)] == value


def test_array_types_and_shares() -> None:
    """IPv4 starts are `I`, IPv6 starts `Q`; shares are parts of the IPv4 address space."""
    ids = np.array([0, 1, 1, 0, 2, 2], dtype=np.int32)
    ranges = Ground(tiny_map()).range_map(ids)
    assert (ranges.v4.starts.typecode, ranges.v6.starts.typecode, ranges.v4.values.typecode) == (
        "I",
        "Q",
        "I",
    )
    assert ranges.v4.starts.tolist() == [0, 10 << 24, 30 << 24, 40 << 24]
    assert ranges.v6.values.tolist() == [0, 1, 0, 2]
    assert ranges.v6.starts[1] == 0x2100 << 48
    parts = Ground(tiny_map()).shares(ids, 4)
    assert parts.tolist() == [20 / 256, 20 / 256, 216 / 256, 0.0]


def test_one_range_of_everybody() -> None:
    """Whole where all get the same; in halves where a family has only one value, so that no scope is 0."""
    whole = one_for_all()
    for table, bits in ((whole.v4, 32), (whole.v6, 64)):
        assert (table.starts.tolist(), table.values.tolist()) == ([0], [0])
        assert scope(table, 0, 1 << 20, bits) == 0
    lone = replace(tiny_map([0], [4]), place6=np.zeros(6, dtype=np.uint32) + 4)
    halved = Ground(lone).client_map(np.array([9, 9, 9, 9, 7, 9], dtype=np.int32))
    assert halved.v4.starts.tolist() == [0, 1 << 31]
    assert halved.v6.starts.tolist() == [0, 1 << 63]
    for table, bits in ((halved.v4, 32), (halved.v6, 64)):
        assert table.values.tolist() == [7, 7]
        assert [scope(table, half, half << bits - 1, bits) for half in (0, 1)] == [1, 1]


def test_networks_that_are_nobodys_place() -> None:
    """Marked where neither map nor operator places them; everything else is as in `range_map`."""
    ids = np.array([3, 1, 1, 0, 2, 2], dtype=np.int32)
    plain, marked = Ground(tiny_map()).range_map(ids), Ground(tiny_map()).client_map(ids)
    for text, value in (
        ("0.0.0.1", 3 | LOCAL),
        ("1.0.0.0", 3),
        ("10.1.2.3", 1),  # the tiny map has Berlin there
        ("192.168.0.1", 2),
        ("::1", 3 | LOCAL),
        ("2001:db8::", 3 | LOCAL),
        ("2001:db9::", 3),
        ("fd00::", 2),
    ):
        address = ip_address(text)
        of_family = "v4" if address.version == 4 else "v6"
        number = int(address) >> (0 if address.version == 4 else 64)
        table = getattr(marked, of_family)
        assert table.values[locate(table, number)] == value
        table = getattr(plain, of_family)
        assert table.values[locate(table, number)] == value & ~LOCAL
