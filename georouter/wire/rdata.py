"""Record data between presentation text and uncompressed wire bytes, at compile time.

The commonest types are read here directly (a zone of 10,000 records must load well under a second);
everything else goes through dnspython, which validates strictly. Nothing of this is on the packet
path.
"""

import re
import struct
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType

from georouter.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_KX,
    TYPE_MX,
    TYPE_NS,
    TYPE_OPT,
    TYPE_PTR,
    TYPE_SRV,
    TYPE_TXT,
    type_number,
    type_text,
)
from georouter.wire.names import lower, parse_relative

_META = range(128, 256)
"""Query and meta types (RFC 6895 3.1): never data of a zone."""

MAX_STRING = 255
"""Octets of one character-string (RFC 1035 3.3)."""

_BLANKS = " \t\r\n"
"""What may stand round data and is not part of it."""

_SHOWN = 100
"""Characters of bad data that a message repeats."""

_NAME_AT: Mapping[int, int] = MappingProxyType(
    {
        TYPE_NS: 0,
        TYPE_CNAME: 0,
        TYPE_PTR: 0,
        TYPE_DNAME: 0,
        TYPE_MX: 2,
        18: 2,  # AFSDB
        21: 2,  # RT
        TYPE_KX: 2,
        TYPE_SRV: 6,
    }
)
"""Where, in data of these types, the one name begins that is all of the rest."""

_TEXTUAL = frozenset({13, TYPE_TXT, 19, 20, 35, 56, 99, 256, 257, 258, 261, 262})
"""Types whose data holds text that need not be ASCII (HINFO, TXT, X25, ISDN, NAPTR, NINFO, SPF, URI,
CAA, AVC, RESINFO, WALLET)."""

_RAW_OCTET = re.compile("[\udc80-\udcff]")
"""What Python's `surrogateescape` makes of octets that are not UTF-8."""


def parse_rdata(type_text: str, text: str, origin: bytes) -> tuple[int, bytes]:
    r"""Record text to (type number, uncompressed wire data).

    Relative names lie below `origin` (wire). `TXT` that does not begin with a quotation mark is one
    text taken literally, blanks and all; quoted text follows zone-file rules. Strings longer than
    255 octets are cut into several, which is what readers of TXT (SPF, DKIM) join again.
    `TYPEnnn` and `\# length hex` are understood (RFC 3597). Raises ValueError with a reason.
    """
    number = stored_type(type_text)
    direct = _DIRECT.get(number)
    if direct is not None and not text.lstrip(_BLANKS).startswith("\\#"):
        return number, direct(text.strip(_BLANKS), origin)
    return number, _strict(number, text, origin)


def parse_zone_rdata(number: int, text: str, origin: bytes) -> bytes:
    """As `parse_rdata`, for data as it stands in a zone file (RFC 1035 5.1).

    `text` may hold parentheses with line breaks between them, and comments. Octets that were not UTF-8
    (`surrogateescape`) are taken as they are.
    """
    if not text.isascii():
        if number not in _TEXTUAL:
            raise ValueError(f"'{text}' is not ASCII; write internationalized names in their xn-- form")
        text = _RAW_OCTET.sub(lambda found: f"\\{ord(found[0]) - 0xDC00:03d}", text)
    return _strict(number, text, origin)


def stored_type(text: str) -> int:
    """The number of a record type as `type_number` reads it. ValueError for types no zone can hold."""
    number = type_number(text)
    if number in _META or number in (0, TYPE_OPT):
        raise ValueError(f"{type_text(number)} is not a type of stored records")
    return number


def rdata_text(type: int, rdata: bytes) -> str:  # noqa: A002 - the record's own word
    """Presentation form with absolute names, for people. Raises ValueError for malformed data."""
    import dns.exception  # noqa: PLC0415 - most policies have the commonest types alone
    import dns.rdata  # noqa: PLC0415
    import dns.rdataclass  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415

    try:
        record = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(type), rdata, 0, len(rdata)
        )
        return record.to_text()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(
            f"malformed {dns.rdatatype.to_text(dns.rdatatype.RdataType.make(type))} data: {error}"
        ) from error


def soa_rdata(  # noqa: PLR0917 - the fields in wire order
    mname: bytes, rname: bytes, serial: int, refresh: int, retry: int, expire: int, minimum: int
) -> bytes:
    """Start of authority data (RFC 1035 3.3.13) from wire names and seconds."""
    return mname + rname + struct.pack("!5L", serial, refresh, retry, expire, minimum)


def name_in_rdata(type: int, rdata: bytes) -> bytes | None:  # noqa: A002 - the record's own word
    """The one name that data of this type is or ends with (NS, CNAME, MX, SRV and the like), else None."""
    at = _NAME_AT.get(type)
    return None if at is None else rdata[at:]


def canonical(type: int, rdata: bytes) -> bytes:  # noqa: A002 - the record's own word
    """Equal for data that differs only in the case of the names that `name_in_rdata` knows."""
    at = _NAME_AT.get(type)
    return rdata if at is None else rdata[:at] + lower(rdata[at:])


def _a(text: str, _origin: bytes) -> bytes:
    try:
        return IPv4Address(text).packed
    except AddressValueError:
        raise ValueError(f"'{text}' is not an IPv4 address") from None


def _aaaa(text: str, _origin: bytes) -> bytes:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise ValueError(f"'{text}' is not an IPv6 address") from None
    if address.scope_id is not None:
        raise ValueError(f"'{text}' has a zone index; records hold plain addresses")
    return address.packed


def _host(text: str, origin: bytes) -> bytes:
    return parse_relative(text, origin)


def _mx(text: str, origin: bytes) -> bytes:
    words = text.split()
    if len(words) != 2:
        raise ValueError(f"'{text}' is not 'PREFERENCE HOST', such as '10 mail.example.com.'")
    if not (words[0].isdecimal() and words[0].isascii() and int(words[0]) <= 0xFFFF):
        raise ValueError(f"'{words[0]}' is not a preference from 0 to 65535")
    return struct.pack("!H", int(words[0])) + parse_relative(words[1], origin)


def _txt(text: str, origin: bytes) -> bytes:
    if text.startswith('"'):
        inner = text[1:-1]
        if len(text) < 2 or not text.endswith('"') or '"' in inner or "\\" in inner:
            return _strict(TYPE_TXT, text, origin)
        text = inner
    data = text.encode("utf-8")
    chunks = [data[at : at + MAX_STRING] for at in range(0, len(data), MAX_STRING)] or [b""]
    wire = b"".join(bytes((len(chunk),)) + chunk for chunk in chunks)
    if len(wire) > 0xFFFF:
        raise ValueError(f"{len(data)} octets of text do not fit into one record")
    return wire


_DIRECT: Mapping[int, Callable[[str, bytes], bytes]] = MappingProxyType(
    {
        TYPE_A: _a,
        TYPE_AAAA: _aaaa,
        TYPE_NS: _host,
        TYPE_CNAME: _host,
        TYPE_PTR: _host,
        TYPE_MX: _mx,
        TYPE_TXT: _txt,
    }
)


def _strict(number: int, text: str, origin: bytes) -> bytes:
    """Through dnspython, whose complaints become one readable ValueError."""
    import dns.exception  # noqa: PLC0415 - as above
    import dns.name  # noqa: PLC0415
    import dns.rdata  # noqa: PLC0415
    import dns.rdataclass  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415

    base, _ = dns.name.from_wire(origin, 0)
    try:
        record = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(number), text, origin=base, relativize=False
        )
        wire = record.to_wire()
    except (struct.error, ArithmeticError, LookupError):  # dnspython's own slips
        raise ValueError(
            f"'{_short(text)}' is not {type_text(number)} data: a number is out of range"
        ) from None
    except (dns.exception.DNSException, ValueError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise ValueError(f"'{_short(text)}' is not {type_text(number)} data: {reason}") from error
    if wire is None or len(wire) > 0xFFFF:
        raise ValueError(f"'{_short(text)}' does not fit into one record")
    return wire


def _short(text: str) -> str:
    """On one line, and not endless."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
