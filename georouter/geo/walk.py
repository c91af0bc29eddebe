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
Number = TypeVar("Number", bound=np.generic)

EMPTY = 0
"""The data pointer of "nothing known". Others are 16 or more: the data section begins 16 bytes in."""

SEPARATOR_BYTES = 16
"""Zeros between the tree and the data section."""

IPV4_DEPTH = 96
"""In an IPv6 tree IPv4 addresses live at ::/96."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Both records of every node. `left` and `right` are as stored; `nodes` is their number."""

    left: Offsets
    right: Offsets
    ip_version: int

    @property
    def nodes(self) -> int:
        """The node count; records from here on are leaves."""
        return len(self.left)


def read_tree(table: memoryview, record_bits: int, ip_version: int, data_bytes: int) -> Tree:
    """The node table as arrays. ValueError if a record points outside the file."""
    octets = np.frombuffer(table, np.uint8).reshape(-1, record_bits // 4)
    match record_bits:
        case 24:
            left, right = _big_endian(octets[:, 0:3]), _big_endian(octets[:, 3:6])
        case 28:
            middle = octets[:, 3].astype(np.uint32)
            left = _big_endian(octets[:, 0:3]) | (middle & np.uint32(0xF0)) << np.uint32(20)
            right = _big_endian(octets[:, 4:7]) | (middle & np.uint32(0x0F)) << np.uint32(24)
        case 32:
            left, right = _big_endian(octets[:, 0:4]), _big_endian(octets[:, 4:8])
        case _:
            raise ValueError(f"record size {record_bits} is not one of 24, 28, 32")
    tree = Tree(left, right, ip_version)
    for records in (left, right):
        _check(records, tree.nodes, data_bytes)
    return tree


def walk4(tree: Tree) -> tuple[NDArray[np.uint64], Offsets]:
    """Ascending first addresses and data pointers of all IPv4 ranges; the first starts at 0."""
    if tree.ip_version == 4:
        return _walk(tree, 0, 32, skip=None)
    root = _ipv4_root(tree)
    if root >= tree.nodes:
        return np.zeros(1, np.uint64), np.array([root - tree.nodes], np.uint32)
    return _walk(tree, root, 32, skip=None)


def walk6(tree: Tree) -> tuple[NDArray[np.uint64], Offsets]:
    """The same for IPv6 by the top 64 bits; the aliases of the IPv4 tree count as nothing known.

    The aliases (::ffff:0:0/96, 2001::/32, 2002::/16, 64:ff9b::/96) are records that lead to the root
    of the IPv4 tree. What is deeper than /64 is decided by the first record below it.
    """
    if tree.ip_version == 4:
        return np.zeros(1, np.uint64), np.array([EMPTY], np.uint32)
    root = _ipv4_root(tree)
    return _walk(tree, 0, 64, skip=root if root < tree.nodes else None)


def _big_endian(columns: NDArray[np.uint8]) -> Offsets:
    """Rows of big-endian octets as numbers."""
    value = np.zeros(len(columns), np.uint32)
    for column in columns.T:
        value = value << 8 | column
    return value


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
        record = int(tree.left[record])
    return record


def _walk(tree: Tree, root: int, depth: int, skip: int | None) -> tuple[NDArray[np.uint64], Offsets]:
    """All leaves below `root` in address order. `skip` is a node that counts as nothing known."""
    nodes = np.array([root], np.uint32)
    prefixes = np.zeros(1, np.uint64)
    starts: list[NDArray[np.uint64]] = []
    leaves: list[Offsets] = []
    visited = 0
    for level in range(depth):
        visited += len(nodes)
        if visited > tree.nodes:
            raise ValueError("the search tree has loops")
        records = _interleave(tree.left[nodes], tree.right[nodes])
        bit = np.uint64(1 << (depth - 1 - level))
        firsts = _interleave(prefixes, prefixes | bit)
        if skip is not None:
            records[records == skip] = tree.nodes
        inner = records < tree.nodes
        starts.append(firsts[~inner])
        leaves.append(records[~inner] - np.uint32(tree.nodes))
        nodes, prefixes = records[inner], firsts[inner]
        if not len(nodes):
            break
    if len(nodes):
        starts.append(prefixes)
        leaves.append(_first_below(tree, nodes, skip))
    start, leaf = np.concatenate(starts), np.concatenate(leaves)
    order = np.argsort(start, kind="stable")
    return start[order], leaf[order]


def _interleave(left: NDArray[Number], right: NDArray[Number]) -> NDArray[Number]:
    both = np.empty(2 * len(left), left.dtype)
    both[0::2] = left
    both[1::2] = right
    return both


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
        here = records[inner]
        left = tree.left[here]
        records[inner] = np.where(left == tree.nodes, tree.right[here], left)
    if skip is not None:
        records[records == skip] = tree.nodes
    if (records < tree.nodes).any():
        raise ValueError("the search tree is deeper than an IPv6 address is long")
    return records - np.uint32(tree.nodes)
