"""Packed record sets read like the sets they were made of."""

import pickle

import pytest

from georouter.policy.model import RecordSet
from georouter.policy.packed import PackedRecords, pack

SETS = (
    RecordSet(b"\1a\0", 1, 300, (b"\1\2\3\4", b"\1\2\3\5")),
    RecordSet(b"\1a\0", 16, 60, (b"\0",)),
    RecordSet(b"\0", 6, 0, (b"x" * 300,)),
    RecordSet(b"\1b\0", 65280, 2**31 - 1, (b"",)),
)


def test_a_sequence_of_sets() -> None:
    """In order, by index, by slice, in reverse; as often as one likes."""
    packed = pack(SETS)
    assert tuple(packed) == tuple(packed) == SETS
    assert [packed[index] for index in range(4)] == list(SETS)
    assert packed[-1] == SETS[-1]
    assert packed[1:3] == SETS[1:3]
    assert tuple(reversed(packed)) == SETS[::-1]
    assert (len(packed), packed.owners) == (4, 3)
    with pytest.raises(IndexError):
        packed[4]


def test_by_owner() -> None:
    """Names, and what each has."""
    packed = pack((SETS[1], SETS[3], SETS[0]))
    assert list(packed.names()) == [b"\1a\0", b"\1b\0"]
    assert packed.sets(0) == {16: SETS[1], 1: SETS[0]}
    assert list(packed.span(1)) == [2]
    assert (packed.type(2), packed.ttl_s(2), packed.records(0)) == (65280, 2**31 - 1, b"\0\1\0")


def test_equality_and_pickles() -> None:
    """By content; a pickle is little more than the content."""
    packed = pack(SETS)
    assert packed == pack(packed) == pickle.loads(pickle.dumps(packed))
    assert hash(packed) == hash(pack(SETS))
    assert packed != pack(SETS[:2])
    assert packed != SETS
    many = pack(RecordSet(b"\6%06d\0" % number, 1, 300, (b"\1\2\3\4",)) for number in range(10000))
    assert len(pickle.dumps(many)) < 10000 * 40
    assert isinstance(many, PackedRecords)
    assert repr(many) == "PackedRecords(10000 sets of 10000 owners)"


def test_nothing() -> None:
    """No records are records, too."""
    assert (list(pack(())), pack(()).owners) == ([], 0)
