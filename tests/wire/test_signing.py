"""Signatures: made and proven as dnspython does, and what is wrong with the others."""

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.codes import (
    RCODE_BADSIG,
    RCODE_BADTIME,
    RCODE_BADTRUNC,
    RCODE_FORMERR,
    RCODE_NOERROR,
)
from georouter.wire.message import parse_query
from georouter.wire.names import parse_name
from georouter.wire.signing import Signer, made, verify
from georouter.wire.tsig import ALGORITHMS, Key

NOW = 1_760_000_000


def key(algorithm: str = "hmac-sha256", secret: bytes = b"s" * 32) -> Key:
    """A key of ours."""
    return Key(parse_name("key.example"), algorithm, secret)


def signed(by: Key, monkeypatch: pytest.MonkeyPatch, at: int = NOW, **how: object) -> dns.message.Message:
    """A query that dnspython signed."""
    monkeypatch.setattr("time.time", lambda: at)
    query = dns.message.make_query("www.example.com", "A", id=7)
    query.use_tsig(made(by), **how)  # type: ignore[arg-type]
    query.to_wire()
    return query


def judged(wire: bytes, by: Key, now: float = NOW) -> int:
    """What `verify` says of a message."""
    asked = parse_query(wire)
    assert asked is not None
    assert asked.tsig is not None
    assert asked.tsig.key == by.name
    return verify(wire, asked.tsig, by, now)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What dnspython signs is right for us, and the other way; the record takes no more than said."""
    ours = key(algorithm)
    query = signed(ours, monkeypatch)
    wire = query.to_wire()
    assert judged(wire, ours) == RCODE_NOERROR
    asked = parse_query(wire)
    assert asked is not None
    assert asked.tsig is not None
    assert len(asked.tsig.mac) == ALGORITHMS[algorithm]
    plain = dns.message.make_response(dns.message.make_query("www.example.com", "A", id=7)).to_wire()
    signer = Signer(ours, asked.tsig.mac)
    answer = signer.sign(plain, NOW)
    assert len(answer) <= len(plain) + signer.room
    read = dns.message.from_wire(answer, keyring=made(ours), request_mac=query.mac)
    assert read.had_tsig
    assert read.tsig is not None
    assert read.tsig[0].fudge == 300


def test_another_secret_or_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """BADSIG for either, and for another name of the same key."""
    wire = signed(key(), monkeypatch).to_wire()
    assert judged(wire, key(secret=b"t" * 32)) == RCODE_BADSIG
    assert judged(wire[:2] + b"\0\0" + wire[4:], key()) == RCODE_BADSIG
    assert judged(b"\xff\xff" + wire[2:], key()) == RCODE_NOERROR  # a forwarder changes the id (RFC 8945 4.2)


@pytest.mark.parametrize(("off_s", "expected"), [(300, 0), (-300, 0), (301, 18), (-301, 18), (2**40, 18)])
def test_times(off_s: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the fudge of the request; a time comes after the MAC was found right."""
    wire = signed(key(), monkeypatch).to_wire()
    assert judged(wire, key(), NOW + off_s) == expected
    if expected:
        assert expected == RCODE_BADTIME
        assert judged(wire, key(secret=b"t"), NOW + off_s) == RCODE_BADSIG


@pytest.mark.parametrize(
    ("algorithm", "size", "expected"),
    [
        ("hmac-sha256", 32, RCODE_NOERROR),
        ("hmac-sha256", 31, RCODE_BADTRUNC),
        ("hmac-sha256", 16, RCODE_BADTRUNC),
        ("hmac-sha256", 15, RCODE_FORMERR),
        ("hmac-sha256", 33, RCODE_FORMERR),
        ("hmac-sha256", 0, RCODE_FORMERR),
        ("hmac-sha1", 10, RCODE_BADTRUNC),
        ("hmac-sha1", 9, RCODE_FORMERR),
        ("hmac-sha256-128", 16, RCODE_NOERROR),
        ("hmac-sha256-128", 17, RCODE_FORMERR),
    ],
)
def test_cut_macs(algorithm: str, size: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8945 5.2.2.1: too short or too long is FORMERR; right as far as it goes is BADTRUNC."""
    ours = key(algorithm)
    query = signed(ours, monkeypatch)
    whole = query.to_wire()
    asked = parse_query(whole)
    assert asked is not None
    assert asked.tsig is not None
    rdata = whole[asked.tsig.start + len(ours.name) + 10 :]
    at = len(parse_name(algorithm)) + 8
    mac = (query.mac + b"x")[:size]
    rdata = rdata[:at] + size.to_bytes(2) + mac + rdata[at + 2 + len(query.mac) :]
    wire = whole[: asked.tsig.start + len(ours.name) + 8] + len(rdata).to_bytes(2) + rdata
    assert judged(wire, ours) == expected
    if expected == RCODE_BADTRUNC:
        assert judged(wire, key(algorithm, b"other")) == RCODE_BADSIG


def test_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is signed with the MAC before it; dnspython follows."""
    query = signed(key(), monkeypatch)
    signer = Signer(key(), query.mac, several=True)
    context = None
    for number in range(4):
        message = dns.message.make_response(dns.message.make_query("www.example.com", "A", id=7))
        message.answer.append(dns.rrset.from_text("www.example.com.", number, "IN", "A", "192.0.2.1"))
        wire = signer.sign(message.to_wire(), NOW + number)
        read = dns.message.from_wire(
            wire, keyring=made(key()), request_mac=query.mac, tsig_ctx=context, multi=True
        )
        context = read.tsig_ctx
        assert read.had_tsig


def test_secrets_are_not_shown() -> None:
    """Neither in a repr nor in what is made of it."""
    assert "ssss" not in repr(key())
    assert "c3Nz" not in repr(key())


@given(st.binary(max_size=300), st.integers(0, 2**48))
def test_any_octets(junk: bytes, now: int) -> None:
    """A TSIG of any content is judged, or is none."""
    head = b"\0\1\0\0\0\1\0\0\0\0\0\1\3www\0\0\1\0\1\3key\7example\0\0\xfa\0\xff\0\0\0\0"
    wire = head + len(junk).to_bytes(2) + junk
    asked = parse_query(wire)
    assert asked is not None
    if asked.tsig is not None:
        assert verify(wire, asked.tsig, key(), now) in {RCODE_FORMERR, RCODE_BADSIG}
    else:
        assert asked.error == RCODE_FORMERR
