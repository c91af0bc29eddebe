import pkgutil
import struct

import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY
import dns.rdtypes.IN
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.names import parse_name
from georouter.wire.rdata import (
    canonical,
    name_in_rdata,
    parse_rdata,
    parse_zone_rdata,
    rdata_text,
    soa_rdata,
    stored_type,
)

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
        ("PTR", "a.\f", "octet 12"),
        ("CNAME", "a..b", "empty label"),
        ("TXT", '"open', "is not TXT data"),
        ("SRV", "1 2 3", "is not SRV data"),
        ("A", r"\# 3 010203", "is not A data"),
        ("LOC", "60 9 0.000 N 24 39 0.000 E 99999999999m", "is not LOC data: a number is out of range"),
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
        lambda t: not t.strip(" \t\r\n").startswith(('"', "\\#"))
    )
)
def test_literal_txt_is_kept(text: str) -> None:
    """Unquoted TXT is one text, cut into strings of at most 255 octets."""
    _, rdata = parse_rdata("TXT", text, ORIGIN)
    at, joined = 0, b""
    while at < len(rdata):
        joined += rdata[at + 1 : at + 1 + rdata[at]]
        at += 1 + rdata[at]
    assert joined == text.strip(" \t\r\n").encode()


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


EVERY_TYPE = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "AFSDB": "1 afs.example.com.",
    "AMTRELAY": "10 0 1 203.0.113.15",
    "APL": "1:192.168.38.0/28 !2:ff00::/8",
    "AVC": '"app-name:WOLFGANG" "app-class:OAM"',
    "BRID": "cml1IEFCQ0Q=",
    "CAA": '0 issue "ca.example; policy=ev"',
    "CDNSKEY": "257 3 8 AwEAAc==",
    "CDS": "12345 8 2 " + "ab" * 32,
    "CERT": "PKIX 1 RSASHA256 AQIDBA==",
    "CNAME": "www.example.com.",
    "CSYNC": "12345 3 A NS AAAA",
    "DHCID": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "DLV": "12345 8 2 " + "ab" * 32,
    "DNAME": "target.example.com.",
    "DNSKEY": "257 3 8 AwEAAc==",
    "DS": "12345 8 2 " + "ab" * 32,
    "DSYNC": "CDS NOTIFY 5359 cds-scanner.example.net.",
    "EUI48": "00-00-5e-00-53-2a",
    "EUI64": "00-00-5e-ef-10-00-00-2a",
    "GPOS": '"-22.6882" "116.8652" "250.0"',
    "HHIT": "cml1IEFCQ0Q=",
    "HINFO": '"Generic PC clone" "NetBSD-1.4"',
    "HIP": "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.com.",
    "HTTPS": '1 . alpn="h2,h3" ipv4hint="192.0.2.1"',
    "IPSECKEY": "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    "ISDN": '"isdn-number" "subaddress"',
    "KEY": "512 255 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR",
    "KX": "10 kx.example.com.",
    "L32": "10 10.1.2.0",
    "L64": "10 2001:0db8:1140:1000",
    "LOC": "60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m",
    "LP": "10 l64-subnet.example.com.",
    "MX": "10 mail.example.com.",
    "NAPTR": '100 10 "S" "SIP+D2U" "" _sip._udp.example.com.',
    "NID": "10 0014:4fff:ff20:ee64",
    "NINFO": '"status" "ok"',
    "NS": "ns.example.com.",
    "NSAP": "0x47000580005a0000000001e133ffffff00016100",
    "NSAP_PTR": "host.example.com.",
    "NSEC": "b.example.com. A MX",
    "NSEC3": "1 0 10 AB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A",
    "NSEC3PARAM": "1 0 10 ab",
    "OPENPGPKEY": "AQIDBA==",
    "PTR": "host.example.com.",
    "PX": "65535 foo.example.com. bar.example.com.",
    "RESINFO": '"qnamemin" "exterr=15-17"',
    "RP": "mbox.example.com. txt.example.com.",
    "RRSIG": "A 8 3 300 20301231235959 20201231235959 1 example.com. AQIDBA==",
    "RT": "0 relay.example.com.",
    "SIG": "A 8 3 300 20301231235959 20201231235959 1 example.com. AQIDBA==",
    "SMIMEA": "0 0 1 " + "ab" * 32,
    "SOA": "ns.example.com. root.example.com. 1 2 3 4 5",
    "SPF": '"v=spf1 -all"',
    "SRV": "0 5 443 web.example.com.",
    "SSHFP": "1 1 aa549bfe898489c02d1715d97d79c57ba2fa76ab",
    "SVCB": '16 svc.example.com. port="53"',
    "TLSA": "3 1 1 " + "ab" * 32,
    "TXT": '"a" "b"',
    "URI": '10 1 "https://example.com/"',
    "WALLET": '"BTC" "abc"',
    "WKS": "10.0.0.1 6 0 1 2 21 23",
    "X25": '"311061700956"',
    "ZONEMD": "2018031900 1 1 " + "ab" * 48,
}
"""One record of every type that dnspython reads, by the name of its module."""


def test_every_type_is_sampled() -> None:
    """The table leaves out only what no zone can hold."""
    modules = {
        module.name
        for where in (dns.rdtypes.ANY, dns.rdtypes.IN)
        for module in pkgutil.iter_modules(where.__path__)
    }
    assert modules - EVERY_TYPE.keys() == {"OPT", "TKEY", "TSIG"}


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_from_text(kind: str) -> None:
    """The bytes dnspython makes, from a policy's text, a zone file's, and the generic form (RFC 3597 5)."""
    text, name = EVERY_TYPE[kind], kind.replace("_", "-")
    try:
        wire = dns.rdata.from_text("IN", name, text).to_wire()
    except dns.rdatatype.UnknownRdatatype:
        pytest.skip("this dnspython does not know it yet")
    assert wire
    number, rdata = parse_rdata(name, text, ORIGIN)
    assert rdata == wire == parse_zone_rdata(number, f"( {text}\n ) ; comment", ORIGIN)
    generic = f"\\# {len(wire)} {wire.hex()}"
    assert parse_rdata(f"TYPE{number}", generic, ORIGIN) == (number, wire)
    assert parse_zone_rdata(number, generic, ORIGIN) == wire


def test_text_of_zone_files() -> None:
    """Two words are two texts, octets are kept as they are, and names are ASCII."""
    assert parse_zone_rdata(16, "a b", ORIGIN) == b"\1a\1b"
    assert parse_zone_rdata(16, '"caf\udce9 \u00e9"', ORIGIN) == b"\7caf\xe9 \xc3\xa9"
    with pytest.raises(ValueError, match="not ASCII"):
        parse_zone_rdata(5, "b\u00fccher", ORIGIN)
    with pytest.raises(ValueError, match=r"'1 2 3' is not SRV data"):
        parse_zone_rdata(33, "1\n 2   3", ORIGIN)


def test_stored_types() -> None:
    """Query types, meta types and 0 are not data of a zone (RFC 6895 3.1)."""
    for text in (
        "OPT",
        "TSIG",
        "TKEY",
        "AXFR",
        "IXFR",
        "MAILA",
        "MAILB",
        "ANY",
        "NXNAME",
        "TYPE0",
        "TYPE200",
    ):
        with pytest.raises(ValueError, match="not a type of stored records"):
            stored_type(text)
    assert [stored_type(text) for text in ("nsap-ptr", "TYPE65280", "DLV")] == [23, 65280, 32769]


def test_canonical() -> None:
    """Names compare without case, other data with it."""
    assert canonical(2, parse_name("NS.Example.com")) == parse_name("ns.example.com")
    assert canonical(15, b"AA" + parse_name("M.x")) == b"AA" + parse_name("m.x")
    assert canonical(16, b"\1A") == b"\1A"


def test_name_in_rdata() -> None:
    """NS, CNAME, PTR and MX data end with a host name; addresses do not."""
    host = parse_name("h.example.com")
    assert name_in_rdata(2, host) == host
    assert name_in_rdata(15, b"\0\x05" + host) == host
    assert name_in_rdata(33, bytes(6) + host) == host
    assert name_in_rdata(1, b"\x01\x02\x03\x04") is None
