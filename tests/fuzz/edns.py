"""The data of an OPT record, and the cookies in it.

Six octets of class and TTL, then the options. What must hold: never an exception; options that dnspython
reads are read the same; what is echoed is what was sent; an answer's own cookie proves its source.
"""

from collections.abc import Iterator

import dns.edns
import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from georouter.answers.cookies import Cookies, well_formed
from georouter.wire.codes import OPTION_COOKIE, OPTION_ECS, OPTION_NSID, RCODE_BADVERS, RCODE_FORMERR
from georouter.wire.edns import make_opt, make_option, parse_opt
from tests.fuzz.target import About

ABOUT = About(
    longest=200,
    words=(
        b"\0\x08\0\7\0\1\x18\0",
        b"\0\x0a\0\x08",
        b"\0\x0a\0\x18",
        b"\0\3\0\0",
        b"\0\x0f\0\2",
        b"\xff\xff",
    ),
    mutations=4000,
)
NOW = 1_760_000_000.0
COOKIES = Cookies((b"\7" * 16, b"\x09" * 16))
SOURCE = 0xC6336435


def run(data: bytes) -> None:
    """Read, echo, prove."""
    payload, ttl, rdata = int.from_bytes(data[:2]), int.from_bytes(data[2:6].ljust(4, b"\0")), data[6:]
    found = parse_opt(payload, ttl, rdata)
    assert found.error in (0, RCODE_BADVERS, RCODE_FORMERR)
    assert (found.error == RCODE_BADVERS) == bool(ttl >> 16 & 0xFF)
    options = other_reading(rdata)
    if found.error == RCODE_BADVERS:
        return
    if options is None:  # dnspython knows the inside of more options, and no client subnet without family
        return
    subnets = [option for option in options if isinstance(option, dns.edns.ECSOption)]
    if found.error:
        assert subnets, "only a client subnet can be wrong inside"
        return
    assert found.nsid == any(option.otype == OPTION_NSID for option in options)
    if subnets:
        (subnet,) = subnets
        assert found.subnet is not None
        assert found.subnet.echo(0) == make_option(OPTION_ECS, subnet.to_wire())
    cookies = [option.to_wire() for option in options if option.otype == OPTION_COOKIE]
    assert found.cookie == (cookies[0] if cookies else None)
    if found.cookie is not None and well_formed(found.cookie):
        option, _ = COOKIES.answer(found.cookie, SOURCE, 4, NOW)
        again, proven = COOKIES.answer(option[4:], SOURCE, 4, NOW + 1)
        assert proven
        assert again == option
        assert not COOKIES.answer(option[4:], SOURCE ^ 1, 4, NOW)[1]
    written = make_opt(payload, found.dnssec_ok, 0, rdata)
    assert parse_opt(payload, int.from_bytes(written[5:9]), written[11:]) == found


def other_reading(rdata: bytes) -> tuple[dns.edns.Option, ...] | None:
    """The options as dnspython reads them, or None."""
    try:
        opt = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.OPT, rdata, 0, len(rdata))
    except (dns.exception.DNSException, ValueError):
        return None
    options: tuple[dns.edns.Option, ...] = opt.options  # type: ignore[attr-defined]
    return options


def seeds() -> Iterator[bytes]:
    """Each option in good order and not."""
    for option in (
        b"\0\x08\0\7\0\1\x18\0\x0a\0\0",
        b"\0\x08\0\x0b\0\2\x38\0\x21\0\0\0\0\0\0",
        b"\0\x08\0\4\0\0\0\0",
        b"\0\x08\0\7\0\1\x18\1\x0a\0\0",
        b"\0\x0a\0\x08\1\2\3\4\5\6\7\x08",
        b"\0\x0a\0\x18\1\2\3\4\5\6\7\x08\1\0\0\0" + int(NOW).to_bytes(4) + bytes(8),
        b"\0\3\0\0\0\x0a\0\x08abcdefgh\0\x08\0\4\0\1\0\0",
        b"\0\x0f\0\2\0\0",
    ):
        yield b"\x04\xd0\0\0\x80\0" + option
        yield b"\x04\xd0\0\0\0\0" + option * 2
    yield b"\x04\xd0\0\1\0\0"
