"""A database of cities (MMDB) as large as those that are sold, with random networks in random cities.

networks   random trees, a level at a time: so many nodes of each depth go on, the others end in a record
records    all of one form, so that numpy can write them: country_code, city, latitude, longitude
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.database import MARKER, Long, encode
from georouter.geo.countries import TABLE

RECORDS, CITIES = 700_000, 100_000
SEED = 11
IPV4_DEPTH, IPV6_DEPTH = 96, 3
"""Where the trees hang: IPv4 at ::/96, IPv6 at 2000::/3."""
NODES4 = (
    *(1 << level for level in range(16)),
    60_000,
    110_000,
    190_000,
    320_000,
    480_000,
    640_000,
    700_000,
    500_000,
)
"""Nodes by depth: 3.1 million networks, most of them /22 to /24."""
NODES6 = (
    *(1 << level for level in range(16)),
    *(60_000 + 20_000 * step for step in range(12)),
    *(110_000,) * 10,
)
"""3.2 million networks, /20 to /41."""
SEPARATOR = bytes(16)

Table = NDArray[np.int64]


def write(path: Path, epoch_s: int, *, scale: float = 1.0) -> int:
    """Write the database, `scale` of its full size; the number of its networks."""
    dice = np.random.default_rng(SEED)
    data, offsets = _records(dice, max(2, int(RECORDS * scale)))
    trees = [_tree(_scaled(nodes, scale), dice, len(offsets)) for nodes in (NODES4, NODES6)]
    first4 = IPV4_DEPTH
    first6 = first4 + len(trees[0])
    nodes = first6 + len(trees[1])
    empty = np.int64(nodes)
    table = np.full((nodes, 2), empty)
    table[: IPV4_DEPTH - 1, 0] = np.arange(1, IPV4_DEPTH)
    table[IPV4_DEPTH - 1, 0] = first4
    table[IPV6_DEPTH - 1, 1] = first6
    for first, tree in ((first4, trees[0]), (first6, trees[1])):
        records = offsets[np.where(tree < 0, ~tree, 0)] + nodes + len(SEPARATOR)
        table[first : first + len(tree)] = np.where(tree < 0, records, tree + first)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": Long(epoch_s),
        "database_type": "Random-City",
        "description": {"en": "made by a benchmark"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": nodes,
        "record_size": 32,
    }
    with path.open("wb") as file:
        file.write(table.astype(">u4").tobytes())
        file.write(SEPARATOR + data + MARKER + encode(metadata))
    return sum(len(tree) + 1 for tree in trees)


def _scaled(counts: Sequence[int], scale: float) -> list[int]:
    """Nodes by depth; there are never more than twice as many as one above."""
    scaled: list[int] = []
    for count in counts:
        scaled.append(min(max(1, int(count * scale)), 2 * scaled[-1] if scaled else 1))
    return scaled


def _tree(counts: Sequence[int], dice: np.random.Generator, records: int) -> Table:
    """Nodes of the depths in `counts`, from the root: rows of two, a node's number or `~record`."""
    table = ~dice.integers(0, records, (sum(counts), 2))
    first = 0
    for here, below in pairwise(counts):
        chosen = np.sort(dice.choice(2 * here, below, replace=False))
        table[first : first + here].reshape(-1)[chosen] = np.arange(first + here, first + here + below)
        first += here
    return table


def _records(dice: np.random.Generator, count: int) -> tuple[bytes, Table]:
    """The data section, and where in it each record is."""
    keys = [encode(key) for key in ("country_code", "city", "latitude", "longitude")]
    starts = np.cumsum([0, *map(len, keys)])
    codes = (
        np.array([line[:2].encode() for line in TABLE.splitlines() if line], "S2")
        .view(np.uint8)
        .reshape(-1, 2)
    )
    names = [encode(f"City {number:06d}") for number in range(min(CITIES, count))]
    texts = b"".join([*keys, *names])
    places = int(starts[-1]) + np.arange(len(names)) * len(names[0])
    pieces: list[bytes | NDArray[np.uint8]] = [
        b"\xe4",  # a map of four
        _pointer(int(starts[0])),
        b"\x42",  # a text of two
        codes[dice.integers(0, len(codes), count)],
        _pointer(int(starts[1])),
        b"\x38",  # a pointer of four octets
        _octets(places[dice.integers(0, len(names), count)].astype(">u4"), 4),
        _pointer(int(starts[2])),
        b"\x68",  # a double
        _octets(dice.uniform(-60, 70, count).astype(">f8"), 8),
        _pointer(int(starts[3])),
        b"\x68",
        _octets(dice.uniform(-180, 180, count).astype(">f8"), 8),
    ]
    width = sum(len(piece) if isinstance(piece, bytes) else piece.shape[1] for piece in pieces)
    rows = np.empty((count, width), np.uint8)
    at = 0
    for piece in pieces:
        columns = np.frombuffer(piece, np.uint8)[None, :] if isinstance(piece, bytes) else piece
        rows[:, at : at + columns.shape[1]] = columns
        at += columns.shape[1]
    return texts + rows.tobytes(), len(texts) + width * np.arange(count)


def _pointer(to: int) -> bytes:
    """To one of the first 2,048 octets (MaxMind DB format 2.0, pointers of size 0)."""
    return struct.pack("!H", 0x2000 | to)


def _octets(values: NDArray[np.generic], width: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1, width)
