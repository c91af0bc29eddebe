"""Packets that no client should send, made from ones that they do send; a seed always gives the same."""

import random
from collections.abc import Callable, Iterator, Sequence

import dns.edns
import dns.flags
import dns.message
import dns.opcode

from benchmarks.harness.ask import question
from benchmarks.harness.policies import ASHBURN, LONDON, SINGAPORE

HEADER = 12
"""Octets of a DNS header (RFC 1035 4.1.1)."""
JUNK_MAX = 700
HUGE = 60_000
LARGEST = 65_507
"""Octets that fit a UDP datagram over IPv4."""


def deserves_an_answer(packet: bytes) -> bool:
    """A whole header, and QR says that it is a query: everything else must be met with silence."""
    return len(packet) >= HEADER and not packet[2] & 0x80


def packets(seed: int, count: int) -> Iterator[bytes]:
    """`count` packets; about one in twelve deserves no answer."""
    chance = random.Random(seed)
    seeds = good_queries()
    for _ in range(count):
        packet = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            chance.choice(MUTATIONS)(packet, chance)
        yield bytes(packet[:LARGEST])


def good_queries() -> tuple[bytes, ...]:
    """What resolvers, tools and scanners send."""
    names = (
        "www.example.com",
        "wWw.eXaMpLe.CoM",
        "example.com",
        "mail.example.com",
        "many.example.com",
        "alias.example.com",
        "a.b.app.example.com",
        "nothing.example.com",
        "empty.example.com",
        "elsewhere.test",
        ".",
        ".".join(["x" * 60] * 4),
    )
    types = ("A", "AAAA", "NS", "SOA", "MX", "TXT", "ANY", "AXFR", "IXFR", "HTTPS", "TYPE65280")
    clients = (None, LONDON, ASHBURN, SINGAPORE, "2001:db8::/56", "0.0.0.0/0")
    chance = random.Random(0)
    made = [question(name, kind, chance.choice(clients)).to_wire() for name in names for kind in types]
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, bytes(range(8)))
    for options in (
        [cookie],
        [cookie, dns.edns.GenericOption(12, bytes(40))],
        [dns.edns.GenericOption(3, b"")],
    ):
        query = dns.message.make_query("www.example.com", "A")
        query.use_edns(0, dns.flags.DO, 4096, options=options)
        made.append(query.to_wire())
    for opcode in (dns.opcode.STATUS, dns.opcode.NOTIFY, dns.opcode.UPDATE):
        query = question("example.com", "SOA")
        query.set_opcode(opcode)
        made.append(query.to_wire())
    made.append(dns.message.make_query("version.bind", "TXT", "CH").to_wire())
    return tuple(made)


def _flip(packet: bytearray, chance: random.Random) -> None:
    """One bit."""
    if packet:
        packet[chance.randrange(len(packet))] ^= 1 << chance.randrange(8)


def _set(packet: bytearray, chance: random.Random) -> None:
    """One octet to a value at some border."""
    if packet:
        packet[chance.randrange(len(packet))] = chance.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))


def _cut(packet: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del packet[chance.randrange(len(packet) + 1) :]


def _grow(packet: bytearray, chance: random.Random) -> None:
    """Something follows that no section announces."""
    packet += chance.randbytes(chance.randrange(1, JUNK_MAX))


def _drop(packet: bytearray, chance: random.Random) -> None:
    """A few octets in the middle are missing."""
    start = chance.randrange(len(packet) + 1)
    del packet[start : start + chance.randrange(1, 9)]


def _insert(packet: bytearray, chance: random.Random) -> None:
    """A few octets too many in the middle."""
    start = chance.randrange(len(packet) + 1)
    packet[start:start] = chance.randbytes(chance.randrange(1, 9))


def _repeat(packet: bytearray, chance: random.Random) -> None:
    """A part of the packet once more at its end: a second question, a second OPT."""
    start = min(HEADER, len(packet))
    part = packet[chance.randrange(start, len(packet) + 1) :]
    packet += part * chance.choice((1, 1, 2, 20))


def _count(packet: bytearray, chance: random.Random) -> None:
    """A section count that is not true."""
    at = chance.choice((4, 6, 8, 10))
    packet[at : at + 2] = chance.choice((0, 1, 2, 255, 65535)).to_bytes(2, "big")


def _point(packet: bytearray, chance: random.Random) -> None:
    """A compression pointer: to itself, forward, past the end, into the header."""
    at = chance.randrange(HEADER, max(HEADER, len(packet)) + 1)
    packet[at : at + 2] = (0xC000 | chance.choice((0, HEADER, at & 0x3FFF, 0x3FFF))).to_bytes(2, "big")


def _length(packet: bytearray, chance: random.Random) -> None:
    """A 16-bit length somewhere near the end, where options are, lies."""
    at = max(0, len(packet) - chance.randrange(2, 24))
    packet[at : at + 2] = chance.choice((0, 1, 3, 5, 255, 65535)).to_bytes(2, "big")


def _labels(packet: bytearray, chance: random.Random) -> None:
    """A name of too many, too long or too odd labels."""
    size = chance.choice((1, 1, 3, 63))
    label = bytes([size]) + chance.randbytes(size)
    packet[HEADER:HEADER] = label * chance.choice((1, 4, 126, 200))


def _noise(packet: bytearray, chance: random.Random) -> None:
    """Nothing of DNS is left."""
    packet[:] = chance.randbytes(chance.choice((0, 1, 2, 11, 12, 13, 17, 40, 512, 4096)))


def _huge(packet: bytearray, chance: random.Random) -> None:
    """As large as a datagram can be, now and then."""
    if chance.random() < 0.05:
        packet += bytes(chance.choice((4096 - len(packet) % 4096, HUGE)))


MUTATIONS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip,
    _set,
    _cut,
    _grow,
    _drop,
    _insert,
    _repeat,
    _count,
    _point,
    _length,
    _labels,
    _noise,
    _huge,
)
