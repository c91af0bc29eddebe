"""Compression: the same message in fewer octets, as dnspython reads it."""

import random
import struct

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire import compress as module
from georouter.wire.compress import compress
from georouter.wire.names import parse_name

ROOMY = 65535
QUESTION = b"\xc0\x0c"


def record(owner: bytes, kind: str, text: str) -> bytes:
    """One record, all names whole."""
    number = dns.rdatatype.from_text(kind)
    rdata = dns.rdata.from_text("IN", kind, text).to_wire()
    assert rdata is not None
    return owner + struct.pack("!HHIH", number, 1, 60, len(rdata)) + rdata


def message(name: bytes, records: bytes, count: int) -> dns.message.Message:
    """What dnspython reads behind a question for `name`."""
    return dns.message.from_wire(struct.pack("!6H", 1, 0x8400, 1, count, 0, 0) + name + b"\0\1\0\1" + records)


def test_as_small_as_dnspython_makes_it() -> None:
    """RFC 1035 4.1.4, on a referral of the usual form."""
    name = parse_name("www.sub.example.com")
    cut = parse_name("sub.example.com")
    records = b"".join(
        (
            record(cut, "NS", "ns1.sub.example.com."),
            record(cut, "NS", "ns2.elsewhere.test."),
            record(cut, "NS", "ns3.elsewhere.test."),
            record(parse_name("ns1.sub.example.com"), "A", "192.0.2.1"),
        )
    )
    small = compress(name, records, ROOMY)
    assert small is not None
    read = message(name, small, 4)
    assert read == message(name, records, 4)
    assert len(small) == len(read.to_wire()) - 12 - len(name) - 4


@pytest.mark.parametrize(
    ("kind", "text", "shrinks"),
    [
        ("NS", "ns.example.com.", True),
        ("CNAME", "EXAMPLE.com.", True),
        ("PTR", "a.example.com.", True),
        ("MX", "10 mail.example.com.", True),
        ("SOA", "ns.example.com. root.example.com. 1 2 3 4 5", True),
        # RFC 3597 4: not in types that came later, nor in what only looks like a name
        ("SRV", "1 2 3 mail.example.com.", False),
        ("DNAME", "other.example.com.", False),
        ("SVCB", "1 svc.example.com.", False),
        ("RP", "a.example.com. b.example.com.", False),
        ("NAPTR", '1 1 "u" "s" "" example.com.', False),
        ("TXT", '"example.com"', False),
        ("TYPE65280", "\\# 4 c00c0000", False),
    ],
)
def test_names_inside_data(kind: str, text: str, shrinks: bool) -> None:
    """Compressed for the types of RFC 1035, and for no others."""
    name = parse_name("www.example.com")
    records = record(QUESTION, kind, text)
    small = compress(name, records, ROOMY)
    assert small is not None
    assert (len(small) < len(records)) == shrinks
    assert shrinks or small == records
    assert message(name, small, 1) == message(name, records, 1)


def test_what_does_not_fit() -> None:
    """None when there is an octet too little, the records when there is not."""
    name = parse_name("example.com")
    records = record(QUESTION, "NS", "a.example.com.") + record(QUESTION, "NS", "b.a.example.com.")
    small = compress(name, records, ROOMY)
    assert small is not None
    assert compress(name, records, len(small)) == small
    assert compress(name, records, len(small) - 1) is None
    assert compress(name, records, -20) is None
    assert compress(name, b"", 0) == b""


def test_the_root() -> None:
    """It is shorter than any pointer to it."""
    records = record(b"\0", "NS", ".") + record(QUESTION, "MX", "0 .")
    assert compress(b"\0", records, ROOMY) == records


def test_pointers_do_not_reach_far() -> None:
    """RFC 1035 4.1.4: 14 bits; names behind that are written out again."""
    name = parse_name("example.com")
    far = b"".join(record(QUESTION, "TXT", f'"{"x" * 250}"') for _ in range(70))
    records = far + record(QUESTION, "NS", "ns.elsewhere.test.") * 2
    small = compress(name, records, ROOMY)
    assert small is not None
    assert small == records
    assert message(name, small, 72) == message(name, records, 72)


LABELS = st.sampled_from([b"a", b"B", b"b", b"ns", b"com", b"\x02\0", b"\xc0\x0c", b"x" * 63])
NAMES = st.lists(LABELS, max_size=3).map(lambda labels: dns.name.Name([*labels, b""]))


@given(
    NAMES,
    st.lists(st.tuples(st.none() | NAMES, st.sampled_from(["NS", "MX", "SOA", "SRV"]), NAMES), max_size=12),
)
def test_any_names(name: dns.name.Name, rows: list[tuple[dns.name.Name | None, str, dns.name.Name]]) -> None:
    """By dnspython: it reads the same records, and writes none of them shorter."""
    records = b""
    for owner, kind, target in rows:
        before = {"MX": "1 ", "SRV": "1 2 3 "}.get(kind, "")
        after = f" {name} 1 2 3 4 5" if kind == "SOA" else ""
        records += record(QUESTION if owner is None else owner.to_wire(), kind, f"{before}{target}{after}")
    question = name.to_wire().lower()
    small = compress(question, records, ROOMY)
    assert small is not None
    assert len(small) <= len(records)
    assert message(question, small, len(rows)) == message(question, records, len(rows))


def test_the_answers_are_the_same_every_time() -> None:
    """What is kept between questions does not leak from one to another."""
    chance = random.Random(1)
    names = [parse_name(f"{'x' * chance.randrange(1, 40)}.example.com") for _ in range(50)]
    records = record(QUESTION, "NS", "ns.example.com.") + record(
        parse_name("example.com"), "NS", "ns.example.com."
    )
    for name in names + names:
        small = compress(name, records, ROOMY)
        assert small is not None
        assert message(name, small, 2) == message(name, records, 2)


def test_random_names_are_work_only_once() -> None:
    """A flood of names that do not exist must not cost a compression each."""
    records = record(parse_name("sub.example.com"), "NS", "ns.elsewhere.example.com.") * 5
    before = module._compress.cache_info().misses
    for number in range(1000, 2000):
        name = parse_name(f"{number}.sub.example.com")
        small = compress(name, records, ROOMY)
        assert small is not None
        assert message(name, small, 5) == message(name, records, 5)
    assert module._compress.cache_info().misses == before + 1
