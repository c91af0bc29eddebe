"""Range tables from numpy arrays: equal neighbours merged, flat `array`s out."""

from array import array

import numpy as np
from numpy.typing import NDArray

from georouter.answers.tables import LOCAL, RangeMap, RangeTable
from georouter.geo.map import GeoMap
from georouter.geo.special import mark


def range_map(geo: GeoMap, ids: NDArray[np.int32]) -> RangeMap:
    """The map whose ranges carry `ids[place]` instead of places."""
    return RangeMap(
        v4=range_table(geo.starts4, ids[geo.place4], "I"),
        v6=range_table(geo.starts6, ids[geo.place6], "Q"),
    )


def one_for_all() -> RangeMap:
    """The map on which everybody has id 0: scope 0, which caches keep for clients of both families."""
    return RangeMap(*(RangeTable(array(code, [0]), array("I", [0])) for code in ("I", "Q")))


def client_map(geo: GeoMap, ids: NDArray[np.int32]) -> RangeMap:
    """As `range_map`, with `LOCAL` added to the ids of networks that are nobody's place.

    No address has scope 0: a family of one range is cut in half. Resolvers keep an answer of scope 0 for
    all clients, those of the other family and those whose choice is another one included.
    """
    tables = []
    for starts, rows, version, code in (
        (geo.starts4, geo.place4, 4, "I"),
        (geo.starts6, geo.place6, 6, "Q"),
    ):
        cut, place, special = mark(starts, rows, version)
        values = ids[place].astype(np.uint32) | np.where(special, np.uint32(LOCAL), np.uint32(0))
        table = range_table(cut, values, code)
        tables.append(_halves(table, code) if len(table.starts) == 1 else table)
    return RangeMap(*tables)


def _halves(table: RangeTable, code: str) -> RangeTable:
    return RangeTable(array(code, [0, 1 << (31 if code == "I" else 63)]), table.values * 2)


def range_table(
    starts: NDArray[np.unsignedinteger], values: NDArray[np.int32] | NDArray[np.uint32], code: str
) -> RangeTable:
    """Merge equal neighbours. `code` is the array type of `starts`: `I` (IPv4) or `Q` (IPv6)."""
    first = np.empty(len(values), dtype=np.bool_)
    first[:1] = True
    np.not_equal(values[1:], values[:-1], out=first[1:])
    dtype = np.uint32 if code == "I" else np.uint64
    return RangeTable(flat(starts[first].astype(dtype), code), flat(values[first].astype(np.uint32), "I"))


def flat(values: NDArray[np.generic], code: str) -> "array[int]":
    """The same numbers as an `array` of type `code`, whose item size must be the dtype's."""
    out = array(code)
    out.frombytes(np.ascontiguousarray(values).tobytes())
    return out


def shares(table: RangeTable, count: int) -> NDArray[np.float64]:
    """For each id below `count` the share of the IPv4 address space that carries it."""
    starts = np.frombuffer(table.starts, dtype=np.uint32)
    widths = np.empty(len(starts), dtype=np.float64)
    np.subtract(starts[1:], starts[:-1], out=widths[:-1])
    widths[-1:] = float(1 << 32) - float(starts[-1])
    values = np.frombuffer(table.values, dtype=np.uint32) & np.uint32(LOCAL - 1)
    return np.bincount(values, weights=widths, minlength=count) / float(1 << 32)
