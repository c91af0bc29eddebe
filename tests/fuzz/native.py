"""Packets to the native packet path, over tables of every construct: what `compiled` runs in C.

The first octet says how the server is set up (one of `paths.pairs`), whether the client has an IPv6
address, and how much space there is for the answer; the second says when, in steps of `STEP_S`; then come
the address and the message. What must hold: no read or write out of bounds; the answer fits; packets left
to Python changed nothing; and the octets and counts are those of the Python path.
"""

from array import array
from collections.abc import Iterator
from functools import cache

from georouter.answers.native import available
from tests.fuzz import messages, paths
from tests.fuzz.target import About
from tests.fuzz.world import snapshot

ABOUT = About(longest=700, words=messages.ABOUT.words, mutations=1500)
STEP_S = 16.0
SETUPS = 5
IPV6 = 0x08
TIMES = 3
"""As often is a packet sent, which rate limiting forgets thereafter."""
GENERATED = 2500


@cache
def pairs() -> list[paths.Pair]:
    """Every way that a server is set up."""
    return paths.pairs()


def run(data: bytes) -> None:
    """One packet over both paths, with all the space there can be."""
    if not available():
        return
    head, when = data[0] if data else 0, data[1] if len(data) > 1 else 0
    size = 16 if head & IPV6 else 4
    source = int.from_bytes(data[2 : 2 + size].ljust(size, b"\0"))
    packet = paths.Packet(data[2 + size :], source, 6 if head & IPV6 else 4, paths.NOW + when * STEP_S)
    pair = pairs()[head % 8 % SETUPS]
    for _ in range(TIMES if pair.limiters else 1):
        pair.ask(packet)
    pair.compare()
    forget(pair)


def forget(pair: paths.Pair) -> None:
    """Let every bucket be full."""
    for limiter in pair.limiters:
        buckets = limiter.buckets
        buckets.tags[:] = array("q", bytes(8 * paths.PLACES))
        buckets.due[:] = array("d", bytes(8 * paths.PLACES))
        buckets.slips[:] = array("B", bytes(paths.PLACES))


def seeds() -> Iterator[bytes]:
    """Packets of the differential run, with their senders and cookies; and those of `messages`."""
    for number, packet in enumerate(paths.packets(GENERATED, 7)):
        head = number % SETUPS | (IPV6 if packet.family == 6 else 0) | number * 0x10 & 0xF0
        address = packet.source.to_bytes(16 if packet.family == 6 else 4)
        yield (bytes((head, 0)) + address + packet.message)[: ABOUT.longest]
    for number, data in enumerate(messages.seeds()):
        yield (bytes((number % SETUPS, 0)) + b"\x0a\1\2\3" + data[1:])[: ABOUT.longest]


def words() -> Iterator[bytes]:
    """What libFuzzer's own mutations insert: `ABOUT.words`, and every name."""
    yield from ABOUT.words
    yield from snapshot().directory.index
