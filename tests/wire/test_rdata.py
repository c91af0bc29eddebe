import struct

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.names import parse_name
from georouter.wire.rdata import name_in_rdata, parse_rdata, rdata_text, soa_rdata

ORIGIN = parse_name("example.com")


@pytest.mark.parametrize(
    ("kind", "text", "back"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("a", " 192.0.2.1 ", "192.0.2.1"),
        ("AAAA", "2001:db8::1", "2001:db8::1"),
        ("CNAME", "Other", "Other.example.com."),
        ("CNAME", "@", "example.com."),
        ("NS", "ns.example.net.", "ns.example.net."),
        ("PTR", "host", "host.example.com."),
        ("MX", "10 mail", "10 mail.example.com."),
        ("TXT", "v=spf1 -all", '"v=spf1 -all"'),
        ("TXT", '"a b"', '"a b"'),
        ("TXT", '"a" "b"', '"a" "b"'),
        ("TXT", '""', '""'),
        ("SRV", "0 5 443 web", "0 5 443 web.example.com."),
        ("CAA", '0 issue "ca.example"', '0 issue "ca.example"'),
        ("HTTPS", "1 . alpn=h2", '1 . alpn="h2"'),
        ("TYPE65400", r"\# 2 abcd", r"\# 2 abcd"),
        ("A", r"\# 4 01020304", "1.2.3.4"),
        ("TYPE1", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_parse_and_back(kind: str, text: str, back: str) -> None:
    """Record text is read, completed below the origin, and rendered for people."""
    number, rdata = parse_rdata(kind, text, ORIGIN)
    assert rdata_text(number, rdata) == back


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("A", "192.0.2.300", "'192.0.2.300' is not an IPv4 address"),
        ("A", "2001:db8::1", "not an IPv4 address"),
        ("AAAA", "192.0.2.1", "not an IPv6 address"),
        ("AAAA", "fe80::1%eth0", "zone index"),
        ("MX", "mail", "PREFERENCE HOST"),
        ("MX", "x mail", "preference from 0 to 65535"),
        ("MX", "65536 mail", "preference from 0 to 65535"),
        ("NS", "a b", "blank"),
        ("CNAME", "a..b", "empty label"),
        ("TXT", '"open', "is not TXT data"),
        ("SRV", "1 2 3", "is not SRV data"),
        ("A", r"\# 3 010203", "is not A data"),
        ("NONSENSE", "x", "not a record type"),
        ("ANY", "x", "not a type of stored records"),
        ("OPT", "x", "not a type of stored records"),
        ("TXT", "x" * 70000, "do not fit"),
    ],
)
def test_refuses_with_a_readable_reason(kind: str, text: str, reason: str) -> None:
    """What is not this type's data is a ValueError that an operator can act on."""
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        parse_rdata(kind, text, ORIGIN)


@given(
    st.text(st.characters(codec="utf-8"), max_size=600).filter(
        lambda t: not t.strip().startswith(('"', "\\#"))
    )
)
def test_literal_txt_is_kept(text: str) -> None:
    """Unquoted TXT is one text, cut into strings of at most 255 octets."""
    _, rdata = parse_rdata("TXT", text, ORIGIN)
    at, joined = 0, b""
    while at < len(rdata):
        joined += rdata[at + 1 : at + 1 + rdata[at]]
        at += 1 + rdata[at]
    assert joined == text.strip().encode()


@pytest.mark.parametrize(
    ("kind", "text"),
    [("A", "192.0.2.9"), ("AAAA", "2001:db8::9"), ("NS", "a.b."), ("MX", "5 a.b."), ("TXT", '"q w"')],
)
def test_direct_readers_agree_with_dnspython(kind: str, text: str) -> None:
    """The fast paths give the bytes dnspython gives."""
    assert parse_rdata(kind, text, ORIGIN)[1] == dns.rdata.from_text("IN", kind, text).to_wire()


def test_soa_and_malformed() -> None:
    """SOA data is two names and five numbers; malformed data has no text."""
    soa = soa_rdata(parse_name("ns1.example.com"), parse_name("root.example.com"), 1, 2, 3, 4, 5)
    assert soa.endswith(struct.pack("!5L", 1, 2, 3, 4, 5))
    assert rdata_text(6, soa) == "ns1.example.com. root.example.com. 1 2 3 4 5"
    with pytest.raises(ValueError, match="malformed A data"):
        rdata_text(1, b"\x01")


def test_name_in_rdata() -> None:
    """NS, CNAME, PTR and MX data end with a host name; addresses do not."""
    host = parse_name("h.example.com")
    assert name_in_rdata(2, host) == host
    assert name_in_rdata(15, b"\0\x05" + host) == host
    assert name_in_rdata(1, b"\x01\x02\x03\x04") is None
