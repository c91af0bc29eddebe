"""EDNS: the OPT record and its options."""

import struct

import dns.edns
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.codes import OPTION_ECS, RCODE_BADVERS, RCODE_FORMERR
from georouter.wire.edns import ClientSubnet, make_error, make_opt, parse_opt, parse_subnet

LONDON = b"\0\1\x18\0\x51\2\x45"
"""81.2.69.0/24 as option data."""


def option(code: int, data: bytes) -> bytes:
    """An option in wire form."""
    return struct.pack("!HH", code, len(data)) + data


def test_a_client_subnet() -> None:
    """Read as dnspython wrote it."""
    data = dns.edns.ECSOption("81.2.69.0", 24).to_wire()
    assert data == LONDON
    assert parse_subnet(LONDON) == ClientSubnet(1, 24, b"\x51\2\x45")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LONDON[:3],
        LONDON[:-1],
        LONDON + b"\0",
        b"\0\3\0\0",
        b"\0\1\x21\0abcde",
        b"\0\2\x81\0" + bytes(17),
        b"\0\1\x18\1\x51\2\x45",
        b"\0\1\x17\0\x51\2\x45",
        b"\0\0\1\0\x80",
    ],
)
def test_malformed_client_subnets(data: bytes) -> None:
    """RFC 7871 6, one rule each."""
    assert parse_subnet(data) is None


@given(st.binary(max_size=24))
def test_a_subnet_read_is_a_subnet_echoed(data: bytes) -> None:
    """What was accepted comes back octet for octet, with our scope in its place."""
    subnet = parse_subnet(data)
    if subnet is not None:
        assert subnet.echo(17) == option(OPTION_ECS, data[:3] + b"\x11" + data[4:])


def test_options_are_read_in_any_order() -> None:
    """Cookies and unknown ones stand anywhere."""
    for rdata in (
        option(10, bytes(8)) + option(8, LONDON),
        option(8, LONDON) + option(10, bytes(8)),
        option(65001, b"") + option(8, LONDON) + option(3, b""),
    ):
        opt = parse_opt(1232, 0x8000, rdata)
        assert (opt.error, opt.dnssec_ok, opt.payload) == (0, True, 1232)
        assert opt.subnet == ClientSubnet(1, 24, b"\x51\2\x45")


@pytest.mark.parametrize(
    "rdata",
    [
        b"\0",
        b"\0\x0a\0",
        b"\0\x0a\0\x09" + bytes(8),
        option(8, b""),
        option(8, LONDON) * 2,
        option(8, LONDON) + option(8, b"bad"),
    ],
)
def test_malformed_records(rdata: bytes) -> None:
    """FORMERR, and no subnet to echo."""
    opt = parse_opt(1232, 0, rdata)
    assert (opt.error, opt.subnet) == (RCODE_FORMERR, None)


def test_the_version_comes_first() -> None:
    """Options of a version we do not know are not read."""
    assert parse_opt(1232, 0x00018000, b"\0").error == RCODE_BADVERS


@given(st.integers(512, 4096), st.booleans(), st.integers(0, 4095))
def test_our_record(payload: int, dnssec_ok: bool, rcode: int) -> None:
    """As dnspython reads it in a message with the lower bits of the code."""
    header = struct.pack("!6H", 7, 0x8000 | (rcode & 15), 0, 0, 0, 1)
    message = dns.message.from_wire(header + make_opt(payload, dnssec_ok, rcode, b""))
    assert (message.edns, message.payload, int(message.rcode())) == (0, payload, rcode)
    assert message.ednsflags & 0xFFFF == (0x8000 if dnssec_ok else 0)


def test_an_extended_error() -> None:
    """As dnspython reads it."""
    data = make_error(22, "all regions are down")
    header = struct.pack("!6H", 7, 0x8002, 0, 0, 0, 1)
    message = dns.message.from_wire(header + make_opt(1232, False, 2, data))
    (found,) = message.options
    assert isinstance(found, dns.edns.EDEOption)
    assert (int(found.code), found.text) == (22, "all regions are down")


def test_cookies_and_nsid_are_noted() -> None:
    """The first cookie as it came, whatever its length; nothing of them behind a higher version."""
    rdata = option(10, b"abc") + option(3, b"") + option(10, b"other")
    found = parse_opt(1232, 0, rdata)
    assert (found.cookie, found.nsid, found.error) == (b"abc", True, 0)
    found = parse_opt(1232, 0, b"")
    assert (found.cookie, found.nsid) == (None, False)
    assert parse_opt(1232, 1 << 16, rdata).cookie is None


def test_keepalive_is_empty_in_queries() -> None:
    """Clients have nothing to tell (RFC 7828 3.2.1); one that does is as good as none."""
    assert parse_opt(1232, 0, option(11, b"")).keepalive
    assert not parse_opt(1232, 0, option(11, b"\0\x64")).keepalive
    assert parse_opt(1232, 0, option(11, b"\0\x64") + option(11, b"")).keepalive
    assert not parse_opt(1232, 0, b"").keepalive
