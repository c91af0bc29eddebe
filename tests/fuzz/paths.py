"""The native and the Python path over the same packets, generated and mutated from a seed.

    python -m tests.fuzz paths COUNT [SEED]

Half of the packets are queries for names of `world` as clients send them, with client subnets, cookies
(good, old and made up), options and cases of all kinds; the others are mutations of the seeds and the
corpus of `messages`. What must hold: the same octets or silence, and the same counts.
"""

import random
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from georouter.answers import debug as debugging
from georouter.answers import networks
from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.debug import Debug
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.native import TwinResponder
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from tests.fuzz.mutate import mutate
from tests.fuzz.target import load
from tests.fuzz.world import SUFFIX, snapshot

NOW = 1_760_000_000.0
COUNTED_EVERY = 500
"""Packets from one look at all counters to the next."""
SECRETS = (bytes(range(16)), b"\xa5" * 16)
PLACES = 1 << 8
EXEMPT = networks.of([ip_network("10.0.0.0/30"), ip_network("2001:db8::/126")])
TYPES = (1, 1, 1, 28, 28, 65, 65, 2, 5, 6, 12, 15, 16, 33, 43, 64, 255, 257, 251, 252, 260, 65280, 0)
PAYLOADS = (0, 511, 512, 513, 700, 1232, 1232, 1400, 4096, 65535)
KNOWN = (b"acme", b"globex", b"initech", b"xn--mnchen-3ya", b"nobody", b"www", b"x" * 63, b"*", b"")


@dataclass(frozen=True, slots=True)
class Packet:
    """A message, and who sends it when."""

    message: bytes
    source: int
    family: int
    now: float


class Pair:
    """Both paths, set up alike."""

    def __init__(
        self, limits: Limits, cookies: bool, rate: Rate | None, nsid: bytes, debug: bool = False
    ) -> None:
        size = snapshot().directory.layout.extent
        self.counters = tuple(array("q", bytes(8 * size)) for _ in "12")
        self.limiters = [RateLimiter(rate, Buckets(1 << 60, PLACES)) for _ in "12"] if rate else []
        made = [
            Conduct(
                Cookies(SECRETS) if cookies else None,
                limiter,
                nsid,
                debug=Debug(EXEMPT, RateLimiter(debugging.RATE, Buckets(1 << 60, PLACES))) if debug else None,
            )
            for limiter in self.limiters or (None, None)
        ]
        self.python = Responder(snapshot(), self.counters[0], limits, made[0])
        self.native = TwinResponder(snapshot(), self.counters[1], limits, made[1])

    def ask(self, packet: Packet) -> bytes | None:
        """One packet to both."""
        what = (packet.message, packet.source, packet.family, Proto.UDP, packet.now)
        reply = self.python.respond(*what)
        other = self.native.respond(*what)
        assert reply == other, f"{packet}: {reply!r} in Python, {other!r} natively"
        return reply

    def compare(self) -> None:
        """All that was counted."""
        assert self.counters[0] == self.counters[1]
        assert self.native.native.faults == 0
        if self.limiters:
            one, other = self.limiters
            slipped, dropped = self.native.native.limited
            assert (one.slipped, one.dropped) == (slipped + other.slipped, dropped + other.dropped)
            assert one.buckets.tags == other.buckets.tags
            assert one.buckets.due == other.buckets.due
            assert one.buckets.slips == other.buckets.slips


def pairs() -> list[Pair]:
    """Every way that a server is set up."""
    return [
        Pair(Limits(), cookies=False, rate=None, nsid=b"", debug=True),
        Pair(Limits(4096), cookies=True, rate=None, nsid=b"node"),
        Pair(Limits(512), cookies=True, rate=Rate(2.0, exempt=EXEMPT), nsid=b"n" * 200),
        Pair(Limits(), cookies=False, rate=Rate(5.0, slip=1, ipv4=32, ipv6=128), nsid=b""),
        Pair(Limits(1400), cookies=True, rate=Rate(1.0, slip=0, window_s=1.0, ipv4=16, ipv6=100), nsid=b""),
    ]


def run(count: int, seed: int) -> tuple[int, int]:
    """So many packets; how many were answered, and how many of all were left to Python."""
    every = pairs()
    answered = 0
    for number, packet in enumerate(packets(count, seed)):
        answered += every[number % len(every)].ask(packet) is not None
        if number % COUNTED_EVERY < len(every):
            every[number % len(every)].compare()
    for pair in every:
        pair.compare()
    return answered, sum(pair.native.punted for pair in every)


# -- packets -----------------------------------------------------------------------------------


def packets(count: int, seed: int) -> Iterator[Packet]:
    """The same ones for the same seed."""
    chance = random.Random(seed)
    target = load("messages")
    pool = [data[1:] for data in (*target.seeds, *target.corpus())]
    names = list(snapshot().directory.index)
    steered = [name for name in names if name.endswith(SUFFIX)]
    now = NOW
    for _ in range(count):
        source, family = _sender(chance)
        now += chance.random() * chance.choice((0.001, 0.001, 0.1))
        if chance.random() < 0.5:
            message = mutate(chance.choice(pool), target.about, pool, chance)
        else:
            message = _query(chance.choice((names, steered)), source, family, now, chance)
            if chance.random() < 0.1:
                message = mutate(message, target.about, pool, chance)
        yield Packet(message, source, family, now)


def _sender(chance: random.Random) -> tuple[int, int]:
    """Some networks come often, the others once."""
    family = chance.choice((4, 4, 6))
    bits = 32 if family == 4 else 128
    if chance.random() < 0.5:
        return chance.getrandbits(bits), family
    return (0x0A000000 if family == 4 else 0x20010DB8 << 96) | chance.getrandbits(3), family


def _query(names: list[bytes], source: int, family: int, now: float, chance: random.Random) -> bytes:
    name = _name(chance.choice(names), chance)
    kind = chance.choice(TYPES)
    klass = chance.choice((3, 255, 254)) if chance.random() < 0.02 else 1
    flags = chance.choice((0, 0x0100, 0x0120, 0x0010, 0x0110))
    with_opt = chance.random() < 0.8
    start = struct.pack("!6H", chance.getrandbits(16), flags, 1, 0, 0, with_opt)
    question = name + struct.pack("!HH", kind, klass)
    return start + question + (_opt(source, family, now, chance) if with_opt else b"")


def _name(name: bytes, chance: random.Random) -> bytes:
    """A name of ours, often one below it or a tenant's, in some case."""
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        label = chance.choice((*KNOWN, chance.randbytes(chance.randrange(64))))
        if label and len(name) + len(label) < 255:
            name = bytes((len(label),)) + label + name
    case = chance.random()
    if case < 0.3:
        return name
    if case < 0.6:
        return name.upper() if max(name[:1]) < 0x61 else name
    return bytes(octet ^ 0x20 if 0x61 <= octet <= 0x7A and chance.getrandbits(1) else octet for octet in name)


def _opt(source: int, family: int, now: float, chance: random.Random) -> bytes:
    options = []
    if chance.random() < 0.6:
        options.append(_subnet(chance))
    if chance.random() < 0.5:
        options.append(_cookie(source, family, now, chance))
    if chance.random() < 0.1:
        options.append(chance.choice((b"\0\3\0\0", b"\0\x0c\0\2\0\0", b"\0\x0b\0\0", b"\xff\xff\0\1x")))
    chance.shuffle(options)
    rdata = b"".join(options)
    version = 1 if chance.random() < 0.02 else 0
    ttl = version << 16 | chance.choice((0, 0x8000))
    return b"\0" + struct.pack("!HHIH", 41, chance.choice(PAYLOADS), ttl, len(rdata)) + rdata


def _subnet(chance: random.Random) -> bytes:
    number = chance.choice((1, 1, 2))
    width = 32 if number == 1 else 128
    bits = chance.choice(
        (0, 8, 16, 20, 24, 24, 32, 48, 56, 64, 96, 128, *(chance.randrange(65) for _ in "1234"))
    )
    bits = min(bits, width)
    address = _address(number, width, chance)
    octets = (address >> width - bits << width - bits).to_bytes(width // 8)[: (bits + 7) // 8]
    body = struct.pack("!HBB", number, bits, 0) + octets
    return b"\0\x08" + len(body).to_bytes(2) + body


def _address(number: int, width: int, chance: random.Random) -> int:
    """Anywhere, or in one of the blocks that `patchwork` divides."""
    kind = chance.random()
    if kind < 0.4:
        return chance.getrandbits(width)
    if number == 1:
        start, spare = chance.randrange(6) * 10 + (kind < 0.9) << 24, 24
    else:
        start, spare = 0x2000 + chance.randrange(6) * 0x100 + (kind < 0.9) << 112, 112
    return start | chance.getrandbits(spare) >> chance.randrange(spare)


def _cookie(source: int, family: int, now: float, chance: random.Random) -> bytes:
    """Good ones of every age, by both secrets; the beginning of one; and such as nobody made."""
    client = chance.randbytes(8)
    choice = chance.random()
    if choice < 0.3:
        data = client
    elif choice < 0.8:
        made = Cookies((chance.choice(SECRETS),)).answer(
            client, source, family, now - chance.randrange(-400, 4000)
        )
        data = made[0][4:]
    else:
        data = chance.randbytes(chance.choice((8, 15, 16, 24, 40, 41, chance.randrange(48))))
    return b"\0\x0a" + len(data).to_bytes(2) + data
