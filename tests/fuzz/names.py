"""Names as people write them, and names in messages.

What must hold: a ValueError that says why, or a name; dnspython reads the same; text and octets turn into
each other; compressed records say what they said before.
"""

from collections.abc import Iterator

import dns.exception
import dns.name

from georouter.wire import names
from georouter.wire.message import name_end, skip_name
from tests.fuzz.target import About

ABOUT = About(
    longest=400,
    is_text=True,
    words=(b"\\000", b"\\.", b"\\", b".", b"@", b"*", b"\\255", b"a" * 63),
    mutations=4000,
)
ORIGIN = b"\7example\3com\0"


def run(data: bytes) -> None:
    """As text, and as octets."""
    text = data.decode("utf-8", "replace")
    written(text)
    on_the_wire(data)


def written(text: str) -> None:
    """What `parse_name` and `parse_relative` make of it."""
    wire = absolute = None
    try:
        wire = names.parse_relative(text, ORIGIN)
        absolute = names.parse_name(text)
    except ValueError as error:
        assert str(error)
    for mine, origin in ((wire, dns.name.from_wire(ORIGIN, 0)[0]), (absolute, dns.name.root)):
        if mine is None:
            continue
        assert names.parse_name(names.name_text(mine)) == mine
        assert names.join(names.labels(mine)) == mine
        assert names.lower(names.lower(mine)) == names.lower(mine)
        if text != "@":
            theirs = dns.name.from_text(text, origin=origin, idna_codec=_Octets())
            assert theirs.to_wire() == mine, (text, theirs)


class _Octets(dns.name.IDNACodec):
    """No IDNA: labels are what they are."""

    def encode(self, label: str) -> bytes:
        return label.encode("latin-1")


def on_the_wire(data: bytes) -> None:
    """What a message's name is, to us and to dnspython."""
    end = name_end(data, 0)
    try:
        name, used = dns.name.from_wire(data, 0)
    except dns.exception.DNSException:
        assert end == -1
    else:
        pointer = any(data[at] >= 0xC0 for at in _lengths(data))
        assert end == (-1 if pointer else used)
        if not pointer:
            assert names.parse_name(names.name_text(data[:end])) == data[:end]
            assert names.join(tuple(name.labels[:-1])) == data[:end]
        assert skip_name(data, 0) == used


def _lengths(data: bytes) -> Iterator[int]:
    """Where the lengths of the first name stand, as far as it is written out."""
    at = 0
    while at < len(data):
        yield at
        if not data[at] or data[at] >= 0xC0:
            return
        at += 1 + data[at]


def seeds() -> Iterator[bytes]:
    """Good names, bad names, wire names."""
    yield from (
        b"www.example.com.",
        b".",
        b"@",
        b"",
        b"*.a",
        rb"a\.b.c",
        rb"\000\255.x",
        rb"\03",
        b"a..b",
        b".a",
        b"a b",
        rb"a\ b",
        "bücher.example".encode(),
        b"a" * 64,
        (b"a" * 63 + b".") * 4,
        b"a." * 127,
        b"a." * 128,
    )
    yield from (
        b"\3www\7example\3com\0",
        b"\0",
        b"\xc0\0",
        b"\3www\xc0\0",
        b"\1\0\0",
        b"\x40a",
        (b"\1a" * 127) + b"\0",
    )
