"""What answers say, read from their bytes."""

from ipaddress import ip_address

from georouter.analysis.said import Said, read
from georouter.answers.make import make_answer
from georouter.compiler.records import record
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_HTTPS
from georouter.wire.names import parse_name
from georouter.wire.rdata import parse_rdata

OWNER = b"\xc0\x0c"


def packed(text: str) -> bytes:
    """An address as record data."""
    return ip_address(text).packed


def test_addresses_of_both_families() -> None:
    """In order, once each."""
    body = record(OWNER, TYPE_A, 30, packed("192.0.2.1")) + record(
        OWNER, TYPE_AAAA, 30, packed("2001:db8::1")
    )
    assert read(make_answer(answers=2, body=body)) == Said(("192.0.2.1", "2001:db8::1"), ())


def test_names_and_what_stands_behind_them() -> None:
    """A CNAME's target, in lower case, and the address that our own zone has for it."""
    host = parse_name("EU.example.net")
    body = record(OWNER, TYPE_CNAME, 30, host) + record(host, TYPE_A, 30, packed("192.0.2.9"))
    assert read(make_answer(answers=2, body=body)) == Said(("192.0.2.9",), ("eu.example.net",))


def test_hints_and_the_additional_section() -> None:
    """Both kinds of hints of an HTTPS record, and addresses beside it."""
    text = "1 . alpn=h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"
    rdata = parse_rdata("HTTPS", text, b"\0")[1]
    body = record(OWNER, TYPE_HTTPS, 30, rdata) + record(
        parse_name("svc.example"), TYPE_A, 30, packed("192.0.2.7")
    )
    said = read(make_answer(answers=1, additional=1, body=body))
    assert said == Said(("192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.7"), ())


def test_a_denial_says_nothing() -> None:
    """No records, no addresses."""
    assert read(make_answer(rcode=2)) == Said((), ())
