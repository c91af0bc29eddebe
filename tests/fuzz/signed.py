"""Signed messages and requests for zones, to a responder that has keys and a zone to give away.

The first octet chooses who asks, over what, and whether the rest is a whole message or one that is signed
rightly before it is asked. What must hold: never an exception; the quick and the careful way agree; a right
signature is answered with a right one, and no other is; nobody gets a zone who may not have it, and whoever
gets one gets it whole.
"""

import struct
from collections.abc import Iterator

import dns.rcode
import dns.rdata
import dns.tsig

from georouter.answers.layout import Proto
from georouter.wire.message import parse_query
from georouter.wire.names import parse_name
from georouter.wire.signing import Signer, made
from georouter.wire.tsig import Key, Tsig
from tests.answers.ask import NOW
from tests.answers.copying import FRIEND, KEY, ROWS, STRANGER, Primary, asking, transferable
from tests.fuzz.target import About

ABOUT = About(
    longest=700,
    words=(
        KEY.name,
        parse_name("hmac-sha256"),
        b"\0\xfa\0\xff\0\0\0\0",
        b"\0\0\x29\x04\xd0\0\0\0\0\0\0",
        b"\xc0\x0c\0\6\0\1\0\0\0\0\0\x16\0\0" + bytes(20),
        b"\0\xfb\0\1",
        b"\0\xfc\0\1",
        struct.pack("!HIH", 0, int(NOW), 300),
    ),
    mutations=3000,
)

_SIGNED = 0x80
_FRIEND = 1
_TCP = 2
_PRIMARY = Primary(transferable(www="web"), versions=(transferable(serial=6, rows=ROWS[1:]),))


def _records(messages: list[bytes]) -> int:
    return sum(int.from_bytes(item[6:8]) for item in messages)


_WHOLE = {
    _records(_PRIMARY.messages(asking(kind, serial=serial)) or [])
    for kind, serial in (("AXFR", None), ("IXFR", 6), ("IXFR", 7))
}
"""How many records a transfer has: all, the differences, the SOA."""


def run(data: bytes) -> None:
    """One message."""
    chosen, message = data[0] if data else 0, data[1:]
    source = FRIEND if chosen & _FRIEND else STRANGER
    end = -1
    if chosen & _SIGNED and len(message) >= 12 and message[10:12] != b"\xff\xff":
        end, message = len(message), Signer(KEY).sign(message, NOW)
    asked = parse_query(message)
    tsig = asked.tsig if asked else None
    proven = tsig is not None and _is_right(message, tsig)
    assert proven or tsig is None or tsig.start != end
    reply = _PRIMARY.reply(message, source, Proto.TCP if chosen & _TCP else Proto.UDP)
    if reply is not None:
        assert reply[:2] == message[:2]
        assert reply[2] & 0x80
        if proven and tsig is not None:
            _is_signed(reply, tsig.mac)
        else:
            assert KEY.name + b"\0\xfa\0\xff" not in reply or _is_wrong(reply)
    messages = _PRIMARY.messages(message, source)
    if messages is not None:
        assert source == FRIEND or proven
        assert _records(messages) in _WHOLE


def _is_right(message: bytes, tsig: Tsig) -> bool:
    """Whether a request is signed by the key, now; by dnspython's reading of its last record."""
    at = len(message) + 1
    for end in (tsig.start + 2, tsig.start + len(KEY.name)):
        if message[end : end + 8] == b"\0\xfa\0\xff\0\0\0\0":
            at = end + 10
    if tsig.key != KEY.name or tsig.algorithm != parse_name(KEY.algorithm) or at > len(message):
        return False
    record = dns.rdata.from_wire("ANY", "TSIG", message, at, len(message) - at)
    bare = message[:10] + (int.from_bytes(message[10:12]) - 1).to_bytes(2) + message[12 : tsig.start]
    right = dns.tsig.sign(bare, made(KEY), record, record.time_signed)[0].mac
    return bool(right == record.mac and abs(record.time_signed - NOW) <= record.fudge)


def _is_wrong(reply: bytes) -> bool:
    """NOTAUTH, or an echo of the question."""
    return reply[3] & 0xF == dns.rcode.NOTAUTH or reply[10:12] in (b"\0\0", b"\0\1")


def _is_signed(reply: bytes, mac: bytes) -> None:
    """By the key, for this request."""
    start = len(reply) - KEY.record_size
    at = start + len(KEY.name) + 10
    assert reply[start:].startswith(KEY.name + b"\0\xfa\0\xff\0\0\0\0")
    record = dns.rdata.from_wire("ANY", "TSIG", reply, at, len(reply) - at)
    bare = reply[:10] + (int.from_bytes(reply[10:12]) - 1).to_bytes(2) + reply[12:start]
    assert (record.error, record.time_signed) == (0, NOW)
    assert dns.tsig.sign(bare, made(KEY), record, int(NOW), mac)[0].mac == record.mac


def seeds() -> Iterator[bytes]:
    """Questions and requests of every kind, unsigned and signed, rightly and not."""
    plain = [
        asking(kind, name, serial, use_edns=edns).to_wire()
        for kind, name, serial in (
            ("A", "a.example.com", None),
            ("AAAA", "www.example.com", None),
            ("AXFR", "example.com", None),
            ("AXFR", "a.example.com", None),
            ("IXFR", "example.com", 6),
            ("IXFR", "example.com", 7),
            ("IXFR", "example.com", None),
            ("SOA", "example.org", None),
        )
        for edns in (False, 0)
    ]
    for number, message in enumerate(plain):
        for chosen in (number & 3, _SIGNED | number & 3):
            yield bytes((chosen,)) + message
    other = Key(KEY.name, "hmac-sha256", b"other")
    for signer, at in ((Signer(KEY), NOW), (Signer(KEY), NOW + 1000), (Signer(other), NOW)):
        yield b"\2" + signer.sign(plain[0], at)
        yield b"\2" + signer.sign(plain[4], at)
    for opcode in (4, 5):
        yield bytes((_SIGNED,)) + plain[0][:2] + bytes((opcode << 3,)) + plain[0][3:]
    yield b""
