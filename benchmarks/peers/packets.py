"""The questions: what resolvers of the whole world send, as the binary file that `dnsperf -B` reads."""

import random
from collections.abc import Sequence
from pathlib import Path
from struct import pack

from benchmarks.peers.world import NAMES, ZONE

COUNT = 240_000
"""Distinct packets; whoever asks begins again at the end, and changes only ids."""
SUBNET, COOKIE, DO, MISSING = 0.60, 0.30, 0.50, 0.05
"""Shares, independent of each other: with a client subnet, with a client cookie, with the DO bit, and for
names that do not exist. One of the first three needs an OPT record; what has none of them has none."""
IPV6 = 0.30
"""Of the client subnets; /48, the others are /24."""
KINDS = (1, 1, 1, 1, 1, 28, 28, 28, 65, 65)
"""Half for A, the others for AAAA and HTTPS (which no name has: NODATA)."""
BLOCKS6 = (0x2001, 0x2400, 0x2600, 0x2800, 0x2A00, 0x2C00)
"""Where IPv6 clients are: beginnings of what the registries give out (IANA, unicast assignments)."""
PAYLOAD = 1232
SEED = 20240901
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def packets(count: int = COUNT, seed: int = SEED) -> list[bytes]:
    """So many different queries; the same for the same seed."""
    chance = random.Random(seed)
    made: dict[bytes, None] = {}
    while len(made) < count:
        made[_packet(chance)] = None
    return list(made)


def static(names: list[str], count: int, seed: int = SEED) -> list[bytes]:
    """Questions for the addresses of random ones of `names`, half of them with EDNS; not all different."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        opt = b"\0" + pack("!HHIH", 41, PAYLOAD, 0, 0) if chance.random() < 0.5 else b""
        question = _name(chance, f"{chance.choice(names)}.{ZONE}") + pack("!HH", 1, 1)
        made.append(pack("!6H", 0, 0, 1, 0, 0, bool(opt)) + question + opt)
    return made


def steered(count: int, seed: int = SEED, names: Sequence[str] = NAMES[:1]) -> list[bytes]:
    """Questions for the addresses of random ones of `names`, each with a random IPv4 client subnet."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        option = _subnet(chance, ipv6=0.0)
        opt = b"\0" + pack("!HHIH", 41, PAYLOAD, 0, len(option)) + option
        question = _name(chance, f"{chance.choice(names)}.{ZONE}") + pack("!HH", 1, 1)
        made.append(pack("!6H", 0, 0, 1, 0, 0, 1) + question + opt)
    return made


def write(path: Path, queries: list[bytes]) -> None:
    """As dnsperf wants them: each behind its length in two octets."""
    path.write_bytes(b"".join(len(query).to_bytes(2, "big") + query for query in queries))


def _packet(chance: random.Random) -> bytes:
    missing = chance.random() < MISSING
    label = "".join(chance.choices(LETTERS, k=12)) if missing else chance.choice(NAMES)
    kind = chance.choice(KINDS)
    question = _name(chance, f"{label}.{ZONE}") + pack("!HH", kind, 1)
    options = []
    if chance.random() < SUBNET:
        options.append(_subnet(chance))
    if chance.random() < COOKIE:
        options.append(pack("!HH", 10, 8) + chance.randbytes(8))  # RFC 7873 4
    flags = 0x8000 if chance.random() < DO else 0
    opt = b""
    if options or flags:
        chance.shuffle(options)
        data = b"".join(options)
        opt = b"\0" + pack("!HHIH", 41, PAYLOAD, flags, len(data)) + data
    return pack("!6H", 0, 0, 1, 0, 0, bool(opt)) + question + opt


def _subnet(chance: random.Random, ipv6: float = IPV6) -> bytes:
    """RFC 7871 6: a random network, SCOPE 0."""
    if chance.random() < ipv6:
        low = chance.randrange(1 << 36)  # the upper 12 bits of the blocks stay
        top = (chance.choice(BLOCKS6) << 32 | low) << 80
        return pack("!HHHBB", 8, 10, 2, 48, 0) + top.to_bytes(16, "big")[:6]
    network = bytes((chance.randrange(1, 224), chance.randrange(256), chance.randrange(256)))
    return pack("!HHHBB", 8, 7, 1, 24, 0) + network


def _name(chance: random.Random, name: str) -> bytes:
    """In wire format, its letters in random case as resolvers write them against forgery."""
    upper = chance.getrandbits(len(name))
    mixed = bytes(
        octet ^ 0x20 if octet > 0x40 and upper >> place & 1 else octet
        for place, octet in enumerate(name.encode())
    )
    return b"".join(bytes((len(label),)) + label for label in mixed.split(b".")) + b"\0"
