"""Databases of places and of autonomous systems.

What must hold: a ValueError that says why, or a map that keeps the promises of `GeoMap`, stands the way
through its stored form, and knows every address.
"""

from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np

from georouter.geo.locate import locate, locate_asn
from georouter.geo.map import GeoMap
from georouter.geo.mmdb import read, read_asn
from georouter.geo.store import decode, encode
from tests.fuzz.target import About
from tests.geo.records import LONDON, PARIS, WORLD, flat
from tests.geo.writer import ALIASES, write

ABOUT = About(
    longest=6000,
    words=(
        b"\xab\xcd\xefMaxMind.com",
        b"\x20\1",
        b"\xe1",
        b"\x44lat",
        b"\x68\0\0\0\0\0\0\0\0",
        b"iso_code",
        b"country_code",
        bytes(16),
    ),
    mutations=500,
)
ADDRESSES = ("0.0.0.0", "1.2.3.4", "255.255.255.255", "::", "2001:db8:1::", "ffff:ffff:ffff:ffff::")


def run(data: bytes) -> None:
    """As both kinds."""
    try:
        found = read([data])
    except ValueError as error:
        assert str(error)
    else:
        sound(found)
    try:
        numbers = read_asn([data])
    except ValueError as error:
        assert str(error)
    else:
        for address in ADDRESSES:
            assert 0 <= locate_asn(numbers, ip_address(address)) < 1 << 32


def sound(found: GeoMap) -> None:
    """What every map promises."""
    for starts, place in ((found.starts4, found.place4), (found.starts6, found.place6)):
        assert starts[0] == 0
        assert (starts[1:] > starts[:-1]).all()
        assert (place[1:] != place[:-1]).all()
        assert int(place.max()) < len(found.places)
    lat, lon = found.places.lat, found.places.lon
    assert ((np.abs(lat) <= 90) | np.isnan(lat)).all()
    assert ((np.abs(lon) <= 180) | np.isnan(lon)).all()
    again = decode(encode(found))
    assert (again.starts6 == found.starts6).all()
    for address in ADDRESSES:
        row, prefix = locate(found, ip_address(address))
        assert 0 <= row < len(found.places)
        assert ip_address(address) in prefix


def seeds() -> Iterator[bytes]:
    """Small ones of both schemas and all record sizes."""
    for bits in (24, 28, 32):
        yield write({"1.2.0.0/15": LONDON, "2001:db8::/31": PARIS}, bits=bits)
    yield write({"128.0.0.0/1": flat("DE", 50.1, "8.7", state="Hessen", city="X")}, version=4)
    yield write({"1.0.0.0/8": {"autonomous_system_number": 64500}}, type="Test-ASN", version=4)
    yield write({"1.0.0.0/8": LONDON}, aliases=ALIASES, pointers=False)
    yield write(WORLD)
