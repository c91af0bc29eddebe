import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.geo.decode import MISSING, SKIPPED_VALUES, Section
from tests.geo.writer import Float, encode, pointer


def section(*values: bytes) -> tuple[Section, "np.ndarray[Any, np.dtype[np.int64]]"]:
    """A section of these values, and where each begins."""
    starts = np.cumsum([0, *(len(value) for value in values)])[:-1].astype(np.int64)
    return Section(memoryview(b"".join(values))), starts


values = st.recursive(
    st.one_of(
        st.text(max_size=400),
        st.integers(-(2**31), 2**64 - 1),
        st.floats(allow_nan=False),
        st.booleans(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=40), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(values, min_size=1, max_size=6))
def test_skip_finds_where_the_next_value_begins(items: list[Any]) -> None:
    """For any values, whatever they hold."""
    data, starts = section(*(encode(item) for item in items), b"\xa0")
    assert data.skip(starts[:-1]).tolist() == starts[1:].tolist()


@pytest.mark.parametrize("length", [0, 28, 29, 284, 285, 286, 65820, 65821, 70000])
def test_texts_of_every_length_form(length: int) -> None:
    """The size takes none, one, two or three further bytes."""
    data, starts = section(encode("first"), encode("é" * (length // 2) + "x" * (length % 2)), encode("last"))
    index, names = data.texts(starts)
    assert [names[number] for number in index] == ["first", "é" * (length // 2) + "x" * (length % 2), "last"]


@pytest.mark.parametrize("target", [0, 2047, 2048, 526335, 526336, 600000])
def test_pointers_of_every_form(target: int) -> None:
    """One to four bytes, each with its own base."""
    octets = bytearray(600_020)
    octets[target : target + 4] = encode("abc")
    begin = len(octets)
    data = Section(memoryview(bytes(octets) + pointer(target) + b"\x38" + target.to_bytes(4, "big")))
    index, names = data.texts(np.array([begin, begin + len(pointer(target))], np.int64))
    assert [names[number] for number in index] == ["abc", "abc"]


def test_numbers_of_every_type() -> None:
    """Integers may be shorter than their type; texts are no numbers."""
    numbers = [0, 1, 255, 65535, 65536, 2**32 - 1, 2**32, 2**53, -7, 1.5, -0.25, Float(2.5), "8", True, {}]
    data, starts = section(*(encode(number) for number in numbers))
    found = data.numbers(starts)
    assert found[:12].tolist() == [0, 1, 255, 65535, 65536, 2**32 - 1, 2**32, 2**53, -7, 1.5, -0.25, 2.5]
    assert np.isnan(found[12:]).all()


def test_fields_of_different_records() -> None:
    """Each row has its own keys in its own order; what a row lacks is MISSING."""
    rows = [{"a": 1, "b": {"x": "y"}}, {"b": 2}, {}, {"c": [1, 2], "a": "t"}]
    data, starts = section(*(encode(row) for row in rows), encode("no map"))
    found = data.fields(starts)
    assert set(found) == {"a", "b", "c"}
    assert (found["a"] == MISSING).tolist() == [False, True, True, False, True]
    assert data.numbers(found["b"][1:2]).tolist() == [2]
    index, names = data.texts(found["a"][[0, 3]])
    assert index[0] == MISSING
    assert names[index[1]] == "t"
    assert (data.first_members(found["c"][3:4]) != MISSING).tolist()[0]


def test_first_members() -> None:
    """Empty arrays and other values have none."""
    data, starts = section(encode(["a", "b"]), encode([]), encode("text"))
    found = data.first_members(starts)
    assert found.tolist()[1:] == [MISSING, MISSING]
    assert data.texts(found[:1])[1] == ["a"]


READERS: tuple[Callable[[Section, Any], object], ...] = (
    Section.headers, Section.skip, Section.fields, Section.texts, Section.numbers, Section.first_members,
)  # fmt: skip


@pytest.mark.parametrize("read", READERS)
def test_offsets_outside(read: Callable[[Section, Any], object]) -> None:
    """Behind the end, and before the beginning."""
    data, _ = section(encode("text"))
    for offset in (5, 1000, -1):
        with pytest.raises(ValueError, match="outside"):
            read(data, np.array([offset], np.int64))


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"\x45abc", "past the end"),
        (b"\x42\xff\xff", "UTF-8"),
        (pointer(5) + b"\0\0\0" + pointer(0), "outside|pointer"),
        (b"\x00\x09", "unknown type"),
        (b"\x00\x00", "unknown type"),
    ],
)
def test_broken_texts(octets: bytes, message: str) -> None:
    """Each is refused for its own reason."""
    with pytest.raises(ValueError, match=message):
        Section(memoryview(octets)).texts(np.array([0], np.int64))


def test_pointer_to_pointer() -> None:
    """The format forbids it; following them could go round for ever."""
    octets = pointer(2) + pointer(0)
    with pytest.raises(ValueError, match="leads to a pointer"):
        Section(memoryview(octets)).texts(np.array([0], np.int64))


@pytest.mark.parametrize("octets", [b"\x67abcdefg", b"\xa3abc", b"\x68abc", b"\xc5abcde"])
def test_numbers_of_the_wrong_length(octets: bytes) -> None:
    """A double of 7 bytes, a number cut off, a number longer than its type."""
    with pytest.raises(ValueError, match="wrong length"):
        Section(memoryview(octets)).numbers(np.array([0], np.int64))


def test_giants_are_refused() -> None:
    """A count that no record has means that the bytes are not a record."""
    with pytest.raises(ValueError, match="too many fields"):
        Section(memoryview(b"\xfe\x10\x00" + bytes(9000))).fields(np.array([0], np.int64))
    many = encode([0] * (SKIPPED_VALUES + 10))
    with pytest.raises(ValueError, match="too many values"):
        Section(memoryview(many)).skip(np.array([0], np.int64))
    with pytest.raises(ValueError, match="name is not a text"):
        Section(memoryview(b"\xe1" + encode(5) + encode("a"))).fields(np.array([0], np.int64))


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes(seed: int) -> None:
    """A result or a ValueError, nothing else."""
    dice = random.Random(seed)
    for _ in range(30):
        data = Section(memoryview(dice.randbytes(dice.randrange(1, 60))))
        for read in READERS:
            try:
                read(data, np.array([0], np.int64))
            except ValueError as error:
                assert str(error)  # noqa: PT017
