"""What the operator knows better about networks, laid over a map.

Nine octets each: what it is, prefix length, six octets of address, and what is said. What must hold: every
address is where the most specific override says, in the networks that cover it, and else where it was.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import numpy as np

from georouter.geo.asn import AsnInfo, AsnMap
from georouter.geo.locate import locate
from georouter.geo.map import Address, GeoMap, Network
from georouter.geo.overlay import NetworkOverride, overlay
from tests.compiler.build import tiny_map
from tests.fuzz.target import About

ABOUT = About(
    longest=9 * 12,
    words=(b"\0\x08\x0a\0\0\0\0\0\1", b"\1\x20\x21\0\0\0\0\0\2", b"\2\x18\x0a\1\1\0\0\0\0"),
    mutations=500,
)

COUNTRIES = ("DE", "FR", "US", "SG", "AU", None, None, None)
ASNS = (None, 64500, 64501, 0)
WANTED = frozenset({64500, 64501, 64502})
_MAP = tiny_map()
_ASN_MAP = AsnMap(
    np.array([0, 10 << 24, (10 << 24) + 256, 20 << 24], np.uint32),
    np.array([0, 64502, 64503, 0], np.uint32),
    np.array([0, 0x2100 << 48], np.uint64),
    np.array([0, 64502], np.uint32),
    AsnInfo("asn", 0),
)


def run(data: bytes) -> None:
    """Lay all of them, and look at the edges of each."""
    overrides: dict[Network, NetworkOverride] = {}
    networks: list[Network] = []
    for at in range(0, len(data) - 8, 9):
        kind, length, said = data[at], data[at + 1], data[at + 8]
        network = _network(data[at + 2 : at + 8], length, 6 if kind & 1 else 4)
        if kind & 2:
            networks.append(network)
        else:
            asn = ASNS[said >> 3 & 3]
            overrides[network] = NetworkOverride(network, country=COUNTRIES[said & 7], asn=asn)
    with_asn = bool(data) and bool(data[0] & 4)
    laid = overlay(
        _MAP,
        networks=networks,
        overrides=list(overrides.values()),
        asn_map=_ASN_MAP if with_asn else None,
        asns=WANTED if with_asn else frozenset(),
    )
    for network in (*overrides, *networks):
        for number in (int(network.network_address), int(network.broadcast_address)):
            for near in (number - 1, number, number + 1):
                if 0 <= near < 1 << network.max_prefixlen:
                    _check(laid, _address(near, network.version), overrides, networks)


def _check(
    laid: GeoMap, address: Address, overrides: dict[Network, NetworkOverride], networks: list[Network]
) -> None:
    row, prefix = locate(laid, address)
    base, _ = locate(_MAP, address)
    covering = sorted((item for item in overrides if address in item), key=lambda item: item.prefixlen)
    countries = [overrides[item].country for item in covering if overrides[item].country is not None]
    expected = (countries[-1] or "").encode() if countries else bytes(_MAP.places.country[base])
    assert bytes(laid.places.country[row]) == expected, (address, expected)
    named = frozenset(item for item in networks if address in item)
    assert laid.places.network_sets[int(laid.places.network_set[row])] == named
    assert address in prefix
    asns = [overrides[item].asn for item in covering if overrides[item].asn is not None]
    if asns:
        assert int(laid.places.asn[row]) == asns[-1]


def _address(number: int, version: int) -> Address:
    if version == 4:
        return ip_address(number.to_bytes(4))
    return ip_address((number >> 64 << 64).to_bytes(16))


def _network(octets: bytes, length: int, version: int) -> Network:
    if version == 4:
        return ip_network((octets[:4], length % 33), strict=False)
    return ip_network((octets.ljust(16, b"\0"), length % 65), strict=False)


def seeds() -> Iterator[bytes]:
    """Networks beside, inside and across each other."""
    yield b""
    yield (
        bytes((0, 8, 10, 0, 0, 0, 0, 0, 1))
        + bytes((0, 16, 10, 1, 0, 0, 0, 0, 2))
        + bytes((2, 24, 10, 1, 1, 0, 0, 0, 0))
    )
    yield (
        bytes((4, 0, 0, 0, 0, 0, 0, 0, 1 | 8))
        + bytes((2, 32, 255, 255, 255, 255, 0, 0, 0))
        + bytes((2, 0) + (0,) * 7)
    )
    yield (
        bytes((5, 32, 0x21, 0, 0, 0, 0, 0, 4 | 16))
        + bytes((3, 48, 0x21, 0, 0, 0, 0, 1, 0))
        + bytes((1, 64, 0x21, 0, 0, 0, 0, 1, 3))
    )
    yield bytes((0, 9, 10, 128, 0, 0, 0, 0, 5 | 8)) + bytes((0, 9, 10, 128, 0, 0, 0, 0, 6))
