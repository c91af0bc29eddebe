"""The choice among equal or weighted alternatives: a hash, so that anyone can repeat it.

Integers only, so that a native twin computes the same values from the same milliseconds.
"""

import hashlib
from bisect import bisect_right
from functools import lru_cache
from math import log2

from georouter.answers.tables import Homes, Runs

_MASK = 0xFFFFFFFFFFFFFFFF
_STEP = 0x9E3779B97F4A7C15
"""The golden ratio in 64 bits, the increment of splitmix64 (Steele, Lea, Flood 2014)."""
_SPREAD = 0x9E3779B1
"""The prime next to the golden ratio in 32 bits (Knuth's multiplicative hashing)."""


def network_key(address: int, family: int) -> int:
    """The client network a choice is made for: the /24 of an IPv4 address, the /56 of an IPv6 one.

    `address` is as in `respond` (IPv6: the top 64 bits), `family` 4 or 6. The low eight bits, free in
    both, hold the family, so that no IPv4 network shares its choices with an IPv6 one.
    """
    return (address & ~0xFF) | family


def choose(salt: int, client: int, ttl_s: int, now: float) -> int:
    """A 32-bit value for (salt, client network, time slot).

    `client` comes from `network_key`. A slot lasts one TTL and begins at an offset of the network's
    own, so that not all clients move at once. The value is the output function of splitmix64 over
    the three: a bijection on 64 bits that changes half of them for every bit of input.
    """
    length_ms = ttl_s * 1000 or 1000
    offset_ms = (client * _SPREAD >> 8 & 0xFFFFFFFF) % length_ms
    slot = (int(now * 1000) + offset_ms) // length_ms
    value = (salt ^ client) + slot * _STEP & _MASK  # `mix`, written out: a call would cost a third more
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return (value ^ value >> 31) >> 32


def slot_end(client: int, ttl_s: int, now: float) -> float:
    """When the time slot of a `choose` at `now` ends, in the same Unix seconds."""
    length_ms = ttl_s * 1000 or 1000
    offset_ms = (client * _SPREAD >> 8 & 0xFFFFFFFF) % length_ms
    slot = (int(now * 1000) + offset_ms) // length_ms
    return ((slot + 1) * length_ms - offset_ms) / 1000


def pick(runs: Runs, first: int, count: int, value: int) -> int:
    """Index into the run of `count` from `first` for a value of `choose`: the first threshold above it."""
    return bisect_right(runs.threshold, value, first, first + count - 1)


_FRACTION = 24
_CELLS = 10
LOGARITHMS = tuple(
    round(log2(1 + cell / (1 << _CELLS)) * (1 << _FRACTION)) for cell in range((1 << _CELLS) + 1)
)
"""log2 of 1..2 in fixed point, to be interpolated between cells."""

UNIT_SCALE = 1 << 20
"""The `scale` of the heaviest region; one of half the weight has twice this."""
MAX_SCALE = (1 << 34) - 1
"""The largest `scale`, that of regions with less than 1/16,384 of the heaviest one's weight."""


def lasting_key(address: int, family: int, prefix: int) -> int:
    """The client network of a sticky choice: the first `prefix` bits of an address as in `respond`."""
    if family == 4:
        return address >> (32 - prefix) << (32 - prefix)
    return ~(address >> (64 - prefix) << (64 - prefix)) & _MASK


def mix(value: int) -> int:
    """The output function of splitmix64: a bijection on 64 bits."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31


def divide(runs: Runs, first: int, count: int, salt: int, client: int) -> tuple[int, int]:
    """Where the part begins and how long it is, of a run with a cohort, that is for this client network.

    The cohort are the networks whose value is below its bound. A network's value depends on the service and
    the cohort's region alone, never on time: a cohort that grows keeps whom it has, one that shrinks lets
    those go that came last. The value is the upper half of what `stick` draws for that region, so that its
    lower half chooses in the band, and independent of what `stick` draws for others and of `choose`.
    """
    extent = runs.extent[first]
    if turn(salt, client, runs.key[first]) < runs.cohort[first]:
        return first, extent
    return first + extent, count - extent


def turn(salt: int, client: int, key: int) -> int:
    """When it is a client network's turn to move, as a fraction of 2**32: see `divide`."""
    return mix(mix(salt ^ client) ^ key) >> 32


def stick(runs: Runs, first: int, count: int, salt: int, client: int) -> int:
    """Index into the run of `count` from `first` that this client network always gets while it is there.

    Weighted rendezvous hashing: every band draws an exponential variate from its key and the client, at the
    rate of its weight, and the least one wins. So a band that goes leaves all others' clients alone, and
    the share of each is that of its weight. Inside the band the thresholds choose by the winner's own hash.
    """
    client = mix(salt ^ client)
    index, end = first, first + count
    best, least, winner = index, -1, 0
    while index < end:
        drawn = mix(client ^ runs.key[index])
        score = exponential(drawn >> 32) * runs.scale[index]
        if score < least or least < 0:
            best, least, winner = index, score, drawn
        index += runs.extent[index]
    extent = runs.extent[best]
    return best if extent == 1 else bisect_right(runs.threshold, winner & 0xFFFFFFFF, best, best + extent - 1)


@lru_cache(maxsize=16384)
def region_key(name: str) -> int:
    """64 bits of a region's own for lasting choices: the same in every service, order and process."""
    return int.from_bytes(hashlib.sha256(f"region\0{name}".encode()).digest()[:8], "big")


_OFFSET, _PRIME = 0xCBF29CE484222325, 0x100000001B3
"""FNV-1a in 64 bits (draft-eastlake-fnv)."""


def settle(homes: Homes, label: bytes) -> int:
    """The kind of home that a label without a tenant always gets: weighted rendezvous hashing, as `stick`.

    It depends on the label and the regions alone, so that all services and nodes find the same region, and
    a region that is taken out of the policy moves only its own.
    """
    value = _OFFSET
    for octet in label:
        value = (value ^ octet) * _PRIME & _MASK
    value = mix(value)
    best, least = 0, -1
    for index, key in enumerate(homes.key):
        score = exponential(mix(value ^ key) >> 32) * homes.scale[index]
        if score < least or least < 0:
            best, least = index, score
    return homes.kind[best]


def exponential(uniform: int) -> int:
    """-log2 of a 32-bit value as a fraction of 2**32, with 24 bits behind the point; below 2**30."""
    odd = uniform << 1 | 1
    length = odd.bit_length()
    mantissa = odd << (33 - length) & 0xFFFFFFFF
    cell, rest = mantissa >> 32 - _CELLS, mantissa & (1 << 32 - _CELLS) - 1
    low = LOGARITHMS[cell]
    return (34 - length << _FRACTION) - low - ((LOGARITHMS[cell + 1] - low) * rest >> 32 - _CELLS)
