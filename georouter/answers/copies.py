"""Zones as secondaries may have them: the content, who may ask for it, and what changed lately.

    Copies --apex--> Copy = Content (the records of one serial) + Grant (who may) + Delta, Delta, ... (IXFR)

A `Content` comes from the compiler and does not depend on health; `Copies` is filled by whoever
publishes, by one store per attribute, so that every thread that answers sees one or the other.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from struct import pack
from typing import Protocol, TypeAlias

from georouter.answers.networks import NOBODY, Networks
from georouter.wire.codes import TYPE_SOA
from georouter.wire.tsig import Key

Record: TypeAlias = tuple[bytes, bytes]
"""Owner (uncompressed wire form), and the rest of the record from its type on."""


class Records(Protocol):
    """Record sets in columns, as `policy.packed.PackedRecords` holds them."""

    def names(self) -> Iterator[bytes]:
        """Every owner, in order."""
        ...

    def span(self, number: int) -> range:
        """The numbers of an owner's sets."""
        ...

    def owner_of(self, index: int) -> bytes:
        """The owner of a set."""
        ...

    def type(self, index: int) -> int:
        """The record type of a set."""
        ...

    def ttl_s(self, index: int) -> int:
        """The TTL of a set."""
        ...

    def records(self, index: int) -> bytes:
        """A set's records, each behind its length in two octets."""
        ...

    def __len__(self) -> int:
        """How many sets there are."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """All records of a zone at one serial but the SOA, whose data is `soa`.

    `records` are the zone's own, `more` what is made for secondaries: default answers of steered names,
    delegations to zones of ours. `marks` has a number per set of both, in order: equal for sets that are
    equal, 0 for those that are left out. `digest` tells this content from others, whatever its serial.
    """

    apex: bytes
    serial: int
    soa: bytes
    soa_ttl_s: int
    records: Records
    more: Records
    marks: "array[int]"
    digest: str
    steered: bool
    """Whether any name of it is steered."""
    octets: int
    """Of all its names and records, about."""

    def start(self) -> Record:
        """The SOA record, which begins and ends every transfer."""
        return self.apex, pack("!HHIH", TYPE_SOA, 1, self.soa_ttl_s, len(self.soa)) + self.soa

    def __iter__(self) -> Iterator[Record]:
        """Every record, the SOA left out."""
        marks, base = self.marks, 0
        for columns in (self.records, self.more):
            for number, owner in enumerate(columns.names()):
                for index in columns.span(number):
                    if marks[base + index]:
                        yield from _records(owner, columns, index)
            base += len(columns)

    def at(self, place: int) -> Iterator[Record]:
        """The records of one set, by its place in `marks`."""
        columns = self.records
        if place >= len(columns):
            place -= len(columns)
            columns = self.more
        return _records(columns.owner_of(place), columns, place)


def _records(owner: bytes, columns: Records, index: int) -> Iterator[Record]:
    head = pack("!HHI", columns.type(index), 1, columns.ttl_s(index))
    records = columns.records(index)
    at, size = 0, len(records)
    while at < size:
        stop = at + 2 + (records[at] << 8 | records[at + 1])
        yield owner, head + records[at:stop]
        at = stop


@dataclass(frozen=True, slots=True)
class Delta:
    """What leads from one serial to the next (RFC 1995 4): SOA records, and the records gone and come."""

    serial: int
    """That of `before`."""
    before: Record
    after: Record
    removed: tuple[Record, ...]
    added: tuple[Record, ...]
    octets: int

    def __iter__(self) -> Iterator[Record]:
        """In the order in which an IXFR has them."""
        yield self.before
        yield from self.removed
        yield self.after
        yield from self.added


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may have a zone: clients in one of `networks`, and those who sign with one of `keys`. `steered` is
    False where a zone with steered names is kept back.
    """

    networks: Networks = NOBODY
    keys: frozenset[bytes] = frozenset()
    steered: bool = True

    def allows(self, source: int, family: int, key: bytes | None) -> bool:
        """Whether this client may. `key` is the name of the key that proved the request, if one did."""
        return key in self.keys or (source, family) in self.networks


@dataclass(frozen=True, slots=True)
class Copy:
    """A zone that somebody may have. `deltas` lead to `content`, the oldest first, without gaps."""

    content: Content
    grant: Grant
    deltas: tuple[Delta, ...] = ()

    def since(self, serial: int) -> tuple[Delta, ...]:
        """What leads from `serial` to now; empty when that is not known, or longer than all there is."""
        for index, delta in enumerate(self.deltas):
            if delta.serial == serial:
                way = self.deltas[index:]
                return way if sum(step.octets for step in way) < self.content.octets else ()
        return ()


@dataclass(slots=True)
class Copies:
    """What may be transferred, by apex (lower-case wire form), and the keys that clients may sign with."""

    zones: Mapping[bytes, Copy] = field(default_factory=dict)
    keys: Mapping[bytes, Key] = field(default_factory=dict)
