"""Record data as policies and zone files write it, for every type.

Two octets of type, then the text. What must hold: a ValueError that says why, or data that dnspython
reads, that turns into text and back, and that is the same whichever way it was read.
"""

from collections.abc import Iterator

from georouter.wire.codes import TYPE_TXT, type_number, type_text
from georouter.wire.rdata import (
    _DIRECT,
    _strict,
    canonical,
    name_in_rdata,
    parse_rdata,
    parse_zone_rdata,
    rdata_text,
)
from tests.fuzz.target import About
from tests.wire.test_rdata import EVERY_TYPE

ABOUT = About(
    longest=600,
    is_text=True,
    words=(
        b"\\# 4 c0000201",
        b'"',
        b"\\",
        b".",
        b"@",
        b"alpn=h2",
        b"ipv4hint=192.0.2.1",
        b"key65000=a",
        b"( )",
        b"-1",
    ),
    mutations=3000,
)
ORIGIN = b"\7example\3com\0"


def run(data: bytes) -> None:
    """Read as a policy has it, and as a zone file has it."""
    number = int.from_bytes(data[:2])
    text = data[2:].decode("utf-8", "surrogateescape")
    try:
        stored, wire = parse_rdata(type_text(number), text, ORIGIN)
    except ValueError as error:
        assert str(error)
    else:
        assert stored == number
        judge(number, wire)
        if number in _DIRECT and number != TYPE_TXT and not set("\r\n") & set(text):
            assert _strict(number, text, ORIGIN) == wire, "the quick way reads what the strict way reads"
    try:
        wire = parse_zone_rdata(number, text, ORIGIN)
    except ValueError as error:
        assert str(error)
    else:
        judge(number, wire)


def judge(number: int, wire: bytes) -> None:
    """Data that any reader reads, and that its text gives again."""
    assert len(wire) <= 0xFFFF
    text = rdata_text(number, wire)
    if text and not text.endswith(" "):  # nothing is written of an empty field at the end
        again = parse_zone_rdata(number, text, ORIGIN)
        assert again == wire, (text, wire, again)
    name_in_rdata(number, wire)
    canonical(number, wire)


def seeds() -> Iterator[bytes]:
    """Every type that the tests of `wire.rdata` know."""
    for kind, text in EVERY_TYPE.items():
        yield type_number(kind.replace("_", "-")).to_bytes(2) + text.encode()
    yield b"\xff\0" + rb"\# 3 010203"
