"""The binary search tree of an MMDB file, walked level by level into ascending ranges.

A node holds two records: where bit 0 and where bit 1 of the address lead. A record below the node
count is another node, equal to it is "nothing known", above it points into the data section at
`record - node_count - 16` (MaxMind DB file format, version 2.0). All nodes of one depth are handled
by one numpy operation, so the cost is per level (32 or 64 of them), not per node.
"""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Offsets: TypeAlias = NDArray[np.uint32]
Start = TypeVar("Start", np.uint32, np.uint64)

PIECE = 1 << 20
"""Rows that are worked on at a time: what is made on the way would else take more memory than the result."""

EMPTY = 0
"""The data pointer of "nothing known". Others are 16 or more: the data section begins 16 bytes in."""

SEPARATOR_BYTES = 16
"""Zeros between the tree and the data section."""

IPV4_DEPTH = 96
"""In an IPv6 tree IPv4 addresses live at ::/96."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A row for every node: its left and its right record as stored. `nodes` is the number of rows."""

    records: Offsets
    ip_version: int

    @property
    def nodes(self) -> int:
        """The node count; records from here on are leaves."""
        return len(self.records)


def read_tree(table: memoryview, record_bits: int, ip_version: int, data_bytes: int) -> Tree:
    """The node table as arrays. ValueError if a record points outside the file."""
    octets = np.frombuffer(table, np.uint8).reshape(-1, record_bits // 4)
    records = np.empty((len(octets), 2), np.uint32)
    match record_bits:
        case 24:
            _big_endian(octets[:, 0:3], records[:, 0])
            _big_endian(octets[:, 3:6], records[:, 1])
        case 28:
            _big_endian(octets[:, 0:3], records[:, 0])
            _big_endian(octets[:, 4:7], records[:, 1])
            middle = octets[:, 3].astype(np.uint32)
            records[:, 0] |= (middle & np.uint32(0xF0)) << np.uint32(20)
            records[:, 1] |= (middle & np.uint32(0x0F)) << np.uint32(24)
        case 32:
            records[:] = octets.reshape(-1).view(">u4").reshape(-1, 2)
        case _:
            raise ValueError(f"record size {record_bits} is not one of 24, 28, 32")
    for start in range(0, len(records), PIECE):
        _check(records[start : start + PIECE], len(records), data_bytes)
    return Tree(records, ip_version)


def walk4(tree: Tree) -> tuple[NDArray[np.uint32], Offsets]:
    """Ascending first addresses and data pointers of all IPv4 ranges; the first starts at 0."""
    if tree.ip_version == 4:
        return _walk(tree, 0, np.uint32, skip=None)
    root = _ipv4_root(tree)
    if root >= tree.nodes:
        return np.zeros(1, np.uint32), np.array([root - tree.nodes], np.uint32)
    return _walk(tree, root, np.uint32, skip=None)


def walk6(tree: Tree) -> tuple[NDArray[np.uint64], Offsets]:
    """The same for IPv6 by the top 64 bits; the aliases of the IPv4 tree count as nothing known.

    The aliases (::ffff:0:0/96, 2001::/32, 2002::/16, 64:ff9b::/96) are records that lead to the root
    of the IPv4 tree. What is deeper than /64 is decided by the first record below it.
    """
    if tree.ip_version == 4:
        return np.zeros(1, np.uint64), np.array([EMPTY], np.uint32)
    root = _ipv4_root(tree)
    return _walk(tree, 0, np.uint64, skip=root if root < tree.nodes else None)


def _big_endian(columns: NDArray[np.uint8], into: Offsets) -> None:
    """Rows of big-endian octets as numbers."""
    into[:] = columns[:, 0]
    for column in columns.T[1:]:
        into <<= 8
        into |= column


def _check(records: Offsets, nodes: int, data_bytes: int) -> None:
    leaves = records[records > nodes].astype(np.int64) - nodes
    if len(leaves) and leaves.min() < SEPARATOR_BYTES:
        raise ValueError("the search tree points between tree and data section")
    if len(leaves) and leaves.max() >= SEPARATOR_BYTES + data_bytes:
        raise ValueError("the search tree points behind the end of the data section")


def _ipv4_root(tree: Tree) -> int:
    """The record that ::/96 leads to: a node, or a leaf when all of IPv4 shares one."""
    record = 0
    for _ in range(IPV4_DEPTH):
        if record >= tree.nodes:
            break
        record = int(tree.records[record, 0])
    return record


def _walk(tree: Tree, root: int, form: type[Start], skip: int | None) -> tuple[NDArray[Start], Offsets]:
    """All leaves below `root` in address order; an address has as many bits as `form`. `skip` is a node that
    counts as nothing known.
    """
    depth = np.dtype(form).itemsize * 8
    nodes = np.array([root], np.uint32)
    prefixes = np.zeros(1, form)
    starts: list[NDArray[Start]] = []
    leaves: list[Offsets] = []
    visited = 0
    for level in range(depth):
        visited += len(nodes)
        if visited > tree.nodes:
            raise ValueError("the search tree has loops")
        records = tree.records[nodes].reshape(-1)
        if skip is not None:
            records[records == skip] = tree.nodes
        firsts = np.repeat(prefixes, 2)
        firsts[1::2] |= form(1 << (depth - 1 - level))
        inner = records < tree.nodes
        nodes, prefixes = records[inner], firsts[inner]
        np.logical_not(inner, out=inner)
        starts.append(firsts[inner])
        leaves.append(records[inner] - np.uint32(tree.nodes))
        if not len(nodes):
            break
    if len(nodes):
        starts.append(prefixes)
        leaves.append(_first_below(tree, nodes, skip))
    start = np.concatenate(starts)
    starts.clear()
    order = np.argsort(start, kind="stable")
    start = start[order]
    return start, np.concatenate(leaves)[order]


def _first_below(tree: Tree, nodes: Offsets, skip: int | None) -> Offsets:
    """For nodes at the last depth that counts: the first known record under each."""
    if tree.ip_version == 4:
        raise ValueError("the search tree is deeper than an IPv4 address is long")
    records = nodes.copy()
    for _ in range(64):
        inner = records < tree.nodes
        if skip is not None:
            inner &= records != skip
        if not inner.any():
            break
        left, right = tree.records[records[inner]].T
        records[inner] = np.where(left == tree.nodes, right, left)
    if skip is not None:
        records[records == skip] = tree.nodes
    if (records < tree.nodes).any():
        raise ValueError("the search tree is deeper than an IPv6 address is long")
    return records - np.uint32(tree.nodes)
