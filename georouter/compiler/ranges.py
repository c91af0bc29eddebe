"""Range tables from numpy arrays: equal neighbours merged, flat `array`s out."""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.answers.tables import LOCAL, RangeMap, RangeTable
from georouter.geo.map import UNPLACED, GeoMap
from georouter.geo.special import mark


@dataclass(frozen=True, slots=True)
class _Family:
    """The ranges of a family, cut at the edges of special networks. `code` is the array type of `starts`."""

    starts: NDArray[np.unsignedinteger]
    rows: NDArray[np.uint32]
    code: str


class Ground:
    """A map as all chains stand on it: what is the same for each of them is worked out once.

    Special networks that are nobody's place are a place of their own here, behind all others.
    """

    def __init__(self, geo: GeoMap) -> None:
        self._places = len(geo.places)
        self._families = tuple(
            _family(starts, rows, version, self._places)
            for starts, rows, version in ((geo.starts4, geo.place4, 4), (geo.starts6, geo.place6, 6))
        )
        v4 = self._families[0]
        widths = np.diff(np.append(v4.starts.astype(np.float64), float(1 << 32)))
        counted = np.bincount(v4.rows, weights=widths, minlength=self._places + 1)
        counted[UNPLACED] += counted[self._places]
        self._share: NDArray[np.float64] = counted[: self._places] / float(1 << 32)

    def range_map(self, ids: NDArray[np.int32]) -> RangeMap:
        """The map whose ranges carry `ids[place]` instead of places."""
        return RangeMap(*self._tables(np.append(ids, ids[UNPLACED]).astype(np.uint32)))

    def client_map(self, ids: NDArray[np.int32]) -> RangeMap:
        """As `range_map`, with `LOCAL` added to the ids of networks that are nobody's place.

        No address has scope 0: a family of one range is cut in half. Resolvers keep an answer of scope 0 for
        all clients, those of the other family and those whose choice is another one included.
        """
        values = np.append(ids, ids[UNPLACED]).astype(np.uint32)
        values[self._places] |= np.uint32(LOCAL)
        tables = self._tables(values)
        return RangeMap(*(_halves(table) if len(table.starts) == 1 else table for table in tables))

    def shares(self, ids: NDArray[np.int32], count: int) -> NDArray[np.float64]:
        """For each id below `count` the share of the IPv4 address space whose places carry it."""
        return np.bincount(ids, weights=self._share, minlength=count).astype(np.float64, copy=False)

    def _tables(self, values: NDArray[np.uint32]) -> list[RangeTable]:
        return [range_table(part.starts, values[part.rows], part.code) for part in self._families]


def _family(
    starts: NDArray[np.unsignedinteger], rows: NDArray[np.uint32], version: int, places: int
) -> _Family:
    cut, place, special = mark(starts, rows, version)
    code, dtype = ("I", np.uint32) if version == 4 else ("Q", np.uint64)
    return _Family(cut.astype(dtype), np.where(special, np.uint32(places), place), code)


def one_for_all() -> RangeMap:
    """The map on which everybody has id 0: scope 0, which caches keep for clients of both families."""
    return RangeMap(*(RangeTable(array(code, [0]), array("I", [0])) for code in ("I", "Q")))


def _halves(table: RangeTable) -> RangeTable:
    code = table.starts.typecode
    return RangeTable(array(code, [0, 1 << (31 if code == "I" else 63)]), table.values * 2)


def range_table(
    starts: NDArray[np.unsignedinteger], values: NDArray[np.int32] | NDArray[np.uint32], code: str
) -> RangeTable:
    """Merge equal neighbours. `code` is the array type of `starts`: `I` (IPv4) or `Q` (IPv6)."""
    first = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])  # twice as quick as a mask
    dtype = np.uint32 if code == "I" else np.uint64
    return RangeTable(
        flat(starts[first].astype(dtype, copy=False), code),
        flat(values[first].astype(np.uint32, copy=False), "I"),
    )


def flat(values: NDArray[np.generic], code: str) -> "array[int]":
    """The same numbers as an `array` of type `code`, whose item size must be the dtype's."""
    out = array(code)
    out.frombytes(np.ascontiguousarray(values).view(np.uint8).data)
    return out
