"""Whole messages to the responder, over tables of every construct.

The first octet chooses who asks, over what, and how the server is set up; the others are the message.
What must hold: never an exception; quick, careful and native way give the same octets and counts; nobody gets
more than he can take; an error tells no more than it must; what dnspython calls a good query is one.
"""

import struct
from collections.abc import Iterator

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode

from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.server.source import source_of
from georouter.wire.codes import TYPE_OPT, type_number
from georouter.wire.names import parse_name
from tests.answers.twin import Native
from tests.fuzz.target import About
from tests.fuzz.world import policy, snapshot

ABOUT = About(
    longest=700,
    words=(
        b"\xc0\x0c",
        b"\0\0\x29\x04\xd0\0\0\0\0\0\0",
        b"\0\x08\0\7\0\1\x18\0\x0a\0\0",
        b"\0\x08\0\x08\0\1\x20\0\x0a\0\0\1",
        b"\0\x08\0\x0b\0\2\x38\0\x21\0\0\0\0\0\0",
        b"\0\x08\0\x14\0\2\x80\0" + bytes(10) + b"\xff\xff\x0a\0\0\1",
        b"\0\x08\0\4\0\0\0\0",
        b"\0\x0a\0\x08\1\2\3\4\5\6\7\x08",
        b"\0\x0a\0\x18\1\2\3\4\5\6\7\x08\1\0\0\0" + bytes(12),
        b"\0\3\0\0",
        b"\0\x0f\0\2\0\0",
    ),
    mutations=4000,
)

NOW = 1_760_000_000.0
SOURCES = (
    "198.51.100.53",
    "10.1.2.3",
    "2100::1",
    "::1",
    "40.0.0.9",
    "192.168.1.1",
    "2300:1::5",
    "30.255.255.255",
)
ONE_SIGHT = Rate(responses_per_second=1.0)
PLACES = 16

_OPEN = Conduct()
_TALKATIVE = Conduct(
    cookies=Cookies((bytes(16), b"\1" * 16)), nsid=b"node", version="georouter", identity="node"
)
_SEED = struct.pack("!6H", 0x1234, 0, 1, 0, 0, 0)
_SEED_OPT = struct.pack("!6H", 0x1234, 0x0120, 1, 0, 0, 1)


class Twin:
    """Responders over the same tables: one is only ever asked the careful way, one answers natively."""

    def __init__(self, limits: Limits, conduct: Conduct, limited: bool = False) -> None:
        size = snapshot().directory.layout.size
        self.counts = [0] * size, [0] * size
        self.buckets = [Buckets(7, PLACES) for _ in "123"] if limited else []
        conducts = [Conduct(conduct.cookies, RateLimiter(ONE_SIGHT, buckets)) for buckets in self.buckets]
        quick, careful, native = conducts or (conduct, conduct, conduct)
        self.limits = limits
        self.quick = Responder(snapshot(), self.counts[0], limits, quick)
        self.careful = Responder(snapshot(), self.counts[1], limits, careful)
        self.native = Native(snapshot(), limits, native)

    def reply(self, message: bytes, source: int, family: int, proto: Proto) -> bytes | None:
        """The answer, which is the same all ways."""
        quick = self.quick.respond(message, source, family, proto, NOW)
        careful = self.careful.respond_carefully(message, source, family, proto, NOW)
        assert quick == careful, (quick, careful)
        assert self.counts[0] == self.counts[1]
        self.native.check(message, source, family, proto, NOW, quick, self.counts[0])
        return quick

    def forget(self) -> None:
        """Let every bucket be full."""
        for buckets in self.buckets:
            buckets.tags[:] = type(buckets.tags)("q", bytes(8 * PLACES))
            buckets.due[:] = type(buckets.due)("d", bytes(8 * PLACES))
            buckets.slips[:] = type(buckets.slips)("B", bytes(PLACES))


_TWINS = (
    Twin(Limits(), _OPEN),
    Twin(Limits(4096), _TALKATIVE),
    Twin(Limits(512), _TALKATIVE),
    Twin(Limits(), _TALKATIVE, limited=True),
)


def run(data: bytes) -> None:
    """One message, four times where responses are limited."""
    chosen, message = data[0] if data else 0, data[1:]
    twin = _TWINS[chosen & 3]
    proto = Proto.TCP if chosen & 4 else Proto.UDP
    family, source = source_of(SOURCES[chosen >> 3 & 7])
    for _ in range(4 if twin.buckets else 1):
        reply = twin.reply(message, source, family, proto)
        if reply is None:
            assert len(message) < 12 or message[2] & 0x80 or twin.buckets
        else:
            judge(message, reply, twin.limits, proto)
    twin.forget()


def judge(message: bytes, reply: bytes, limits: Limits, proto: Proto) -> None:
    """What every answer keeps to."""
    assert reply[:2] == message[:2]
    assert reply[2] & 0x80
    assert reply[2] & 0x79 == (message[2] & 0x78 or message[2] & 1), "opcode, or RD"
    assert len(reply) <= (65535 if proto is Proto.TCP else limits.udp_payload)
    rcode = reply[3] & 0xF
    if rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED) or reply[2] & 2:
        assert reply[6:10] == bytes(4), "an error or a truncated answer has no records"
        assert len(reply) <= len(message) + 28 + 40, "nothing is made larger"  # cookie and extended error
    if message[2] & 0x78:
        return
    read = read_strictly(reply)
    asked = read_query(message)
    if asked is None:
        return
    assert rcode != dns.rcode.FORMERR or not blameless(message, asked)
    if rcode != dns.rcode.FORMERR and read is not None:
        if len(asked.question) == 1:
            assert str(read.question) == str(asked.question)
        assert (read.edns >= 0) == (asked.edns >= 0)
        if proto is Proto.UDP:
            assert len(reply) <= (max(512, asked.payload) if asked.edns >= 0 else 512)


def read_strictly(reply: bytes) -> dns.message.Message | None:
    """As dnspython reads it; None for a client subnet of no family, which dig sends and dnspython refuses."""
    try:
        return dns.message.from_wire(reply)
    except dns.exception.DNSException:
        assert b"\0\x08\0\4\0\0\0\0" in reply, reply
        return None


def read_query(message: bytes) -> dns.message.Message | None:
    """As dnspython reads it; None where it does not."""
    try:
        return dns.message.from_wire(message)
    except (dns.exception.DNSException, ValueError):
        return None


def blameless(message: bytes, asked: dns.message.Message) -> bool:
    """One question, its name written out, and no option that can be wrong."""
    options = {int(option.otype) for option in asked.options}
    names = message[12:].split(b"\0")[0]
    return len(asked.question) == 1 and not options & {8, 10} and not any(octet >= 0xC0 for octet in names)


def seeds() -> Iterator[bytes]:
    """Every name of the tables, asked for something; every option; and messages that are hardly any."""
    names = sorted({name for zone in policy().zones.values() for name in _owners(zone)})
    kinds = ("A", "AAAA", "TXT", "HTTPS", "DS", "ANY", "SOA", "AXFR", "NS", "CNAME", "MX", "TYPE65280")
    for number, name in enumerate(names):
        kind = struct.pack("!HH", type_number(kinds[number % len(kinds)]), 1)
        yield bytes((number & 0xFF,)) + _SEED + name + kind
    www = parse_name("near.steered.test") + b"\0\1\0\1"
    for option in ABOUT.words[2:]:
        for chosen in (0, 1, 2, 3, 0x11):
            rdata = len(option).to_bytes(2) + option
            yield bytes((chosen,)) + _SEED_OPT + www + b"\0\0\x29\x10\0\0\0\x80\0" + rdata
    big = parse_name("big.steered.test") + b"\0\x10\0\1"
    for payload in (0, 511, 512, 513, 1232, 4096, 65535):
        yield b"\1" + _SEED_OPT + big + b"\0\0\x29" + payload.to_bytes(2) + bytes(6)
    chaos = parse_name("version.bind") + b"\0\x10\0\3"
    yield b"\1" + _SEED + chaos
    yield (
        b"\0"
        + struct.pack("!6H", 1, 0, 0, 0, 0, 1)
        + b"\0\0\x29\x10\0"
        + bytes(4)
        + b"\0\x0c"
        + ABOUT.words[7]
    )
    for flags in (0x2000, 0x2800, 0x7800, 0x8000, 0x0230):
        yield b"\0" + struct.pack("!6H", 1, flags, 1, 0, 0, 0) + www
    yield b"\0" + struct.pack("!6H", 1, 0, 1, 1, 1, 1) + www + (b"\xc0\x0c\0\1\0\1" + bytes(6)) * 3
    opt = b"\0" + TYPE_OPT.to_bytes(2) + b"\x04\xd0\0\1\0\0\0\0"
    yield b"\0" + _SEED_OPT + www + opt
    yield b""


def _owners(zone: object) -> Iterator[bytes]:
    apex: bytes = zone.apex  # type: ignore[attr-defined]
    yield apex
    yield b"\4nope" + apex
    for item in (*zone.records, *zone.steered):  # type: ignore[attr-defined]
        yield item.owner
        yield (b"\1x" + item.owner)[:254] if len(item.owner) < 250 else item.owner
