"""The second opinion: what the makers' own libraries read, against our ranges and places."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from georouter.geo.locate import locate
from georouter.geo.mmdb import read
from georouter.sources.mmdb_record import record
from georouter.words.errors import SourceError
from tests.geo.records import WORLD, flat
from tests.geo.writer import write


@pytest.mark.parametrize("kind", ["GeoLite2-City", "GeoIP2-City"])
@pytest.mark.parametrize(
    "text", ["1.2.3.9", "1.2.9.9", "81.2.69.1", "200.1.2.3", "2001:db8::1", "2a00:1:2:3::1"]
)
def test_geoip2_agrees_with_our_walk(tmp_path: Path, kind: str, text: str) -> None:
    """Country, subdivision, city and coordinates are those that MaxMind's library gives."""
    path = tmp_path / "city.mmdb"
    path.write_bytes(write(WORLD, type=kind))
    told = record(path, ip_address(text))
    assert told is not None
    map_ = read([path.read_bytes()])
    row, _network = locate(map_, ip_address(text))
    places = map_.places
    assert places.country[row].decode() == told["country"]["iso_code"]
    assert float(places.lat[row]) == pytest.approx(told["location"]["latitude"], abs=1e-4)
    assert places.cities[places.city[row]] == told.get("city", {}).get("names", {}).get("en", "")


def test_a_flat_record_comes_as_it_is(tmp_path: Path) -> None:
    """Files that are not MaxMind's are read without a schema."""
    path = tmp_path / "flat.mmdb"
    path.write_bytes(write({"1.0.0.0/8": flat("DE", 52.5, 13.4, state="Berlin")}, version=4))
    assert record(path, ip_address("1.2.3.4")) == flat("DE", 52.5, 13.4, state="Berlin")
    assert record(path, ip_address("2.2.3.4")) is None
    assert record(path, ip_address("2001:db8::1")) is None


def test_an_address_that_geoip2_does_not_find(tmp_path: Path) -> None:
    """Its exception is our None."""
    path = tmp_path / "city.mmdb"
    path.write_bytes(write(WORLD, type="GeoLite2-City"))
    assert record(path, ip_address("9.9.9.9")) is None


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Junk is named with its reason."""
    path = tmp_path / "junk.mmdb"
    path.write_bytes(b"junk" * 100)
    with pytest.raises(SourceError, match=r"junk\.mmdb"):
        record(path, ip_address("1.2.3.4"))
