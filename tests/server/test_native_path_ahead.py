"""The native worker's look-ahead over a batch: what it answers is what Python says to each query alone."""

import random
import select
import socket
import struct
import threading
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_address

import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.layout import REASONS, Proto
from georouter.answers.limits import Limits
from georouter.answers.make import make_answer
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import (
    LOCAL,
    SLOT_A,
    SLOT_AAAA,
    Directory,
    RangeMap,
    RangeTable,
    Redirect,
    Snapshot,
)
from georouter.server.bind import bind_all
from georouter.server.path import available
from georouter.server.source import source_of
from georouter.wire.names import parse_name
from tests.answers.ask import opt, option
from tests.answers.build import REGIONS, Builder, address_answer, record, runs
from tests.fuzz import messages
from tests.fuzz.mutate import mutate

if not available():
    pytest.skip("the native packet path was not built", allow_module_level=True)

from georouter.answers.native import PUNT, NativeResponder, Tables
from georouter.server import _loop

NAMES, RANGES = 4300, 9000
"""More than it takes for the worker to look ahead."""
BATCH = 64
"""The most that the worker receives at once; it looks ahead from 5 on."""
SECRETS = (bytes(range(16)), b"\xa5" * 16)
AGES_S = 1 << 28
"""A slot of weighted choices: here none ends between the worker's answer and Python's."""
LONG = ".".join(("x" * 63, "y" * 63, "z" * 63, "l" * 49, "example.com"))
DEEP = "1." * 121 + "example.com"
TYPES = (*(1,) * 20, *(28,) * 8, 16, 65, 6, 2, 43, 255, 0, 65280, 252, 251)
HOSTS = {"127.0.0.1": [f"127.{n}.{n * 37 % 256}.{n * 11 + 1}" for n in range(0, 24, 3)], "::1": ["::1"]}
"""Where the worker is, and from where it is asked."""


# -- tables ------------------------------------------------------------------------------------


def ranges(bits: int, inside: int, chance: random.Random) -> RangeTable:
    """Ends anywhere and, far more of them, between `inside` and 16 bits farther, where a bucket is full."""
    starts = {0, (1 << bits) - 1}
    while len(starts) < RANGES:
        starts.add(chance.choice((chance.getrandbits(bits), inside + chance.getrandbits(bits - 16))))
    order = sorted(starts)
    values = (chance.randrange(3) | (LOCAL if chance.random() < 0.1 else 0) for _ in order)
    return RangeTable(array("I" if bits == 32 else "Q", order), array("I", values))


@cache
def large() -> Snapshot:
    """Thousands of names, static ones and such as are steered over thousands of ranges."""
    made = Builder(services=[("web", REGIONS)])
    zone = made.zone("example.com")
    for number in range(NAMES):
        answer = address_answer(f"192.0.{number >> 8}.{number & 255}")
        made.static(f"n{number}.example.com", zone, "A", answer)
    weighted = runs(
        [
            [(0, 0, 3.0), (1, REASONS, 1.0)],
            [(1, REASONS, 1.0)],
            [(0, 0, 1.0), (1, REASONS, 1.0), (2, 2 * REASONS, 1.0)],
        ]
    )
    group = made.group([("0.0.0.0", 0)], [("::", 0)], {SLOT_A: weighted, SLOT_AAAA: weighted}, ttl_s=AGES_S)
    bodies = {
        "A": [address_answer(f"192.0.2.{n}") for n in (1, 2, 3)],
        "AAAA": [address_answer(f"2001:db8::{n}") for n in (1, 2, 3)],
    }
    for number in range(40):
        subnets = number % 4 > 0
        made.steered(f"s{number}.example.com", zone, group, "web", bodies, salt=number, subnets=subnets)
    made.steered("*.app.example.com", zone, group, "web", bodies)
    for name in ("*.wild.example.com", LONG, DEEP):
        made.static(name, zone, "A", address_answer("192.0.2.77"))
    text = record(16, b"\xff" + b"x" * 255)
    made.static("big.example.com", zone, "TXT", make_answer(answers=5, body=text * 5))
    referral = make_answer(authoritative=False, authority=1, body=record(2, b"\2ns\3net\0"))
    made.fallback("sub.example.com", zone, referral, cut=True)
    made.node("away.example.com", zone)
    chance = random.Random(11)
    maps = (RangeMap(ranges(32, 127 << 24, chance), ranges(64, 0x2A00 << 48, chance)),)
    snapshot = replace(made.snapshot(), maps=maps)
    return replace(snapshot, directory=plain(snapshot.directory))


def plain(directory: Directory) -> Directory:
    """Every second name in the short form that names of one record set have; and a DNAME."""
    refs, sole, bodies = dict(directory.rrsets), array("I", directory.sole), list(directory.bodies)
    for number in range(0, NAMES, 2):
        node = directory.index[parse_name(f"n{number}.example.com")]
        answer = directory.answers[refs.pop(node << 16 | 1)]
        sole[node], bodies[node] = 1 << 16 | 1, answer.body
    return replace(
        directory,
        rrsets=refs,
        sole=sole,
        bodies=tuple(bodies),
        heads={1: make_answer(answers=1).head},
        redirects={directory.index[parse_name("away.example.com")]: Redirect(parse_name("example.net"), 60)},
    )


# -- packets -----------------------------------------------------------------------------------


@dataclass
class Packets:
    """Queries of all kinds, the same ones for the same seed."""

    chance: random.Random
    host: str

    def burst(self, size: int) -> Iterator[tuple[bytes, str]]:
        """So many, each with its sender."""
        for _ in range(size):
            sender = self.chance.choice(HOSTS[self.host])
            yield self._packet(sender), sender

    def _packet(self, sender: str) -> bytes:
        chance, message = self.chance, self._query(sender)
        kind = chance.random()
        if kind < 0.8:
            return message
        if kind < 0.83:
            return message[: chance.randrange(len(message))]
        if kind < 0.86:
            return message[: chance.randrange(12)]
        if kind < 0.87:
            return message.ljust(5000, b"\0")
        return mutate(message, messages.ABOUT, (self._query(sender), self._query(sender)), chance)

    def _query(self, sender: str) -> bytes:
        chance = self.chance
        rdata = self._options(sender) if chance.random() < 0.7 else None
        flags = chance.choice((0, 0x0100, 0x0110))
        if chance.random() < 0.05:
            flags = chance.choice((0x8100, 0x1000, 0x2000, 0x2800, 0x7800))
        klass = chance.choice((3, 254, 255)) if chance.random() < 0.05 else 1
        start = struct.pack("!6H", chance.getrandbits(16), flags, 1, 0, 0, rdata is not None)
        question = self._name() + struct.pack("!HH", chance.choice(TYPES), klass)
        if rdata is None:
            return start + question
        version = 1 << 16 if chance.random() < 0.03 else 0
        payload = chance.choice((0, 512, 1232, 1232, 4096, 65535))
        return start + question + opt(rdata, payload=payload, ttl=version | chance.choice((0, 0x8000)))

    def _name(self) -> bytes:
        chance = self.chance
        number = chance.randrange(NAMES)
        text = chance.choice(
            (
                *(f"n{number}.example.com",) * 20,
                *(f"s{number % 40}.example.com",) * 20,
                *(f"a{number}.app.example.com", f"{number}.b.app.example.com", f"{number}.wild.example.com"),
                *(f"m{number}.example.com", f"x.n{number}.example.com", f"x.s{number % 40}.example.com"),
                *("example.com", "app.example.com", "*.wild.example.com", "big.example.com", LONG, DEEP),
                *("sub.example.com", "x.sub.example.com", f"{number}.away.example.com"),
                *(".", "com", "example.net", f"n{number}.example.org"),
            )
        )
        name = parse_name(text)
        if chance.random() < 0.1:  # as long as a name can be, or longer by one, in one label or in many
            room = chance.choice((255, 255, 256)) - len(name)
            name = b"\1*" * (room // 2) + name if room & 1 == 0 else b"\2**" + b"\1-" * (room // 2 - 1) + name
        if chance.random() < 0.6:
            return name
        return bytes(each ^ 0x20 if 0x61 <= each <= 0x7A and chance.getrandbits(1) else each for each in name)

    def _options(self, sender: str) -> bytes:
        chance, options = self.chance, []
        if chance.random() < 0.7:
            options.append(self._subnet())
        if chance.random() < 0.5:
            options.append(option(10, self._cookie(sender)))
        if chance.random() < 0.2:
            good = (option(3, b""), option(65001, b"x"))
            options.append(chance.choice((*good * 4, b"\0", option(8, b"\0\1"))))
        chance.shuffle(options)
        return b"".join(options)

    def _subnet(self) -> bytes:
        chance = self.chance
        family = chance.choice((*(1, 2) * 12, 0, 3))
        bits = {1: 32, 2: 128}.get(family, 0)
        source = min(bits, chance.choice((0, 8, 20, 24, 32, 48, 56, 64, 128)))
        address = chance.getrandbits(bits) if bits else 0
        if chance.random() < 0.6:
            table = large().maps[0].v4 if bits == 32 else large().maps[0].v6
            start = chance.choice(table.starts) + chance.choice((-1, 0, 1)) << (64 if bits == 128 else 0)
            address = start % (1 << bits)
        if bits == 128 and chance.random() < 0.1:
            address = int(ip_address("::ffff:127.0.0.1"))
        if chance.random() < 0.98:  # otherwise there are bits behind the prefix
            address = address >> bits - source << bits - source
        octets = address.to_bytes(bits // 8)[: (source + 7) // 8]
        return option(8, struct.pack("!HBB", family, source, chance.random() < 0.02) + octets)

    def _cookie(self, sender: str) -> bytes:
        """The client's part, always the same; with our part, good or of somebody else; or what is none."""
        mine = b"\1\2\3\4\5\6\7\x08"
        family, address = source_of(sender)
        made = Cookies(SECRETS).answer(mine, address, family, time.time() - 5)[0][4:]
        good = (mine, made, made, made[:-1] + b"\0", b"\1" * 24)
        return self.chance.choice((*good * 4, mine + b"x", b"\1" * 41))


# -- the worker beside Python ------------------------------------------------------------------


@dataclass
class Beside:
    """The same tables for a worker and for Python."""

    conduct: Conduct

    def __post_init__(self) -> None:
        self.snapshot = large()
        self.size = self.snapshot.directory.layout.extent
        self.tables = Tables(self.snapshot, Limits(), self.conduct)
        counters = array("q", bytes(8 * self.size))
        self.alone = NativeResponder(self.snapshot, counters, Limits(), self.conduct)

    def is_left(self, message: bytes, sender: str, now: float) -> bool:
        """Whether a query by itself, to which nobody looks ahead, is one for Python."""
        family, address = source_of(sender)
        return self.alone.respond(message, address, family, Proto.UDP, now) == PUNT

    def python(
        self, burst: list[tuple[bytes, str]], now: float
    ) -> tuple[dict[str, list[bytes]], "array[int]"]:
        """What each sender hears from Python, and what is counted; but for queries that are left to it."""
        counters = array("q", bytes(8 * self.size))
        responder = Responder(self.snapshot, counters, Limits(), self.conduct)
        heard: dict[str, list[bytes]] = {}
        for message, sender in burst:
            family, address = source_of(sender)
            if not self.is_left(message, sender, now):
                reply = responder.respond(message, address, family, Proto.UDP, now)
                heard.setdefault(sender, []).extend([reply] if reply is not None else [])
        return {sender: replies for sender, replies in heard.items() if replies}, counters


def compare(
    beside: Beside, burst: list[tuple[bytes, str]], bound: socket.socket, senders: dict[str, socket.socket]
) -> int:
    """All of it waits before the worker starts: one batch. How many were answered."""
    loop = _loop.Loop([bound], places=BATCH, limit=BATCH)
    counters = array("q", bytes(8 * beside.size))
    loop.publish(_loop.Publication(beside.tables, counters))
    for message, sender in burst:
        senders[sender].sendto(message, bound.getsockname())
    cut = [(message[:4096], sender) for message, sender in burst]
    began = time.time()
    wanted, counted = beside.python(cut, began)
    left = [message for message, sender in cut if beside.is_left(message, sender, began)]
    worker = threading.Thread(target=loop.run)
    worker.start()
    try:
        got = {sender: [senders[sender].recv(5000) for _ in replies] for sender, replies in wanted.items()}
    finally:
        loop.stop(5.0)
        worker.join()
    for later in range(int(began) + 1, int(time.time()) + 1):  # cookies tell the second they were made in
        if got != wanted:
            wanted, counted = beside.python(cut, later)
    assert got == wanted
    assert counters == counted
    assert (loop.punted, loop.overflowed, loop.unsent, loop.misreads) == (len(left), 0, 0, 0)
    heard: list[bytes] = []
    _loop.Punts(loop).turn(lambda message, *_: heard.append(message), time.time())
    assert heard == left
    assert select.select(list(senders.values()), [], [], 0)[0] == []
    return sum(map(len, got.values()))


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("host", HOSTS)
def test_a_batch_is_answered_as_each_query_alone(host: str, limited: bool) -> None:
    """Every size of a batch that is looked ahead over, with the same octets and counts; so it is with a rate
    limit, whose buckets are looked for, but which limits nobody here.
    """
    limiter = RateLimiter(Rate(1e6), Buckets(1 << 60, 1 << 12)) if limited else None
    beside = Beside(Conduct(Cookies(SECRETS), limiter, b"node"))
    assert beside.tables.far
    packets = Packets(random.Random(f"{host} {limited}"), host)
    senders = {name: socket.socket(source_family(name), socket.SOCK_DGRAM) for name in HOSTS[host]}
    (bound,) = bind_all([(host, 0)], 1, 1 << 20)
    asked = answered = 0
    try:
        for name, sock in senders.items():
            sock.bind((name, 0))
            sock.settimeout(5)
        for size in range(5, BATCH + 1):
            answered += compare(beside, list(packets.burst(size)), bound.udp[0][0], senders)
            asked += size
    finally:
        for each in (*senders.values(), bound):
            each.close()
    assert asked * 0.7 < answered < asked * 0.95
    if limiter is not None:
        assert (limiter.slipped, limiter.dropped) == (0, 0)


def source_family(host: str) -> socket.AddressFamily:
    """Of a sender's socket."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
