"""The questions: what resolvers of the whole world send, as the binary file that `dnsperf -B` reads."""

import random
from pathlib import Path
from struct import pack

from benchmarks.peers.world import NAMES, ZONE

COUNT = 120_000
"""Distinct packets; dnsperf begins again at the end, and changes only ids."""
SUBNET, EDNS, MISSING, AAAA = 0.60, 0.20, 0.05, 0.25
"""Shares: with a client subnet, with EDNS but without one, for names that do not exist, for AAAA."""
PAYLOAD = 1232
SEED = 20240901


def packets(count: int = COUNT, seed: int = SEED) -> list[bytes]:
    """So many different queries; the same for the same seed."""
    chance = random.Random(seed)
    made: dict[bytes, None] = {}
    while len(made) < count:
        made[_packet(chance)] = None
    return list(made)


def write(path: Path, queries: list[bytes]) -> None:
    """As dnsperf wants them: each behind its length in two octets."""
    path.write_bytes(b"".join(len(query).to_bytes(2, "big") + query for query in queries))


def _packet(chance: random.Random) -> bytes:
    if chance.random() < MISSING:
        label = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
    else:
        label = chance.choice(NAMES)
    kind = 28 if chance.random() < AAAA else 1
    question = _name(chance, f"{label}.{ZONE}") + pack("!HH", kind, 1)
    share = chance.random()
    option = b""
    if share < SUBNET:
        network = bytes((chance.randrange(1, 224), chance.randrange(256), chance.randrange(256)))
        option = pack("!HHHBB", 8, 7, 1, 24, 0) + network  # RFC 7871 6
    opt = b"\0" + pack("!HHIH", 41, PAYLOAD, 0, len(option)) + option if share < SUBNET + EDNS else b""
    return pack("!6H", 0, 0, 1, 0, 0, bool(opt)) + question + opt


def _name(chance: random.Random, name: str) -> bytes:
    """In wire format, its letters in random case as resolvers write them against forgery."""
    mixed = "".join(chance.choice((letter.lower(), letter.upper())) for letter in name)
    return b"".join(bytes((len(label),)) + label.encode() for label in mixed.split(".")) + b"\0"
