"""Choice: repeatable, even, and moving at the right times."""

from collections import Counter
from ipaddress import ip_address

import pytest

from georouter.answers.choice import choose, network_key, pick
from tests.answers.build import TOP, runs

SALT = 0x0123456789ABCDEF


def networks(count: int) -> list[int]:
    """Keys of this many neighbouring /24s."""
    return [network_key((10 << 24) + (index << 8), 4) for index in range(count)]


@pytest.mark.parametrize(
    ("salt", "client", "ttl_s", "now", "expected"),
    [
        (0, 0, 30, 0.0, 0),
        (SALT, 0x0A000004, 30, 1_760_000_000.0, 2807363629),
        (SALT, 0x0A000104, 30, 1_760_000_000.0, 1141911670),
        (SALT, 0x20010DB800000006, 300, 1_760_000_000.5, 3072027917),
        (2**64 - 1, 0xFFFFFF04, 0, 1.0, 3605966237),
    ],
)
def test_values_never_change(salt: int, client: int, ttl_s: int, now: float, expected: int) -> None:
    """A native twin, and tomorrow's version, must choose as today's."""
    assert choose(salt, client, ttl_s, now) == expected


def test_the_mixing_is_splitmix64() -> None:
    """The published first outputs of splitmix64 with seed 1234567."""
    known = (6457827717110365317, 3203168211198807973, 9817491932198370423)
    assert [choose(1234567, 0, 1, slot) for slot in (1.0, 2.0, 3.0)] == [value >> 32 for value in known]


def test_a_network_is_a_24_or_a_56() -> None:
    """Hosts of one network choose alike; families never share a key."""
    assert network_key(int(ip_address("192.0.2.1")), 4) == network_key(int(ip_address("192.0.2.254")), 4)
    assert network_key(int(ip_address("192.0.2.1")), 4) != network_key(int(ip_address("192.0.3.1")), 4)
    top = int(ip_address("2001:db8:1:200::")) >> 64
    assert network_key(top, 6) == network_key(top | 0xFF, 6)
    assert network_key(0, 4) != network_key(0, 6)


def test_a_slot_lasts_one_ttl() -> None:
    """Within any TTL a network's value changes exactly once."""
    for client in networks(50):
        values = [choose(SALT, client, 30, 1_760_000_000 + second) for second in range(31)]
        assert len(set(values)) == 2
        assert values[0] != values[30]


def test_networks_do_not_move_at_once() -> None:
    """The moments of change spread over the TTL."""
    moved = Counter(
        next(s for s in range(1, 61) if choose(SALT, c, 60, 6e8 + s) != choose(SALT, c, 60, 6e8))
        for c in networks(3000)
    )
    assert len(moved) == 60
    assert max(moved.values()) < 3 * min(moved.values())


@pytest.mark.parametrize("over", ["networks", "slots", "salts"])
def test_shares_are_even(over: str) -> None:
    """Over networks, time and services alike, each sixteenth of the values gets its part."""
    count = 16_000
    (client,) = networks(1)
    values = {
        "networks": lambda: [choose(SALT, key, 30, 6e8) for key in networks(count)],
        "slots": lambda: [choose(SALT, client, 30, 6e8 + 30 * index) for index in range(count)],
        "salts": lambda: [choose(SALT + index, client, 30, 6e8) for index in range(count)],
    }[over]()
    cells = Counter(value >> 28 for value in values)
    # chi-squared with 15 degrees of freedom: above 44.3 once in 10,000 for truly random values
    expected = count / 16
    assert sum((cells[cell] - expected) ** 2 / expected for cell in range(16)) < 44.3


def test_services_choose_independently() -> None:
    """That a network got the first half for one service says nothing about another."""
    both = sum(
        (choose(SALT, key, 30, 6e8) < TOP // 2) == (choose(SALT ^ 0x5A5A, key, 30, 6e8) < TOP // 2)
        for key in networks(10_000)
    )
    assert 4_700 < both < 5_300


def test_pick_takes_the_first_threshold_above_the_value() -> None:
    """Thresholds are exclusive, the last one takes the rest; a weight of zero takes nothing."""
    made = runs([[(9, 0, 1.0)], [(0, 0, 1.0), (1, 0, 0.0), (2, 0, 3.0)]])
    quarter = made.threshold[1]
    assert pick(made, 0, TOP) == 0
    assert [pick(made, 1, value) for value in (0, quarter - 1, quarter, TOP)] == [1, 1, 3, 3]
