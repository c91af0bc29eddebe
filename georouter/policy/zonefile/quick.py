"""The common lines of zone files, each by one match of one pattern: a million of them take seconds.

Whatever is not exactly such a line, or is wrong in any way, is not for here: `None` sends it to `entry`
and dnspython, which know all of the format and say what is wrong.
"""

import re
import struct
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

from georouter.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_DS,
    TYPE_MX,
    TYPE_NS,
    TYPE_PTR,
    TYPE_SRV,
    TYPE_TXT,
)
from georouter.wire.names import MAX_LABEL, MAX_NAME

_HOST = r"(?:[A-Za-z0-9_*-][A-Za-z0-9_.*/-]*|@)"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
LINE = re.compile(
    rf"({_HOST})?[ \t]+(?:([0-9]{{1,10}})[ \t]+)?(?:IN[ \t]+)?(?:([0-9]{{1,10}})[ \t]+)?(?:"
    rf"A[ \t]+({_OCTET}(?:\.{_OCTET}){{3}})"
    r"|AAAA[ \t]+([0-9A-Fa-f:.]{2,45})"
    rf"|(?:CNAME|(NS)|(PTR)|(DNAME))[ \t]+({_HOST})"
    rf"|MX[ \t]+([0-9]{{1,5}})[ \t]+({_HOST})"
    rf"|SRV[ \t]+([0-9]{{1,5}})[ \t]+([0-9]{{1,5}})[ \t]+([0-9]{{1,5}})[ \t]+({_HOST})"
    r"|DS[ \t]+([0-9]{1,5})[ \t]+([0-9]{1,3})[ \t]+2[ \t]+([0-9A-Fa-f]{64})"
    r'|TXT[ \t]+("[^"\\\n]{0,255}"(?:[ \t]+"[^"\\\n]{0,255}")*)'
    r")[ \t]*(?:;[^\n]*)?\r?(?:\n|\Z)",
    re.IGNORECASE | re.ASCII,
)
"""Groups: owner, TTL, TTL behind the class, and then the data."""

_STRING = re.compile('"([^"]*)"')
_LENGTHS = [bytes((length,)) for length in range(MAX_LABEL + 1)]
_KEPT_NAMES = 65536
"""Targets repeat: a zone of a million names has a handful of name servers."""


class Names:
    """Names as zone files write them, read below one origin at a time."""

    def __init__(self, origin: bytes) -> None:
        self.origin = origin
        self._known: dict[str, bytes | None] = {}

    def target(self, text: str) -> bytes | None:
        """A name in record data in wire form, case kept; None for one with something odd about it."""
        found = self._known.get(text, _UNKNOWN)
        if found is _UNKNOWN:
            if len(self._known) >= _KEPT_NAMES:
                self._known.clear()
            found = self._known[text] = self.read(text)
        return found

    def read(self, text: str) -> bytes | None:
        """As `target`, for names that seldom come back."""
        if text == "@":
            return self.origin
        labels = text.encode().split(b".")
        last = self.origin
        if not labels[-1]:
            labels.pop()
            last = b"\0"
        wire = b""
        for label in labels:
            if not 0 < len(label) <= MAX_LABEL:
                return None
            wire += _LENGTHS[len(label)] + label
        wire += last
        return wire if len(wire) <= MAX_NAME else None


_UNKNOWN = b"?"
"""Is no name."""


def data(found: "re.Match[str]", names: Names) -> tuple[int, bytes] | None:
    """Type and record data of a line that matched `LINE`; None when it takes a closer look."""
    return _READ[found.lastindex or 0](found, names)


def _a(found: "re.Match[str]", _names: Names) -> tuple[int, bytes]:
    return TYPE_A, bytes(map(int, found[4].split(".")))


def _aaaa(found: "re.Match[str]", _names: Names) -> tuple[int, bytes] | None:
    try:
        return TYPE_AAAA, IPv6Address(found[5]).packed
    except AddressValueError:
        return None


def _host(found: "re.Match[str]", names: Names) -> tuple[int, bytes] | None:
    host = names.target(found[9])
    if host is None:
        return None
    kind = TYPE_NS if found[6] else TYPE_PTR if found[7] else TYPE_DNAME if found[8] else TYPE_CNAME
    return kind, host


def _mx(found: "re.Match[str]", names: Names) -> tuple[int, bytes] | None:
    host, preference = names.target(found[11]), int(found[10])
    if host is None or preference > 0xFFFF:
        return None
    return TYPE_MX, preference.to_bytes(2) + host


def _srv(found: "re.Match[str]", names: Names) -> tuple[int, bytes] | None:
    host, numbers = names.target(found[15]), (int(found[12]), int(found[13]), int(found[14]))
    if host is None or max(numbers) > 0xFFFF:
        return None
    return TYPE_SRV, struct.pack("!3H", *numbers) + host


def _ds(found: "re.Match[str]", _names: Names) -> tuple[int, bytes] | None:
    tag, algorithm = int(found[16]), int(found[17])
    if tag > 0xFFFF or algorithm > 0xFF:
        return None
    return TYPE_DS, struct.pack("!HBB", tag, algorithm, 2) + bytes.fromhex(found[18])


def _txt(found: "re.Match[str]", _names: Names) -> tuple[int, bytes] | None:
    strings = _STRING.findall(found[19])
    wire = b""
    for text in strings:
        octets = text.encode("utf-8", "surrogateescape")
        if len(octets) > 0xFF:
            return None
        wire += len(octets).to_bytes(1) + octets
    return (TYPE_TXT, wire) if len(wire) <= 0xFFFF else None


_READ: dict[int, Callable[["re.Match[str]", Names], tuple[int, bytes] | None]] = {
    4: _a,
    5: _aaaa,
    9: _host,
    11: _mx,
    15: _srv,
    18: _ds,
    19: _txt,
}
"""The last group that matched -> what reads the data."""
