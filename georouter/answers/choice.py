"""The choice among equal or weighted alternatives: a hash, so that anyone can repeat it.

Integers only, so that a native twin computes the same values from the same milliseconds.
"""

from bisect import bisect_right

from georouter.answers.tables import Runs

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
    value = (salt ^ client) + slot * _STEP & _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return (value ^ value >> 31) >> 32


def pick(runs: Runs, ranking: int, value: int) -> int:
    """Index into the run of `ranking` for a value of `choose`: the first threshold above it."""
    first = runs.first[ranking]
    return bisect_right(runs.threshold, value, first, first + runs.count[ranking] - 1)
