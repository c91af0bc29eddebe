from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.geo.asn import AsnInfo, AsnMap
from georouter.geo.codes import country_centroid
from georouter.geo.locate import locate
from georouter.geo.map import Address, GeoMap, Kind, Network
from georouter.geo.overlay import NetworkOverride, overlay
from georouter.policy.model import NetworkPlace
from tests.geo.worlds import make_map

ROWS = [
    {"country": "FR", "continent": "EU", "subdivision": "FR-IDF", "city": "Paris", "lat": 48.9, "lon": 2.4},
    {"country": "US", "continent": "NA", "city": "New York", "lat": 40.7, "lon": -74.0},
]
MAP = make_map(ROWS, {0: 0, 10 << 24: 1, 20 << 24: 2, 30 << 24: 0}, {0: 0, 0x2A00 << 48: 1, 0x2B00 << 48: 0})
ASNS = AsnMap(
    starts4=np.array([0, 10 << 24, 12 << 24, 21 << 24], np.uint32),
    asn4=np.array([0, 64500, 64501, 0], np.uint32),
    starts6=np.array([0, 0x2A00 << 48, 0x2A01 << 48], np.uint64),
    asn6=np.array([0, 64500, 0], np.uint32),
    info=AsnInfo("test", 1),
)


def at(map_: GeoMap, address: str | Address) -> dict[str, Any]:
    """Everything the map says of an address."""
    row, _ = locate(map_, ip_address(address) if isinstance(address, str) else address)
    places = map_.places
    return {
        "country": places.country[row].decode(),
        "continent": places.continent[row].decode(),
        "subdivision": places.subdivision[row].decode(),
        "city": places.cities[places.city[row]],
        "lat": None if np.isnan(places.lat[row]) else round(float(places.lat[row]), 3),
        "lon": None if np.isnan(places.lon[row]) else round(float(places.lon[row]), 3),
        "asn": int(places.asn[row]),
        "networks": {str(network) for network in places.network_sets[places.network_set[row]]},
    }


def laid(*overrides: NetworkOverride) -> GeoMap:
    """The map with overrides."""
    return overlay(MAP, overrides=overrides)


def put(network: str, **said: Any) -> NetworkOverride:
    """An override."""
    return NetworkOverride(ip_network(network), **said)


def test_nothing_asked_changes_nothing() -> None:
    """Not even a copy is made; and an ASN database that no rule asks for is left alone."""
    assert overlay(MAP) is MAP
    assert overlay(MAP, asn_map=ASNS) is MAP


def test_override_replaces_the_place_as_a_whole() -> None:
    """A country says nothing of the city that the database had; the edges of the network are exact."""
    map_ = laid(put("10.1.0.0/16", country="DE"))
    lat, lon = country_centroid("DE") or (0, 0)
    inside = {
        "country": "DE", "continent": "EU", "subdivision": "", "city": "",
        "lat": pytest.approx(lat, abs=0.01), "lon": pytest.approx(lon, abs=0.01), "asn": 0, "networks": set(),
    }  # fmt: skip
    assert at(map_, "10.1.0.0") == inside
    assert at(map_, "10.1.255.255") == inside
    assert at(map_, "10.0.255.255") == at(MAP, "10.0.255.255")
    assert at(map_, "10.2.0.0") == at(MAP, "10.2.0.0")


def test_override_with_everything_said() -> None:
    """Each word arrives, a new city too; a known city is not listed twice."""
    said = {"country": "DE", "subdivision": "DE-BE", "city": "Berlin", "lat": 52.5, "lon": 13.4, "asn": 64999}
    map_ = laid(put("192.0.2.0/24", **said), put("198.51.100.0/24", country="FR", city="Paris"))
    assert at(map_, "192.0.2.77") == said | {"continent": "EU", "networks": set()}
    assert map_.places.cities == ("", "Paris", "New York", "Berlin")


def test_subdivision_implies_its_country() -> None:
    """`US-CA` is in the United States."""
    found = at(laid(put("192.0.2.0/24", subdivision="US-CA")), "192.0.2.1")
    assert (found["country"], found["continent"], found["subdivision"]) == ("US", "NA", "US-CA")


def test_coordinates_alone_place_an_address_without_a_country() -> None:
    """Enough for `nearest`."""
    found = at(laid(put("192.0.2.0/24", lat=1.5, lon=2.5)), "192.0.2.1")
    assert (found["country"], found["lat"], found["lon"]) == ("", 1.5, 2.5)


def test_an_override_of_the_number_alone_keeps_the_place() -> None:
    """Only the AS is said."""
    assert at(laid(put("10.1.0.0/16", asn=64999)), "10.1.0.1") == at(MAP, "10.1.0.1") | {"asn": 64999}


def test_the_more_specific_override_wins() -> None:
    """Whatever the order; of two for the same network the later one."""
    wide, narrow = put("10.0.0.0/8", country="DE"), put("10.1.0.0/16", country="JP")
    for order in ([wide, narrow], [narrow, wide]):
        map_ = laid(*order)
        assert at(map_, "10.1.2.3")["country"] == "JP"
        assert at(map_, "10.2.2.3")["country"] == "DE"
    assert at(laid(wide, put("10.0.0.0/8", country="NO")), "10.2.2.3")["country"] == "NO"


def test_whole_families_and_ipv6() -> None:
    """From /0 to /64, up to the last address."""
    map_ = laid(
        put("0.0.0.0/0", country="DE"), put("::/0", country="NO"), put("2a00:1:2:3::/64", country="JP")
    )
    assert [at(map_, text)["country"] for text in ("0.0.0.0", "255.255.255.255")] == ["DE", "DE"]
    assert at(map_, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")["country"] == "NO"
    assert at(map_, "2a00:1:2:3:ffff::")["country"] == "JP"
    assert at(map_, "2a00:1:2:4::")["country"] == "NO"
    assert map_.starts4.tolist() == [0]


def test_networks_deeper_than_64_are_refused() -> None:
    """As overrides and as names in a rule."""
    deep = ip_network("2001:db8::/65")
    with pytest.raises(ValueError, match="longer than /64"):
        overlay(MAP, networks=[deep])
    with pytest.raises(ValueError, match="longer than /64"):
        overlay(MAP, overrides=[NetworkOverride(deep, country="DE")])


def test_named_networks() -> None:
    """A place knows every named network round it; elsewhere it is the empty set."""
    names = ["10.0.0.0/8", "10.1.0.0/16", "2a00::/32", "0.0.0.0/1"]
    map_ = overlay(MAP, networks=[ip_network(name) for name in names])
    assert at(map_, "10.1.2.3")["networks"] == {"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/1"}
    assert at(map_, "10.2.2.3")["networks"] == {"10.0.0.0/8", "0.0.0.0/1"}
    assert at(map_, "200.0.0.1")["networks"] == set()
    assert at(map_, "2a00::1")["networks"] == {"2a00::/32"}
    assert at(map_, "2a00:0:ffff::1") == at(map_, "2a00::1")
    assert map_.places.network_sets[0] == frozenset()


def test_numbers_asked_for() -> None:
    """Numbers of the database appear where they were asked for, and cut nothing elsewhere."""
    map_ = overlay(MAP, asn_map=ASNS, asns=frozenset({64500}))
    assert at(map_, "10.5.5.5")["asn"] == 64500
    assert at(map_, "12.5.5.5")["asn"] == 0
    assert at(map_, "2a00::1")["asn"] == 64500
    assert 21 << 24 not in map_.starts4.tolist()
    assert Kind.ASN in map_.info.kinds
    everything = overlay(MAP, asn_map=ASNS, asns=frozenset({64500, 64501, 4_294_967_295}))
    assert at(everything, "12.5.5.5")["asn"] == 64501


def test_all_at_once() -> None:
    """An override moves the place and keeps the database's number; the network's name stays on top."""
    map_ = overlay(
        MAP,
        networks=[ip_network("10.0.0.0/9")],
        overrides=[put("10.1.0.0/16", country="DE"), put("10.1.1.0/24", asn=7)],
        asn_map=ASNS,
        asns=frozenset({64500}),
    )
    found = at(map_, "10.1.0.1")
    assert (found["country"], found["asn"], found["networks"]) == ("DE", 64500, {"10.0.0.0/9"})
    found = at(map_, "10.1.1.1")
    assert (found["country"], found["asn"], found["networks"]) == ("DE", 7, {"10.0.0.0/9"})
    assert at(map_, "10.200.0.1") == at(MAP, "10.200.0.1") | {"asn": 64500}


def test_takes_the_policys_own_overrides() -> None:
    """`NetworkPlace` of the policy is an override as it is."""
    place = NetworkPlace(ip_network("192.0.2.0/24"), country="DE")
    assert at(overlay(MAP, overrides=[place]), "192.0.2.1")["country"] == "DE"


networks = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda item: ip_network((item[0] >> (32 - item[1]) << (32 - item[1]), item[1]))
    ),
    st.tuples(st.integers(2**63, 2**64 - 1), st.integers(0, 64)).map(
        lambda item: ip_network((item[0] >> (64 - item[1]) << (128 - item[1]), item[1]))
    ),
)
overrides_ = st.builds(
    NetworkOverride,
    networks,
    country=st.sampled_from([None, "DE", "JP"]),
    asn=st.sampled_from([None, 64500, 1]),
)


def said(
    map_: GeoMap, networks_: Sequence[Network], overrides: Sequence[NetworkOverride], address: Address
) -> Any:
    """What the overlay should say of an address, worked out one network at a time."""
    base = at(map_, address)
    last = {override.network: override for override in overrides}
    covering = sorted(
        (item for item in last.values() if address in item.network), key=lambda item: item.network.prefixlen
    )
    for item in covering:
        if item.country is not None:
            base["country"] = item.country
        if item.asn is not None:
            base["asn"] = item.asn
    base["networks"] = {str(network) for network in networks_ if address in network}
    return {key: base[key] for key in ("country", "asn", "networks")}


@settings(max_examples=150, deadline=None)
@given(st.lists(networks, max_size=8), st.lists(overrides_, max_size=8))
def test_any_overlay(named: list[Network], overrides: list[NetworkOverride]) -> None:
    """At every edge the overlay says what the slow way says, and ranges keep their promises."""
    map_ = overlay(MAP, networks=named, overrides=overrides)
    for network in [*named, *(item.network for item in overrides)]:
        make = IPv4Address if network.version == 4 else IPv6Address
        for number in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                found = at(map_, make(number))
                assert {key: found[key] for key in ("country", "asn", "networks")} == said(
                    MAP, named, overrides, make(number)
                )
    for starts, place in ((map_.starts4, map_.place4), (map_.starts6, map_.place6)):
        assert starts[0] == 0
        assert (starts[1:] > starts[:-1]).all()
        assert (place[1:] != place[:-1]).all()
        assert int(place.max()) < len(map_.places)


def test_a_large_overlay_keeps_the_types_of_the_map() -> None:
    """Row numbers, starts and columns are what they were before."""
    many = [put(f"10.{high}.{low}.0/24", country="DE") for high in range(20) for low in range(0, 250, 2)]
    map_ = overlay(MAP, overrides=many, networks=[item.network for item in many])
    assert map_.starts4.dtype == np.uint32
    assert map_.place6.dtype == np.uint32
    assert map_.places.asn.dtype == np.uint32
    assert len(map_.places.network_sets) == 1 + len(many)
    assert at(map_, "10.7.4.9")["country"] == "DE"
    assert at(map_, "10.7.5.9")["country"] == "FR"
    assert replace(map_.info, kinds=frozenset()) == replace(MAP.info, kinds=frozenset())
