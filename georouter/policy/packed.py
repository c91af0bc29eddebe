"""Record sets in columns: what a million names need as objects, in a twentieth of the memory.

names:  |owner 0|owner 1|owner 2|...           data:  |length, record|length, record|...
owner n has the sets first[n] .. first[n+1]-1; set s has type, ttl, and records data_at[s] .. data_at[s+1]
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from georouter.policy.model import RecordSet


class PackedRecords(Sequence[RecordSet]):
    """Immutable. Sets of one owner stand together; every (owner, type) is there once. See `pack`.

    Reads as a sequence of `RecordSet`, made when asked for. Pickles as a few blocks of bytes.
    """

    __slots__ = ("_data", "_data_at", "_first", "_name_at", "_names", "_ttls", "_types")

    def __init__(  # noqa: PLR0917 - the columns
        self,
        names: bytes,
        name_at: "array[int]",
        first: "array[int]",
        types: "array[int]",
        ttls: "array[int]",
        data: bytes,
        data_at: "array[int]",
    ) -> None:
        """`name_at` and `first` have one entry more than there are owners, `data_at` one more than sets."""
        self._names = names
        self._name_at = name_at
        self._first = first
        self._types = types
        self._ttls = ttls
        self._data = data
        self._data_at = data_at

    @property
    def owners(self) -> int:
        """How many names have records."""
        return len(self._name_at) - 1

    @property
    def octets(self) -> int:
        """Of all names and records together."""
        return len(self._names) + len(self._data)

    def owner(self, number: int) -> bytes:
        """The name of an owner, in lower-case wire format."""
        return self._names[self._name_at[number] : self._name_at[number + 1]]

    def owner_of(self, index: int) -> bytes:
        """The name that a set belongs to."""
        return self.owner(bisect_right(self._first, index) - 1)

    def names(self) -> Iterator[bytes]:
        """Every owner's name, in order."""
        start = 0
        for stop in self._name_at[1:]:
            yield self._names[start:stop]
            start = stop

    def of_type(self, number: int) -> Iterator[int]:
        """The numbers of the sets of a type."""
        index = -1
        while True:
            try:
                index = self._types.index(number, index + 1)
            except ValueError:
                return
            yield index

    def span(self, number: int) -> range:
        """The numbers of an owner's sets."""
        return range(self._first[number], self._first[number + 1])

    def sets(self, number: int) -> dict[int, RecordSet]:
        """An owner's sets by type."""
        name = self.owner(number)
        return {self._types[index]: self._make(name, index) for index in self.span(number)}

    def type(self, index: int) -> int:
        """The record type of a set."""
        return self._types[index]

    def ttl_s(self, index: int) -> int:
        """The TTL of a set."""
        return self._ttls[index]

    def records(self, index: int) -> bytes:
        """A set's records, each with its length (two octets) before it: as they stand in messages."""
        return self._data[self._data_at[index] : self._data_at[index + 1]]

    def __len__(self) -> int:
        return len(self._types)

    def __iter__(self) -> Iterator[RecordSet]:
        for number, name in enumerate(self.names()):
            for index in self.span(number):
                yield self._make(name, index)

    @overload
    def __getitem__(self, index: int) -> RecordSet: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RecordSet, ...]: ...
    def __getitem__(self, index: int | slice) -> RecordSet | tuple[RecordSet, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(len(self))[index])
        at = range(len(self))[index]
        return self._make(self.owner_of(at), at)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PackedRecords):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self._names, self._data))

    def __repr__(self) -> str:
        return f"PackedRecords({len(self)} sets of {self.owners} owners)"

    def _make(self, name: bytes, index: int) -> RecordSet:
        return RecordSet(name, self._types[index], self._ttls[index], tuple(split(self.records(index))))


def split(records: bytes) -> Iterator[bytes]:
    """The records of `PackedRecords.records`, without their lengths."""
    at = 0
    while at < len(records):
        stop = at + 2 + int.from_bytes(records[at : at + 2])
        yield records[at + 2 : stop]
        at = stop


def pack(sets: Iterable[RecordSet]) -> PackedRecords:
    """`sets` in columns, owners in the order in which they appear first."""
    if isinstance(sets, PackedRecords):
        return sets
    by_owner: dict[bytes, list[RecordSet]] = {}
    for item in sets:
        by_owner.setdefault(item.owner, []).append(item)
    name_at, first = array("I", [0]), array("I", [0])
    types, ttls, data_at = array("H"), array("I"), array("I", [0])
    data = bytearray()
    for name, held in by_owner.items():
        name_at.append(name_at[-1] + len(name))
        first.append(first[-1] + len(held))
        for item in held:
            types.append(item.type)
            ttls.append(item.ttl_s)
            for rdata in item.rdatas:
                data += len(rdata).to_bytes(2) + rdata
            data_at.append(len(data))
    return PackedRecords(b"".join(by_owner), name_at, first, types, ttls, bytes(data), data_at)
