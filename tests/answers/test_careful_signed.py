"""Signed queries of every kind, and what becomes of signatures that are not right."""

import dns.message
import dns.opcode
import dns.rcode
import dns.tsig
import pytest

from georouter.answers.layout import Proto
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.wire.names import parse_name
from georouter.wire.signing import made
from georouter.wire.tsig import Key
from tests.answers.ask import NOW
from tests.answers.copying import KEY, STRANGER, Primary, transferable


@pytest.fixture
def primary(monkeypatch: pytest.MonkeyPatch) -> Primary:
    """A zone with static and steered names; dnspython's clock is that of the tests."""
    monkeypatch.setattr("time.time", lambda: NOW)
    many = tuple(("many", "TXT", f'"{number:02}{"x" * 50}"') for number in range(8))
    return Primary(transferable(rows=(("a", "A", "192.0.2.1"), *many), www="web"))


def signed(name: str, kind: str = "A", key: Key = KEY, **how: object) -> dns.message.Message:
    """A query signed by dnspython."""
    query = dns.message.make_query(name, kind, **how)  # type: ignore[arg-type]
    query.use_tsig(made(key))
    return query


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("a.example.com", "A", "NOERROR"),
        ("www.example.com", "AAAA", "NOERROR"),
        ("none.example.com", "A", "NXDOMAIN"),
        ("example.org", "A", "REFUSED"),
        ("example.com", "AXFR", "REFUSED"),
    ],
)
@pytest.mark.parametrize("edns", [False, 0])
@pytest.mark.parametrize("proto", list(Proto))
def test_ordinary_queries(  # noqa: PLR0917 - the cases
    primary: Primary, name: str, kind: str, rcode: str, edns: bool, proto: Proto
) -> None:
    """The same answer as without, and a signature that dnspython accepts, last."""
    query = signed(name, kind, use_edns=edns)
    plain = dns.message.make_query(name, kind, use_edns=edns, id=query.id)
    reply = primary.message(query, STRANGER, proto)
    other = primary.message(plain, STRANGER, proto)
    assert reply.had_tsig
    assert not other.had_tsig
    assert dns.rcode.to_text(reply.rcode()) == rcode
    if kind != "AXFR":
        assert (reply.answer, reply.authority, reply.edns) == (other.answer, other.authority, other.edns)


def test_notify_and_update_are_signed(primary: Primary) -> None:
    """REFUSED, and the client can prove by whom."""
    for opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE):
        query = dns.message.make_query("example.com", "SOA")
        query.set_opcode(opcode)
        query.use_tsig(made(KEY))
        wire = primary.reply(query.to_wire(), STRANGER)
        assert wire is not None
        assert wire[3] & 0xF == dns.rcode.REFUSED
        assert wire[2] >> 3 & 0xF == opcode
        assert wire[10:12] == b"\0\1"


def test_room_for_the_signature(primary: Primary) -> None:
    """An answer that fits without one may be truncated with one; it never grows past the limit."""
    plain = dns.message.make_query("many.example.com", "TXT", use_edns=0, payload=700)
    reply = primary.reply(plain.to_wire(), STRANGER)
    assert reply is not None
    assert not reply[2] & 2
    for payload in (512, 600, 650, 700, 1232):
        query = signed("many.example.com", "TXT", use_edns=0, payload=payload)
        wire = primary.reply(query.to_wire(), STRANGER)
        assert wire is not None
        assert len(wire) <= payload
        assert bool(wire[2] & 2) == (len(reply) + KEY.record_size > payload)
        assert dns.message.from_wire(wire, keyring=query.keyring, request_mac=query.mac).had_tsig
    assert not primary.message(signed("many.example.com", "TXT"), STRANGER, Proto.TCP).flags & 0x200


@pytest.mark.parametrize(
    ("key", "now", "error"),
    [
        (Key(parse_name("other.example"), "hmac-sha256", b"s" * 32), NOW, 17),
        (Key(KEY.name, "hmac-sha512", b"s" * 32), NOW, 17),
        (Key(KEY.name, "hmac-sha256", b"t" * 32), NOW, 16),
        (Key(KEY.name, "hmac-sha256", b"t" * 32), NOW + 1e6, 16),
        (KEY, NOW + 301, 18),
        (KEY, NOW - 301, 18),
    ],
)
@pytest.mark.parametrize("kind", ["A", "AXFR"])
def test_what_is_wrong(primary: Primary, key: Key, now: float, error: int, kind: str) -> None:
    """NOTAUTH without data; unsigned but for BADTIME, which tells our time."""
    query = signed("example.com", kind, key)
    wire = primary.reply(query.to_wire(), STRANGER, now=now)
    assert wire is not None
    assert wire[3] & 0xF == dns.rcode.NOTAUTH
    assert wire[6:12] == b"\0\0\0\0\0\1"
    assert primary.responder.transfer(query.to_wire(), 1, 4, now) is None
    told = dns.message.from_wire(wire, keyring=False)
    assert told.tsig is not None
    record = told.tsig[0]
    assert (record.error, record.time_signed, record.original_id) == (error, NOW, query.id)
    if error == 18:
        assert int.from_bytes(record.other) == now
        bare = wire[:10] + b"\0\0" + wire[12 : len(wire) - len(KEY.name) - 10 - len(record.to_wire())]
        mac = dns.tsig.sign(bare, made(key), record, int(NOW), query.mac)[0].mac
        assert record.mac == mac
    else:
        assert (record.mac, record.other) == (b"", b"")


def test_malformed(primary: Primary) -> None:
    """FORMERR without a signature: two of them, one that is not last, a MAC that is too short."""
    wire = signed("a.example.com").to_wire()
    start = wire.index(KEY.name + b"\0\xfa")
    record = wire[start:]
    twice = wire[:10] + b"\0\2" + wire[12:] + record
    before = wire[:10] + b"\0\2" + wire[12:] + b"\0\0\x29\4\xd0\0\0\0\0\0\0"
    size = len(KEY.name) + 8
    cut = record[:size] + (int.from_bytes(record[size : size + 2]) - 30).to_bytes(2) + record[size + 2 :]
    at = size + 2 + len(parse_name("hmac-sha256")) + 8
    short = cut[:at] + b"\0\2" + cut[at + 2 : at + 4] + cut[at + 34 :]
    for message in (twice, before, wire[:start] + short):
        reply = primary.reply(message, STRANGER)
        assert reply is not None
        assert reply[3] & 0xF == dns.rcode.FORMERR
        assert KEY.name not in reply


def test_a_mac_that_was_cut(primary: Primary) -> None:
    """NOTAUTH with BADTRUNC, signed whole, so that the client knows that it holds the right key."""
    query = signed("a.example.com")
    wire = query.to_wire()
    at = wire.index(KEY.name + b"\0\xfa") + len(KEY.name) + 8
    size = int.from_bytes(wire[at : at + 2]) - 12
    mac = at + 2 + len(parse_name("hmac-sha256")) + 8
    cut = (
        wire[:at]
        + size.to_bytes(2)
        + wire[at + 2 : mac]
        + b"\0\x14"
        + wire[mac + 2 : mac + 22]
        + wire[mac + 34 :]
    )
    reply = primary.reply(cut, STRANGER)
    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.NOTAUTH
    told = dns.message.from_wire(reply, keyring=False)
    assert told.tsig is not None
    record = told.tsig[0]
    assert (record.error, len(record.mac)) == (22, 32)
    bare = reply[:10] + b"\0\0" + reply[12 : len(reply) - len(KEY.name) - 10 - len(record.to_wire())]
    assert dns.tsig.sign(bare, made(KEY), record, int(NOW), query.mac[:20])[0].mac == record.mac


def test_nobody_is_told_of_our_keys(primary: Primary) -> None:
    """Another algorithm of a key that we have is answered as a key that we have not."""
    replies = [
        primary.reply(signed("a.example.com", key=Key(name, "hmac-sha512", b"s"), id=7).to_wire())
        for name in (KEY.name, parse_name("kez.example"))
    ]
    assert None not in replies
    assert replies[0] == (replies[1] or b"").replace(b"\3kez", b"\3key")


def test_signers_are_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limiting is for strangers, and for those whose signature is wrong."""
    monkeypatch.setattr("time.time", lambda: NOW)
    limiter = RateLimiter(Rate(2, slip=0), Buckets(1, 1 << 12))
    primary = Primary(transferable(), limiter=limiter)
    family, address = 4, 0xC6336436

    def replies(query: dns.message.Message) -> int:
        wire = query.to_wire()
        told = [primary.responder.respond(wire, address, family, Proto.UDP, NOW) for _ in range(20)]
        return sum(item is not None for item in told)

    assert replies(signed("a.example.com")) == 20
    assert replies(dns.message.make_query("a.example.com", "A")) == 2
    assert replies(signed("a.example.com", key=Key(KEY.name, "hmac-sha256", b"wrong"))) == 2
    assert replies(signed("a.example.com", key=Key(parse_name("x"), "hmac-sha256", b"wrong"))) == 0
