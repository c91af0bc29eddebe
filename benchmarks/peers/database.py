"""A GeoIP2-Country database (MMDB) made from the built-in map, so that every server reads one file.

ranges of a family --build--> nodes, from the leaves up
                              IPv4 hangs below ::/96, as in the files that are sold
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.world import countries
from georouter.geo.map import GeoMap
from georouter.geo.ranges import merge

DATABASE_TYPE = "GeoIP2-Country"
"""The schema; servers look at this to know which fields to expect."""
MARKER = b"\xab\xcd\xefMaxMind.com"
IPV4_BITS, IPV6_BITS, IPV4_PREFIX = 32, 64, 96
NOTHING, IPV4 = 0, -1
"""Values of a range without a record, and of the first /64, which holds IPv4."""


class Long(int):
    """A number that the format wants as 64 bits, however small."""


class _Tree:
    """Nodes as pairs of records; a record is a node's index, or ~value for a leaf."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, int]] = []

    def add(self, left: int, right: int) -> int:
        self.nodes.append((left, right))
        return len(self.nodes) - 1

    def build(self, starts: Sequence[int], values: Sequence[int], bits: int, special: dict[int, int]) -> int:
        """The record for all `2 ** bits` addresses; `special` values stand for records."""

        def between(low: int, high: int, first: int, width: int) -> int:
            """Of the addresses from `first`, which ranges `low` to `high` (exclusive) cover."""
            if high - low == 1:
                value = values[low]
                return special.get(value, ~value)
            middle = first + (1 << width - 1)
            cut = low + 1
            stop = high
            while cut < stop:  # the first range that begins at or after the middle
                probe = (cut + stop) // 2
                if starts[probe] < middle:
                    cut = probe + 1
                else:
                    stop = probe
            right = cut if cut < high and starts[cut] == middle else cut - 1
            return self.add(between(low, cut, first, width - 1), between(right, high, middle, width - 1))

        return between(0, len(starts), 0, bits)


def write(geo: GeoMap, path: Path) -> None:
    """Write the countries of `geo`; the file's build time is the map's."""
    rows = countries()
    codes = [row.code.encode() for row in rows]
    number = {code: index + 1 for index, code in enumerate(codes)}
    country = np.array([number.get(code, NOTHING) for code in geo.places.country.tolist()], np.int64)

    tree = _Tree()
    starts4, values4 = merge(geo.starts4, country[geo.place4])
    ipv4 = tree.build(starts4.tolist(), values4.tolist(), IPV4_BITS, {})
    for _ in range(IPV4_PREFIX - IPV6_BITS):
        ipv4 = tree.add(ipv4, ~NOTHING)
    starts6, values6 = _with_ipv4(*merge(geo.starts6, country[geo.place6]))
    root = tree.build(starts6, values6, IPV6_BITS, {IPV4: ipv4})

    data = bytearray()
    offsets = []
    for row in rows:
        offsets.append(len(data))
        name = {"en": row.name}
        one = {"iso_code": row.code, "names": name}
        data += encode({"continent": {"code": row.continent}, "country": one, "registered_country": one})
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": Long(geo.info.build_epoch_s),
        "database_type": DATABASE_TYPE,
        "description": {"en": f"Countries of {geo.info.database}"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": len(tree.nodes),
        "record_size": 32,
    }
    path.write_bytes(_table(tree, root, offsets) + bytes(16) + data + MARKER + encode(metadata))


def _with_ipv4(starts: NDArray[np.uint64], values: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """The ranges with the first /64 cut off and marked."""
    first = int(values[0])
    cut = [0, 1] if len(starts) == 1 or int(starts[1]) != 1 else [0]
    return cut + starts.tolist()[1:], ([IPV4, first][: len(cut)]) + values.tolist()[1:]


def encode(value: object) -> bytes:
    """One value of the data section: control octets and content (MaxMind DB format 2.0)."""
    match value:
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case int():
            octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
            kind = 9 if isinstance(value, Long) else 5 if len(octets) <= 2 else 6
            return _control(kind, len(octets)) + octets
        case dict():
            return _control(7, len(value)) + b"".join(
                encode(key) + encode(item) for key, item in value.items()
            )
        case list():
            return _control(11, len(value)) + b"".join(encode(item) for item in value)
    raise TypeError(f"cannot write {value!r}")


def _control(kind: int, size: int) -> bytes:
    """Type and size; types above 7 have an octet of their own, as has a size from 29 to 284."""
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


def _table(tree: _Tree, root: int, offsets: Sequence[int]) -> bytes:
    """The search tree as octets: the root first, therefore all nodes in reverse."""
    count = len(tree.nodes)
    assert root == count - 1
    records = np.array(tree.nodes[::-1], np.int64)
    value = np.where(records < 0, ~records, NOTHING)
    leaf = np.array([count, *(count + 16 + offset for offset in offsets)], np.int64)[value]
    return np.where(records < 0, leaf, count - 1 - records).astype(">u4").tobytes()
