"""One address on the map."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network

import numpy as np

from georouter.geo.asn import AsnMap
from georouter.geo.map import Address, GeoMap, Network


def locate(map: GeoMap, address: Address) -> tuple[int, Network]:  # noqa: A002
    """The row of `map.places` for `address`, and the widest prefix round it that shares that range.

    IPv6 prefixes end at /64. An IPv4-mapped address (`::ffff:a.b.c.d`) is looked up as IPv4.
    """
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv4Address):
        number = int(address)
        index = int(np.searchsorted(map.starts4, np.uint32(number), side="right")) - 1
        length = _prefix(*_bounds(map.starts4, index, 32), number, 32)
        return int(map.place4[index]), IPv4Network((number >> (32 - length) << (32 - length), length))
    number = int(address) >> 64
    index = int(np.searchsorted(map.starts6, np.uint64(number), side="right")) - 1
    length = _prefix(*_bounds(map.starts6, index, 64), number, 64)
    top = number >> (64 - length) << (64 - length)
    return int(map.place6[index]), IPv6Network((top << 64, length))


def locate_asn(asn_map: AsnMap, address: Address) -> int:
    """The number of the autonomous system that announces `address`, 0 when it is not known."""
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv4Address):
        index = np.searchsorted(asn_map.starts4, np.uint32(int(address)), side="right") - 1
        return int(asn_map.asn4[index])
    index = np.searchsorted(asn_map.starts6, np.uint64(int(address) >> 64), side="right") - 1
    return int(asn_map.asn6[index])


def _bounds(
    starts: "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]", index: int, bits: int
) -> tuple[int, int]:
    """First and last address of range `index`."""
    last = int(starts[index + 1]) - 1 if index + 1 < len(starts) else (1 << bits) - 1
    return int(starts[index]), last


def _prefix(first: int, last: int, number: int, bits: int) -> int:
    """Length of the shortest prefix round `number` that lies between `first` and `last`."""
    below, above = first - 1 ^ number, last + 1 ^ number
    outside = min(
        below.bit_length() if first > 0 else bits + 1,
        above.bit_length() if last + 1 < 1 << bits else bits + 1,
    )
    return bits - (outside - 1)
