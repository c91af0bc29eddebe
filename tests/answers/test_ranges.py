"""Ranges: where an address falls, and the exact scope."""

from array import array
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.ranges import locate, scope
from georouter.answers.tables import RangeTable
from tests.answers.build import V4_RANGES, table4


def table_of(bits: int, starts: set[int]) -> RangeTable:
    """A table with these starts and 0, its values alternating."""
    ordered = sorted(starts | {0})
    code = "I" if bits == 32 else "Q"
    return RangeTable(array(code, ordered), array("I", [index % 2 for index in range(len(ordered))]))


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, RangeTable, int]:
    """(bits, a table, an address), with starts near each other and near the address often enough."""
    bits = draw(st.sampled_from((32, 64)))
    top = 2**bits - 1
    anywhere = st.integers(0, top)
    near = st.builds(lambda base, step: min(top, max(0, base + step)), anywhere, st.integers(-300, 300))
    cuts = st.builds(lambda length, index: (index << (bits - length)) & top, st.integers(0, 24), anywhere)
    starts = draw(st.sets(st.one_of(anywhere, near, cuts), max_size=20))
    table = table_of(bits, starts)
    address = draw(st.one_of(anywhere, st.sampled_from(list(table.starts))))
    if draw(st.booleans()):
        address = max(0, address - 1)
    return bits, table, address


def block(bits: int, address: int, length: int) -> tuple[int, int]:
    """First and last address of the prefix round an address."""
    size = 1 << (bits - length)
    first = address & ~(size - 1)
    return first, first + size - 1


@given(tables())
def test_locate_finds_the_range(drawn: tuple[int, RangeTable, int]) -> None:
    """The range starts at or before the address, the next one after it."""
    _, table, address = drawn
    index = locate(table, address)
    assert table.starts[index] <= address
    assert index + 1 == len(table.starts) or address < table.starts[index + 1]


@given(tables())
def test_every_address_in_a_scope_lies_in_the_range(drawn: tuple[int, RangeTable, int]) -> None:
    """The scope's first and last address are in the range of the address it was made for."""
    bits, table, address = drawn
    index = locate(table, address)
    first, last = block(bits, address, scope(table, index, address, bits))
    assert locate(table, first) == locate(table, last) == index


@given(tables())
def test_a_scope_is_the_shortest_possible(drawn: tuple[int, RangeTable, int]) -> None:
    """One bit less reaches into a neighbour, or there is no bit less."""
    bits, table, address = drawn
    index = locate(table, address)
    length = scope(table, index, address, bits)
    assert 0 <= length <= bits
    if length:
        first, last = block(bits, address, length - 1)
        assert locate(table, first) != index or locate(table, last) != index


@given(tables(), st.integers(0, 2**64 - 1))
def test_scopes_never_overlap(drawn: tuple[int, RangeTable, int], other: int) -> None:
    """Two scopes of one table are equal or disjoint."""
    bits, table, address = drawn
    other >>= 64 - bits
    one = block(bits, address, scope(table, locate(table, address), address, bits))
    two = block(bits, other, scope(table, locate(table, other), other, bits))
    assert one == two or one[1] < two[0] or two[1] < one[0]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", "0.0.0.0/2"),
        ("81.1.2.3", "81.0.0.0/15"),
        ("81.2.69.142", "81.2.69.128/27"),
        ("81.2.69.160", "81.2.69.160/27"),
        ("81.2.69.192", "81.2.69.192/26"),
        ("82.0.0.1", "82.0.0.0/7"),
        ("255.255.255.255", "128.0.0.0/1"),
    ],
)
def test_scopes_of_known_ranges(address: str, expected: str) -> None:
    """Scopes that one can check by looking at the table."""
    table = table4(V4_RANGES)
    value = int(ip_address(address))
    length = scope(table, locate(table, value), value, 32)
    assert ip_network(f"{address}/{length}", strict=False) == ip_network(expected)


def test_one_range_has_scope_zero() -> None:
    """Where nothing depends on the address, one answer is good for all."""
    table = table4([("0.0.0.0", 3)])
    assert scope(table, 0, int(ip_address("192.0.2.1")), 32) == 0
