"""Every record of one zone as it was written, in columns; then sorted into record sets.

Zones are written in the policy, in zone files, or both. All of it comes together here, record by record
with its place, so that one set of checks sees everything, and a million records fit into memory.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from georouter.policy import units
from georouter.policy.nodes import Path
from georouter.policy.packed import PackedRecords
from georouter.policy.report import Line, Place, Report
from georouter.wire.codes import type_text
from georouter.wire.names import name_text
from georouter.wire.rdata import canonical

LARGEST_ZONE = 10_000_000
"""Records of one zone; a bound on memory, not on what would work."""

_LINE_BITS = 40
"""A place is a source's number and, in these low bits, a line or an index of `paths`."""


class Ledger:
    """Records in the order in which they were read. Append with `add`, or to the columns themselves."""

    __slots__ = ("_paths", "_sources", "at", "data", "names", "owner", "place", "ttl", "type")

    def __init__(self) -> None:
        self.names: dict[bytes, int] = {}
        """Owners (lower-case wire format), numbered in order of appearance."""
        self.owner = array("I")
        self.type = array("H")
        self.ttl = array("I")
        self.at = array("I")
        """Where in `data` a record begins: its length in two octets, then the record."""
        self.data = bytearray()
        self.place = array("Q")
        self._paths: list[Path] = []
        self._sources: list[str] = [""]

    def __len__(self) -> int:
        return len(self.type)

    def add(self, name: bytes, number: int, ttl_s: int, rdata: bytes, place: int) -> None:
        """One record; `place` is from `path_place` or counts on from `source`."""
        self.owner.append(self.names.setdefault(name, len(self.names)))
        self.type.append(number)
        self.ttl.append(ttl_s)
        self.at.append(len(self.data))
        self.data += len(rdata).to_bytes(2) + rdata
        self.place.append(place)

    def path_place(self, path: Path) -> int:
        """The place of something written in the policy."""
        self._paths.append(path)
        return len(self._paths) - 1

    def source(self, file: str) -> int:
        """A new source of lines: the place of line n of `file` is this number plus n."""
        self._sources.append(file)
        return len(self._sources) - 1 << _LINE_BITS

    def sources(self) -> tuple[str, ...]:
        """The files that were begun, in order; one that is included twice is there twice."""
        return tuple(self._sources[1:])

    def columns(self) -> tuple["array[int]", ...]:
        """All columns of numbers."""
        return self.owner, self.type, self.ttl, self.at, self.place

    def where(self, row: int) -> Place:
        """Where a record was written."""
        source, index = divmod(self.place[row], 1 << _LINE_BITS)
        return Line(self._sources[source], index) if source else self._paths[index]

    def rdata(self, row: int) -> bytes:
        """A record's data."""
        at = self.at[row]
        return bytes(self.data[at + 2 : at + 2 + int.from_bytes(self.data[at : at + 2])])


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """A ledger sorted into record sets: by owner in order of appearance, then by type.

    Set s consists of the ledger's rows `rows[first[s]]` .. `rows[first[s + 1] - 1]`.
    """

    ledger: Ledger
    rows: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    owner: npt.NDArray[np.uint32]
    """Per set, the number of its owner."""
    type: npt.NDArray[np.uint16]
    of: npt.NDArray[np.int64]
    """Owner n has the sets `of[n]` .. `of[n + 1] - 1`."""
    spellings: tuple[bytes, ...]
    """The owners' names by number."""

    def of_type(self, *numbers: int) -> Iterator[int]:
        """The sets of these types."""
        yield from np.flatnonzero(np.isin(self.type, numbers)).tolist()

    def find(self, name: bytes, number: int) -> int | None:
        """The set of a name and type."""
        for index in self.of_name(name):
            if self.type[index] == number:
                return index
        return None

    def of_name(self, name: bytes) -> range:
        """All sets of a name; empty where it has none."""
        owner = self.ledger.names.get(name)
        return range(0) if owner is None else range(int(self.of[owner]), int(self.of[owner + 1]))

    def beside(self, index: int) -> list[int]:
        """The types of the other sets of the same owner."""
        owner = int(self.owner[index])
        return [int(self.type[at]) for at in range(self.of[owner], self.of[owner + 1]) if at != index]

    def name(self, index: int) -> bytes:
        """The owner of a set."""
        return self.spellings[int(self.owner[index])]

    def records(self, index: int) -> list[tuple[bytes, Place]]:
        """A set's data, record by record, and where each was written."""
        rows = self.rows[self.first[index] : self.first[index + 1]].tolist()
        return [(self.ledger.rdata(row), self.ledger.where(row)) for row in rows]

    def where(self, index: int) -> Place:
        """Where a set was written first."""
        return self.ledger.where(int(self.rows[self.first[index]]))

    def pack(self) -> PackedRecords:
        """The same for the model, without places."""
        ledger = self.ledger
        first_rows = self.rows[self.first[:-1]]
        ttls = np.frombuffer(ledger.ttl, dtype=np.uint32)[first_rows] if len(ledger) else first_rows
        sizes = _sizes(ledger)[self.rows]
        ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        lengths = np.fromiter(map(len, self.spellings), dtype=np.int64, count=len(self.spellings))
        return PackedRecords(
            names=b"".join(self.spellings),
            name_at=_column("I", np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))),
            first=_column("I", self.of),
            types=_column("H", self.type),
            ttls=_column("I", ttls),
            data=_gather(ledger, self.rows, sizes),
            data_at=_column("I", ends[self.first]),
        )


def sort(ledger: Ledger, report: Report) -> Sets:
    """Sort into sets. Reports what is wrong inside of a set, and leaves doubles out."""
    owner = np.frombuffer(ledger.owner, dtype=np.uint32) if len(ledger) else np.zeros(0, np.uint32)
    kind = np.frombuffer(ledger.type, dtype=np.uint16) if len(ledger) else np.zeros(0, np.uint16)
    key = owner.astype(np.uint64) << np.uint64(16) | kind
    rows = np.argsort(key, kind="stable")
    key = key[rows]
    first = np.flatnonzero(np.concatenate((np.ones(min(1, len(key)), np.bool_), key[1:] != key[:-1])))
    ends = np.append(first[1:], len(key))
    spellings = tuple(ledger.names)
    doubles: list[int] = []
    for index in np.flatnonzero(ends - first > 1).tolist():
        several = rows[first[index] : ends[index]].tolist()
        found = _inside(ledger, several, spellings[owner[several[0]]], report)
        doubles.extend(int(first[index]) + at for at in found)
    set_owner, set_type = owner[rows[first]], kind[rows[first]]
    if doubles:
        gone = np.zeros(len(rows) + 1, np.int64)
        gone[np.array(doubles) + 1] = 1
        first -= np.cumsum(gone)[first]
        rows = np.delete(rows, doubles)
    return Sets(
        ledger=ledger,
        rows=rows,
        first=np.append(first, len(rows)),
        owner=set_owner,
        type=set_type,
        of=np.searchsorted(set_owner, np.arange(len(spellings) + 1)),
        spellings=spellings,
    )


def _inside(ledger: Ledger, rows: list[int], name: bytes, report: Report) -> list[int]:
    """Check one set of several records; which of `rows` say the same as an earlier one."""
    first, kind = rows[0], ledger.type[rows[0]]
    seen: dict[bytes, int] = {}
    doubles: list[int] = []
    for at, row in enumerate(rows):
        place = ledger.where(row)
        what = canonical(kind, ledger.rdata(row))
        if isinstance(place, Line) is not isinstance(ledger.where(first), Line):
            report.error(
                place,
                f"{type_text(kind)} records of {name_text(name)} stand in a zone file too, at "
                f"{report.where(ledger.where(first))}; write a record set in one place",
            )
            return doubles
        if ledger.ttl[row] != ledger.ttl[first]:
            had, has = units.duration_text(ledger.ttl[first]), units.duration_text(ledger.ttl[row])
            report.error(place, f"records of one name and type share one TTL (RFC 2181): {had} and {has}")
        elif what in seen:
            message = "the same record stands here twice"
            if isinstance(place, Line):
                message = f"the same record stands at {report.where(ledger.where(seen[what]))}"
            report.warn(place, message)
            doubles.append(at)
        seen.setdefault(what, row)
    return doubles


def _sizes(ledger: Ledger) -> npt.NDArray[np.int64]:
    """Octets of every record with its length."""
    at = np.frombuffer(ledger.at, dtype=np.uint32).astype(np.int64) if len(ledger) else np.zeros(0, np.int64)
    return np.diff(np.append(at, len(ledger.data)))


def _gather(ledger: Ledger, rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> bytes:
    """The records of `rows` one behind the other."""
    if len(rows) == len(ledger) and bool(np.all(rows[1:] > rows[:-1])):
        return bytes(ledger.data)
    data, at = ledger.data, ledger.at
    return b"".join(
        bytes(data[at[row] : at[row] + size]) for row, size in zip(rows.tolist(), sizes.tolist(), strict=True)
    )


def _column(code: str, values: npt.NDArray[np.generic]) -> "array[int]":
    column: array[int] = array(code)
    column.frombytes(np.ascontiguousarray(values, dtype=np.dtype(code)).tobytes())
    return column
