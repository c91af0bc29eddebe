"""Writes small MMDB files, so that tests need no real database."""

import io
import struct
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple

import maxminddb

ALIASES = ("::ffff:0:0/96", "2001::/32", "2002::/16")
"""Where MaxMind's own files repeat the IPv4 tree."""


class Float(NamedTuple):
    """A value written as a 32-bit float (plain Python floats are written as doubles)."""

    value: float


def write(
    networks: Mapping[str, Any],
    *,
    version: int = 6,
    bits: int = 28,
    type: str = "Test-City",  # noqa: A002
    epoch: int = 1_700_000_000,
    aliases: Sequence[str] = (),
    pointers: bool = True,
) -> bytes:
    """An MMDB with a record per network; the more specific network wins.

    IPv4 networks go to ::/96 of an IPv6 tree.
    """
    tree = _Tree(128 if version == 6 else 32)
    data = _Data(pointers)
    placed = [(_bits(ip_network(text), version), value) for text, value in networks.items()]
    for (prefix, length), value in sorted(placed, key=lambda item: item[0][1]):
        tree.insert(prefix, length, ("data", data.record(value)))
    if aliases:
        root = tree.walk(0, 96)
        for text in aliases:
            tree.insert(*_bits(ip_network(text), version), root)
    nodes = len(tree.nodes)
    table = b"".join(_node(tree.records(index, nodes), bits) for index in range(nodes))
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": epoch,
        "database_type": type,
        "description": {"en": "made by a test"},
        "ip_version": version,
        "languages": ["en"],
        "node_count": nodes,
        "record_size": bits,
    }
    return table + bytes(16) + bytes(data.octets) + b"\xab\xcd\xefMaxMind.com" + encode(metadata)


def reader(content: bytes) -> maxminddb.Reader:
    """The independent reading of the same bytes."""
    return maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD)  # type: ignore[return-value]


def encode(value: Any) -> bytes:
    """One value without pointers."""
    match value:
        case bool():
            return _control(14, int(value))
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case float():
            return _control(3, 8) + struct.pack(">d", value)
        case Float():
            return _control(15, 4) + struct.pack(">f", value.value)
        case int() if value >= 2**32:
            return _unsigned(9, value)
        case int() if value >= 2**16:
            return _unsigned(6, value)
        case int() if value >= 0:
            return _unsigned(5, value)
        case int():
            return _control(8, 4) + struct.pack(">i", value)
        case dict():
            return _control(7, len(value)) + b"".join(
                encode(key) + encode(item) for key, item in value.items()
            )
        case list():
            return _control(11, len(value)) + b"".join(encode(item) for item in value)
    raise TypeError(f"cannot write {value!r}")


def pointer(target: int) -> bytes:
    """The shortest pointer to `target`."""
    if target < 2048:
        return bytes([0x20 | target >> 8, target & 0xFF])
    if target < 526336:
        return bytes([0x28 | (target - 2048) >> 16]) + ((target - 2048) & 0xFFFF).to_bytes(2, "big")
    if target < 2**27:
        return bytes([0x30 | (target - 526336) >> 24]) + ((target - 526336) & 0xFFFFFF).to_bytes(3, "big")
    return b"\x38" + target.to_bytes(4, "big")


def _unsigned(kind: int, value: int) -> bytes:
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(octets)) + octets


def _control(kind: int, size: int) -> bytes:
    if size < 29:
        low, more = size, b""
    elif size < 285:
        low, more = 29, (size - 29).to_bytes(1, "big")
    elif size < 65821:
        low, more = 30, (size - 285).to_bytes(2, "big")
    else:
        low, more = 31, (size - 65821).to_bytes(3, "big")
    return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


class _Data:
    """The data section: equal records once; with `pointers`, repeated texts and maps too."""

    def __init__(self, pointers: bool) -> None:
        self.octets = bytearray()
        self._pointers = pointers
        self._known: dict[bytes, int] = {}

    def record(self, value: Any) -> int:
        octets = self._encode(value)
        if octets not in self._known:
            self._known[octets] = len(self.octets)
            self.octets += octets
        return self._known[octets]

    def _encode(self, value: Any) -> bytes:
        if isinstance(value, dict):
            return _control(7, len(value)) + b"".join(
                self._shared(key) + self._shared(item) for key, item in value.items()
            )
        if isinstance(value, list):
            return _control(11, len(value)) + b"".join(self._shared(item) for item in value)
        return encode(value)

    def _shared(self, value: Any) -> bytes:
        if not self._pointers or not isinstance(value, str | dict) or len(value) < 3:
            return self._encode(value)
        return pointer(self.record(value))


class _Tree:
    """A binary trie; a record is None, a node's index, or ("data", offset)."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self.nodes: list[list[Any]] = [[None, None]]

    def insert(self, prefix: int, length: int, record: Any) -> None:
        node = 0
        for level in range(length - 1):
            side = prefix >> (self._depth - 1 - level) & 1
            below = self.nodes[node][side]
            if not isinstance(below, int):
                self.nodes.append([below, below])
                below = self.nodes[node][side] = len(self.nodes) - 1
            node = below
        self.nodes[node][prefix >> (self._depth - length) & 1] = record

    def walk(self, prefix: int, length: int) -> Any:
        record: Any = 0
        for level in range(length):
            if not isinstance(record, int):
                break
            record = self.nodes[record][prefix >> (self._depth - 1 - level) & 1]
        return record

    def records(self, index: int, nodes: int) -> list[int]:
        return [
            nodes if record is None else record if isinstance(record, int) else nodes + 16 + record[1]
            for record in self.nodes[index]
        ]


def _bits(network: Any, version: int) -> tuple[int, int]:
    address, length = int(network.network_address), int(network.prefixlen)
    return (address, length + 96) if network.version == 4 and version == 6 else (address, length)


def _node(records: Sequence[int], bits: int) -> bytes:
    left, right = records
    if bits == 28:
        middle = bytes([(left >> 24) << 4 | right >> 24])
        return (left & 0xFFFFFF).to_bytes(3, "big") + middle + (right & 0xFFFFFF).to_bytes(3, "big")
    return left.to_bytes(bits // 8, "big") + right.to_bytes(bits // 8, "big")
