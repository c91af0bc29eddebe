"""The compact form of a map. With a first octet of 0 the rest is the file, else what the file unpacks to.

What must hold: a ValueError that says why, or a map that keeps the promises of `GeoMap`.
"""

import zlib
from collections.abc import Iterator
from ipaddress import ip_address

from georouter.geo.locate import locate
from georouter.geo.store import MAGIC, decode, encode
from tests.compiler.build import tiny_map
from tests.fuzz.target import About

ABOUT = About(
    longest=2000,
    words=(b"starts4", b"place6", b"city", b"[]", b"-1", b"99999999", b"null", MAGIC),
    mutations=1000,
)


def run(data: bytes) -> None:
    """Unpack, and look addresses up."""
    file = data[1:] if data[:1] == b"\0" else MAGIC + zlib.compress(data[1:], 1)
    try:
        found = decode(file)
    except ValueError as error:
        assert str(error)
        return
    for address in ("0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "ffff:ffff:ffff:ffff::"):
        row, prefix = locate(found, ip_address(address))
        assert 0 <= row < len(found.places)
        assert ip_address(address) in prefix
        found.places.row(row)


def seeds() -> Iterator[bytes]:
    """One map, both ways."""
    file = encode(tiny_map())
    yield b"\0" + file
    yield b"\1" + zlib.decompress(file[len(MAGIC) :])
