from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.geo.locate import locate
from georouter.geo.map import GeoMap
from tests.geo.worlds import make_map

ROWS = [{"country": "FR"}, {"country": "DE"}, {"country": "US"}]


def range_of(map_: GeoMap, number: int, family: int) -> tuple[int, int]:
    """First and last address of the range that holds `number`, found the slow way."""
    starts = (map_.starts4 if family == 4 else map_.starts6).tolist()
    index = max(place for place, start in enumerate(starts) if start <= number)
    end = starts[index + 1] if index + 1 < len(starts) else 1 << (32 if family == 4 else 64)
    return starts[index], end - 1


@given(st.sets(st.integers(1, 2**32 - 1), max_size=20), st.integers(0, 2**32 - 1))
def test_prefix_is_inside_its_range_and_as_wide_as_can_be(starts: set[int], number: int) -> None:
    """It holds the address, fits the range, and its parent does not fit."""
    map_ = make_map(ROWS, {0: 0} | {start: index % 3 + 1 for index, start in enumerate(sorted(starts))})
    row, network = locate(map_, IPv4Address(number))
    first, last = range_of(map_, number, 4)
    assert IPv4Address(number) in network
    assert first <= int(network[0])
    assert int(network[-1]) <= last
    if network.prefixlen:
        parent = network.supernet()
        assert int(parent[0]) < first or last < int(parent[-1])
    assert row == map_.place4[map_.starts4.tolist().index(first)]


@given(st.sets(st.integers(1, 2**64 - 1), max_size=20), st.integers(0, 2**128 - 1))
def test_the_same_for_ipv6(starts: set[int], number: int) -> None:
    """By the top 64 bits; what follows them does not matter."""
    address = IPv6Address(number)
    if address.ipv4_mapped is not None:
        return
    map_ = make_map(
        ROWS, {0: 0}, {0: 0} | {start: index % 3 + 1 for index, start in enumerate(sorted(starts))}
    )
    _, network = locate(map_, address)
    first, last = range_of(map_, number >> 64, 6)
    assert address in network
    assert network.prefixlen <= 64
    assert first <= int(network[0]) >> 64
    assert int(network[-1]) >> 64 <= last
    if network.prefixlen:
        parent = network.supernet()
        assert int(parent[0]) >> 64 < first or last < int(parent[-1]) >> 64


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("0.0.0.0", "0.0.0.0/8"),
        ("1.0.0.0", "1.0.0.0/8"),
        ("1.255.255.255", "1.0.0.0/8"),
        ("2.0.0.0", "2.0.0.0/7"),
        ("255.255.255.255", "128.0.0.0/1"),
        ("::ffff:1.2.3.4", "1.0.0.0/8"),
        ("::1", "::/0"),
    ],
)
def test_borders(address: str, network: str) -> None:
    """First and last addresses; a mapped address is IPv4; a map of one range is /0."""
    map_ = make_map(ROWS, {0: 0, 1 << 24: 1, 2 << 24: 2})
    assert locate(map_, ip_address(address))[1] == ip_network(network)
