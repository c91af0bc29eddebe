"""Any bytes in: the quick and the careful way agree, in answers and counts, and neither ever raises."""

import random
from collections import Counter

import dns.flags
import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.answers.layout import Proto
from tests.answers.ask import Asked, opt, option, query, raw
from tests.answers.build import example

NAMES = (
    "mail.example.com",
    "www.example.com",
    "mix.example.com",
    "plain.example.com",
    "a.b.app.example.com",
    "x.wild.example.com",
    "nope.example.com",
    "ns.sub.example.com",
    "sub.example.com",
    "big.example.com",
    "huge.example.com",
    "ede.example.com",
    "broken.example.com",
    "alias.example.com",
    "ent.example.com",
    "example.com",
    "example.org",
    "example.net",
    ".",
    f"{'a' * 63}.{'b' * 63}.{'c' * 63}.example.com",
)
KINDS = ("A", "AAAA", "TXT", "HTTPS", "DS", "ANY", "SOA", "AXFR", "TYPE65280", "OPT")
SUBNETS = (
    None,
    "81.2.69.0/24",
    "81.2.69.161/32",
    "81.0.0.0/7",
    "2a00::/56",
    "::ffff:81.2.69.0/120",
    "0.0.0.0/0",
    "127.0.0.0/8",
    "127.1.2.0/24",
    "126.0.0.0/7",
    "::ffff:127.0.0.0/100",
    "fd12:3456::/48",
    "fd12:3456::1/128",
)
SOURCES = ("198.51.100.53", "81.2.69.165", "2a00::1", "2a00:0:0:1::1", "127.0.0.1")

ASKED = Asked(example())
INTERESTING = (0, 1, 4, 8, 10, 12, 16, 24, 32, 41, 63, 64, 65, 96, 97, 120, 128, 192, 255)


def check(message: bytes, source: str, proto: Proto) -> bytes | None:
    """Both ways agree (`Asked.reply` compares), and the answer is well formed and not too long."""
    reply = ASKED.reply(message, source, proto)
    if len(message) < 12 or message[2] & 0x80:
        assert reply is None
        return None
    assert reply is not None
    assert reply[:2] == message[:2]
    assert len(reply) <= (65535 if proto is Proto.TCP else 1232)
    assert reply[2] & 0x80
    assert reply[2] & 0x79 == (message[2] & 0x78 or message[2] & 1)  # the opcode; RD where that is QUERY
    no_family = option(8, bytes(4)) in reply  # well formed to us and to dig, not to dnspython
    if not message[2] & 0x78 and not no_family:
        read = dns.message.from_wire(reply)
        if read.edns == -1 and proto is Proto.UDP:
            assert len(reply) <= 512
    return reply


def messages(chance: random.Random) -> bytes:
    """A query, most often well formed."""
    tail = chance.choice((None, option(10, bytes(8)), option(3, b""), option(8, bytes(chance.randrange(20)))))
    if tail is not None and chance.random() < 0.3:
        subnet = option(8, b"\0\1\x18\0\x51\2\x45")
        rdata = b"".join(chance.sample((tail, subnet, option(10, bytes(24))), 3))
        return raw(tail=opt(rdata), counts=(1, 0, 0, 1))
    return query(
        chance.choice(NAMES),
        chance.choice(KINDS),
        subnet=chance.choice(SUBNETS),
        cookie=chance.random() < 0.3,
        payload=chance.choice((0, 512, 1232, 4096)),
        edns=None if chance.random() < 0.6 else True,
        rd=chance.random() < 0.5,
        dnssec=chance.random() < 0.3,
    )


def mutate(message: bytes, chance: random.Random) -> bytes:
    """The message with some octets changed, cut, doubled or added."""
    mutant = bytearray(message)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(mutant)) if mutant else 0
        match chance.randrange(6):
            case 0 if mutant:
                mutant[at] = chance.choice(INTERESTING)
            case 1 if mutant:
                mutant[at] ^= 1 << chance.randrange(8)
            case 2 if mutant:
                mutant[at] = chance.randrange(256)
            case 3:
                del mutant[at:]
            case 4:
                mutant[at:at] = bytes(chance.choices(INTERESTING, k=chance.randrange(1, 6)))
            case _:
                mutant += mutant[at:]
    return bytes(mutant[:600])


@pytest.mark.parametrize("seed", range(4))
def test_mutated_queries(seed: int) -> None:
    """Twenty thousand of them, the same each time."""
    chance = random.Random(seed)
    seen: Counter[int] = Counter()
    for _ in range(5000):
        message = mutate(messages(chance), chance)
        reply = check(message, chance.choice(SOURCES), chance.choice(tuple(Proto)))
        seen[reply[3] & 0xF if reply else -1] += 1
    # the mutants reach what they are meant to reach
    assert set(seen) >= {-1, 0, 1, 3, 4, 5}


def test_well_formed_queries() -> None:
    """Every combination of name, type, client subnet and source."""
    for name in NAMES:
        for kind in KINDS:
            for subnet in SUBNETS:
                message = query(name, kind, subnet=subnet)
                for source in SOURCES[1:]:
                    reply = check(message, source, Proto.UDP)
                    assert reply is not None


@given(st.binary(max_size=300), st.sampled_from(SOURCES), st.sampled_from(list(Proto)))
def test_random_octets(message: bytes, source: str, proto: Proto) -> None:
    """No structure at all."""
    check(message, source, proto)


@settings(max_examples=300)
@given(
    st.integers(0, 0x7FFF),
    st.tuples(*[st.integers(0, 2)] * 4),
    st.binary(max_size=60),
    st.lists(st.tuples(st.sampled_from((3, 8, 10, 15, 65001)), st.binary(max_size=24)), max_size=3),
)
def test_random_parts(
    flags: int, counts: tuple[int, int, int, int], question: bytes, options: list[tuple[int, bytes]]
) -> None:
    """Structure in some parts, noise in others."""
    rdata = b"".join(option(code, data) for code, data in options)
    check(raw(question, opt(rdata), flags=flags, counts=counts), SOURCES[0], Proto.UDP)
    check(raw(tail=opt(rdata), flags=flags & 0x0130, counts=(1, 0, 0, 1)), SOURCES[0], Proto.UDP)


@settings(max_examples=300)
@given(
    st.sampled_from((0, 1, 2, 3)),
    st.integers(0, 130),
    st.sampled_from((0, 0, 0, 1)),
    st.integers(0, 2**128 - 1),
)
def test_client_subnets(family: int, source: int, scope: int, address: int) -> None:
    """Echoed exactly where well formed; scope within the family's width."""
    width = {1: 32, 2: 128}.get(family, 0)
    bits = min(source, width)
    value = (address >> (128 - width)) >> (width - bits) << (width - bits) if width else 0
    octets = (min(source, 128) + 7) // 8
    data = family.to_bytes(2) + bytes((source, scope)) + value.to_bytes(16 if width == 128 else 4)[:octets]
    message = raw(b"\3www\7example\3com\0\0\1\0\1", opt(option(8, data)), counts=(1, 0, 0, 1))
    reply = check(message, SOURCES[0], Proto.UDP)
    assert reply is not None
    if family == 3 or scope or source > width:
        assert reply[3] & 0xF == 1
        return
    assert int.from_bytes(reply[2:4]) & dns.flags.AA
    echoed = reply[-len(data) :]
    assert echoed[:3] + b"\0" + echoed[4:] == data
    assert echoed[3] <= width
