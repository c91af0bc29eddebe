"""Transfers, message by message, as dnspython takes them in."""

from dataclasses import replace

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

from georouter.answers.copies import Grant
from georouter.answers.layout import RCODES, Proto
from georouter.answers.outgoing import MESSAGE_SIZE
from georouter.answers.respond import Responder
from georouter.wire.signing import made
from tests.answers.ask import NOW
from tests.answers.copying import (
    FRIEND,
    GRANT,
    KEY,
    ROWS,
    STRANGER,
    Primary,
    Rows,
    asking,
    lines,
    transferable,
)

SOA = "example.com. 3600 IN SOA ns1.example.com. hostmaster.example.com. {} 14400 3600 1209600 60"
OURS = {
    "example.com. 300 IN NS ns1.example.com.",
    "example.com. 300 IN MX 10 a.example.com.",
    "a.example.com. 300 IN A 192.0.2.1",
    "a.example.com. 300 IN A 192.0.2.2",
    'b.c.example.com. 300 IN TXT "text"',
    "alias.example.com. 300 IN CNAME Away.Example.COM.",
    *(f"h{number}.example.com. 300 IN A 192.0.2.{number}" for number in range(10, 40)),
}
MANY: Rows = tuple((f"host{number}", "A", f"10.0.{number >> 8}.{number & 255}") for number in range(3000))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours and dnspython's are the same."""
    monkeypatch.setattr("time.time", lambda: NOW)


@pytest.fixture
def primary() -> Primary:
    """Steered names in it, too, and a second zone that nobody may copy."""
    return Primary(transferable(www="web"), transferable("example.net"))


def soa(serial: int) -> str:
    """The zone's SOA record."""
    return SOA.format(serial)


def test_a_whole_zone(primary: Primary) -> None:
    """Every record once, the SOA at both ends, steered names with their default answers."""
    steered = {"www.example.com. 30 IN A 192.0.2.1", "www.example.com. 30 IN AAAA 2001:db8::1"}
    assert lines(primary.copied(asking())) == OURS | steered | {soa(7)}
    messages = primary.messages(asking())
    assert messages is not None
    (read,) = [dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True) for wire in messages]
    assert read.flags & (dns.flags.QR | dns.flags.AA | dns.flags.RD) == dns.flags.QR | dns.flags.AA
    assert [read.answer[at].rdtype for at in (0, -1)] == [dns.rdatatype.SOA] * 2
    assert not any(rrset.rdtype == dns.rdatatype.SOA for rrset in read.answer[1:-1])


def test_the_question_comes_back(primary: Primary) -> None:
    """In the client's case, with RD and OPT where it had them."""
    query = asking(name="eXample.COM", use_edns=0)
    query.flags = dns.flags.RD
    messages = primary.messages(query)
    assert messages is not None
    assert b"\7eXample\3COM\0\0\xfc\0\1" in messages[0]
    read = dns.message.from_wire(messages[0])
    assert (read.edns, bool(read.flags & dns.flags.RD)) == (0, True)


def test_messages() -> None:
    """As large as may be and no larger, names compressed; a larger record has one of its own."""
    large = [('"' + "x" * 250 + '" ') * 80]
    zone = transferable(rows=(*MANY, *((f"large{n}", "TXT", text) for n, text in enumerate(large)), *ROWS))
    primary = Primary(zone)
    messages = primary.messages(asking())
    assert messages is not None
    sizes = [len(wire) for wire in messages]
    assert [size > MESSAGE_SIZE for size in sizes].count(True) == 1
    assert max(sizes) < 20200
    assert min(sizes[:-4]) > MESSAGE_SIZE - 400
    assert sum(sizes) < 1.15 * (3000 * (9 + 2 + 14) + 20080)  # label, pointer, the rest of an A record
    counts = [int.from_bytes(wire[6:8]) for wire in messages]
    assert sum(counts) == 2 + 1 + 3000 + 1 + len(ROWS)
    assert len(lines(primary.copied(asking()))) == sum(counts) - 1


def test_signed_messages() -> None:
    """Every message, each with the MAC before it, and none larger for it."""
    primary = Primary(transferable(rows=MANY))
    query = asking(use_edns=0)
    query.use_tsig(made(KEY))
    unsigned = primary.copied(asking())
    assert lines(primary.copied(query)) == lines(unsigned)
    messages = primary.messages(query, STRANGER)
    assert messages is not None
    assert len(messages) > 2
    assert max(map(len, messages)) <= MESSAGE_SIZE


VERSIONS = (
    transferable(serial=5, rows=(("gone", "A", "192.0.2.9"), *ROWS[1:])),
    transferable(serial=6, rows=(*ROWS[1:], ("b.c", "TXT", "more"))),
)


def test_ixfr() -> None:
    """The differences from each serial that is known, in order; they lead where an AXFR leads."""
    primary = Primary(transferable(), versions=VERSIONS)
    for version in VERSIONS:
        before = Primary(version).copied(asking())
        serial = version.soa.serial
        after = primary.copied(asking("IXFR", serial=serial), into=before)
        assert lines(after) == OURS | {soa(7)}
    messages = primary.messages(asking("IXFR", serial=5))
    assert messages is not None
    read = dns.message.from_wire(messages[0], one_rr_per_rrset=True, xfr=True)
    told = [
        rrset[0].serial if rrset.rdtype == dns.rdatatype.SOA else rrset[0].to_text() for rrset in read.answer
    ]
    assert told == [7, 5, "192.0.2.9", 6, '"more"', 6, '"more"', 7, "192.0.2.1", 7]


@pytest.mark.parametrize(("serial", "kind"), [(7, "SOA"), (8, "SOA"), (4, "AXFR"), (0xF0000000, "AXFR")])
def test_ixfr_without_differences(serial: int, kind: str) -> None:
    """The SOA alone for who has this serial or a newer one, the zone for who has one nobody knows."""
    primary = Primary(transferable(), versions=VERSIONS)
    query = asking("IXFR", serial=serial)
    outgoing = primary.responder.transfer(query.to_wire(), 0xC0000236, 4, 0.0)
    assert outgoing is not None
    assert (outgoing.kind, outgoing.zone, outgoing.serial, outgoing.key) == (kind, "example.com", 7, "")
    if kind == "SOA":
        (wire,) = primary.messages(query) or ()
        (rrset,) = dns.message.from_wire(wire).answer
        assert (rrset.rdtype, rrset[0].serial) == (dns.rdatatype.SOA, 7)
    else:
        assert lines(primary.copied(query)) == OURS | {soa(7)}


def test_ixfr_over_udp() -> None:
    """The differences in one message; where they do not fit, or there are none, the SOA."""
    primary = Primary(transferable(), versions=VERSIONS)
    counts = {serial: len(primary.message(asking("IXFR", serial=serial)).answer) for serial in (4, 6, 7)}
    assert counts[4] == counts[7] == 1
    assert counts[6] > 1
    signed = asking("IXFR", serial=6)
    signed.use_tsig(made(KEY))
    assert primary.message(signed, STRANGER).had_tsig
    larger = Primary(transferable(), versions=(transferable(serial=6, rows=MANY[:60]),))
    for how in ({}, {"use_edns": 0, "payload": 1232}):
        reply = larger.message(asking("IXFR", serial=6, **how))
        assert not reply.flags & dns.flags.TC
        assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.SOA]


def test_differences_larger_than_the_zone() -> None:
    """Then the zone itself is sent."""
    primary = Primary(transferable(), versions=(transferable(serial=6, rows=MANY),))
    outgoing = primary.responder.transfer(asking("IXFR", serial=6).to_wire(), 0xC0000236, 4, 0.0)
    assert outgoing is not None
    assert outgoing.kind == "AXFR"


@pytest.mark.parametrize(
    ("query", "source", "expected"),
    [
        pytest.param(asking(), STRANGER, "REFUSED", id="stranger"),
        pytest.param(asking("IXFR", serial=6), STRANGER, "REFUSED", id="stranger, IXFR"),
        pytest.param(asking(name="example.net"), FRIEND, "REFUSED", id="a zone nobody may copy"),
        pytest.param(asking(name="a.example.com"), FRIEND, "NOTAUTH", id="a name in the zone"),
        pytest.param(asking(name="alias.example.com"), FRIEND, "NOTAUTH", id="an alias"),
        pytest.param(asking(name="example.org"), FRIEND, "NOTAUTH", id="outside"),
        pytest.param(asking("IXFR"), FRIEND, "FORMERR", id="IXFR without SOA"),
        pytest.param(asking(rdclass="CH"), FRIEND, "REFUSED", id="another class"),
    ],
)
@pytest.mark.parametrize("proto", list(Proto))
def test_who_gets_what(
    primary: Primary, query: dns.message.Message, source: str, expected: str, proto: Proto
) -> None:
    """Nobody gets a record who may not; friends do, by IPv6 too; AXFR goes over TCP only."""
    assert primary.messages(query, source) is None
    reply = primary.message(query, source, proto)
    assert (dns.rcode.to_text(reply.rcode()), reply.answer) == (expected, [])
    assert primary.messages(asking()) is not None
    assert primary.messages(asking(), "2001:db8::1") is not None
    assert primary.message(asking(), FRIEND).rcode() == dns.rcode.REFUSED
    assert primary.messages(asking(), "2001:db9::1") is None


def test_keys_open_the_zone_from_anywhere(primary: Primary) -> None:
    """But only the ones that are named, and only where the signature is right."""
    query = asking()
    query.use_tsig(made(KEY))
    assert primary.messages(query, STRANGER) is not None
    wire = bytearray(query.to_wire())
    wire[-10] ^= 1
    assert primary.responder.transfer(bytes(wire), 0xC0000236, 4, 0.0) is None  # not even from a friend
    other = Primary(transferable(), grant=replace(GRANT, keys=frozenset()))
    assert other.messages(query, STRANGER) is None
    assert other.message(query, STRANGER, Proto.TCP).rcode() == dns.rcode.REFUSED


def test_zones_with_steered_names_may_be_kept_back() -> None:
    """Refused then, with the reason; other zones are not."""
    grant = Grant(GRANT.networks, steered=False)
    steered = Primary(transferable(www="web"), grant=grant)
    assert steered.messages(asking()) is None
    reply = steered.message(asking(use_edns=0), proto=Proto.TCP)
    assert reply.rcode() == dns.rcode.REFUSED
    assert b"steered" in reply.options[0].to_wire()
    assert Primary(transferable(), grant=grant).messages(asking()) is not None


def test_what_is_counted(primary: Primary) -> None:
    """One request and one NOERROR of the zone per transfer, however many messages."""
    before = sum(primary.counters)
    primary.messages(asking())
    assert sum(primary.counters) == before + 2
    base = primary.snapshot.directory.layout.responses_base
    assert primary.counters[base : base + RCODES] == [1] + [0] * (RCODES - 1)


def test_any_octets(primary: Primary) -> None:
    """Requests with an octet changed are transfers or not, and never a fault."""
    query = asking("IXFR", serial=5, use_edns=0)
    query.use_tsig(made(KEY))
    wire = query.to_wire()
    responder: Responder = primary.responder
    for at in range(2, len(wire)):
        for value in (0, 1, 0xC0, 0xFF, wire[at] ^ 1):
            changed = wire[:at] + bytes((value,)) + wire[at + 1 :]
            outgoing = responder.transfer(changed, 0xC0000236, 4, 1e9)
            assert outgoing is None or outgoing.next(1e9)
            primary.reply(changed)
