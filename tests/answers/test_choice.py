"""Choice: repeatable, even, and moving at the right times."""

from array import array
from collections import Counter
from ipaddress import ip_address
from math import log2

import pytest

from georouter.answers.choice import (
    MAX_SCALE,
    UNIT_SCALE,
    choose,
    divide,
    exponential,
    lasting_key,
    network_key,
    pick,
    stick,
)
from georouter.answers.tables import Runs
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
    assert pick(made, 0, 1, TOP) == 0
    assert [pick(made, 1, 3, value) for value in (0, quarter - 1, quarter, TOP)] == [1, 1, 3, 3]


def bands(*weights: float) -> Runs:
    """One ranking of one band per weight; region n has a key of its own and two addresses, 1 : 3."""
    made = runs([[(2 * region + turn, 0, 1.0) for region in range(len(weights)) for turn in (0, 1)]])
    heaviest = max(weights)
    for region, weight in enumerate(weights):
        made.threshold[2 * region], made.threshold[2 * region + 1] = TOP // 4, TOP
        made.key.extend([region * 0x9E3779B97F4A7C15 + 1 & 2**64 - 1, 0])
        made.scale.extend([round(UNIT_SCALE * heaviest / weight) if weight else MAX_SCALE, 0])
        made.extent.extend([2, 0])
    return made


def without(made: Runs, region: int) -> Runs:
    """The same ranking with one band taken out, the others as they were."""
    kept = [index for index in range(len(made.body)) if index // 2 != region]
    columns = {
        name: array(getattr(made, name).typecode, [getattr(made, name)[index] for index in kept])
        for name in ("threshold", "body", "tally", "key", "scale", "extent")
    }
    return Runs(first=array("I", [0]), count=array("I", [len(kept)]), **columns)


def home(made: Runs, client: int, salt: int = SALT) -> int:
    """The region a client network gets."""
    return made.body[stick(made, 0, made.count[0], salt, client)] // 2


def test_exponential_is_the_negative_logarithm() -> None:
    """Within the fixed point's precision, falling, and never negative."""
    values = [0, 1, 2, 1000, 2**31 - 1, 2**31, 3_000_000_000, TOP - 1, TOP, *range(0, TOP, 99_999_989)]
    for value in values:
        exact = -log2((value + 0.5) / 2**32)
        assert exponential(value) / 2**24 == pytest.approx(exact, abs=2e-7)
    drawn = [exponential(value) for value in sorted(values)]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[-1] >= 0
    assert drawn[0] * MAX_SCALE < 2**64


def test_a_sticky_share_is_that_of_the_weight() -> None:
    """Over client networks, bands and the addresses inside them get what their weights say."""
    made = bands(5.0, 1.0, 3.0, 1.0)
    count = 20_000
    taken = Counter(made.body[stick(made, 0, 8, SALT, lasting_key(key, 4, 24))] for key in networks(count))
    for region, weight in enumerate((5, 1, 3, 1)):
        share = (taken[2 * region] + taken[2 * region + 1]) / count
        assert share == pytest.approx(weight / 10, abs=0.01)
        assert taken[2 * region] / count == pytest.approx(weight / 40, abs=0.01)


def test_a_region_that_goes_moves_only_its_own_clients() -> None:
    """Everybody else keeps region and address; the moved ones spread by weight; its return undoes it."""
    made = bands(5.0, 1.0, 3.0, 1.0)
    keys = networks(10_000)
    before = {key: made.body[stick(made, 0, 8, SALT, key)] for key in keys}
    less = without(made, 0)
    after = {key: less.body[stick(less, 0, 6, SALT, key)] for key in keys}
    moved = [key for key in keys if before[key] != after[key]]
    assert {before[key] // 2 for key in moved} == {0}
    assert len(moved) == sum(region // 2 == 0 for region in before.values())
    to = Counter(after[key] // 2 for key in moved)
    assert [to[region] / len(moved) for region in (1, 2, 3)] == pytest.approx([0.2, 0.6, 0.2], abs=0.02)


def test_a_smaller_weight_only_moves_clients_away() -> None:
    """A region that sheds gives clients away and gets none; the others exchange none."""
    keys = networks(5_000)
    before = [home(bands(4.0, 4.0, 4.0), key) for key in keys]
    after = [home(bands(4.0, 1.0, 4.0), key) for key in keys]
    assert {old for old, new in zip(before, after, strict=True) if old != new} == {1}
    assert after.count(1) / len(keys) == pytest.approx(1 / 9, abs=0.02)


def test_services_stick_independently() -> None:
    """A network's region of one service says nothing about that of another."""
    made = bands(1.0, 1.0)
    same = sum(home(made, key) == home(made, key, SALT ^ 0x5A5A) for key in networks(10_000))
    assert 4_700 < same < 5_300


@pytest.mark.parametrize(
    ("one", "other", "prefix", "same"),
    [
        ("192.0.2.1", "192.0.2.254", 24, True),
        ("192.0.2.1", "192.0.3.1", 24, False),
        ("192.0.2.1", "192.0.3.1", 23, True),
        ("192.0.2.1", "192.0.2.2", 32, False),
        ("2001:db8::", "2001:db8:0:ff::", 56, True),
        ("2001:db8::", "2001:db8:0:100::", 56, False),
        ("2001:db8::", "2001:db8:0:1::", 64, False),
        ("0.0.0.0", "::", 24, False),
    ],
)
def test_a_lasting_key_is_that_of_the_prefix(one: str, other: str, prefix: int, same: bool) -> None:
    """Addresses of one block share it, others and the other family do not."""

    def key(text: str) -> int:
        address = ip_address(text)
        return lasting_key(int(address) >> (0 if address.version == 4 else 64), address.version, prefix)

    assert (key(one) == key(other)) is same


def with_cohort(bound: int, key: int = 77) -> Runs:
    """A band of two addresses for the cohort, then two others behind it."""
    made = runs([[(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0), (3, 0, 1.0)]])
    made.threshold[:] = array("I", [TOP // 2, TOP, TOP // 2, TOP])
    made.key.extend([key, 0, 0, 0])
    made.extent.extend([2, 0, 0, 0])
    made.cohort.extend([bound, 0, 0, 0])
    return made


def members(bound: int, key: int = 77, salt: int = SALT) -> set[int]:
    """The client networks of 20,000 that are in the cohort."""
    made = with_cohort(bound, key)
    found = {client: divide(made, 0, 4, salt, client) for client in networks(20_000)}
    assert set(found.values()) <= {(0, 2), (2, 2)}
    return {client for client, part in found.items() if part == (0, 2)}


def test_a_cohort_only_grows() -> None:
    """Who is in at a fraction is in at every larger one, and a cohort is as large as its fraction."""
    before: set[int] = set()
    for percent in (0, 1, 2, 10, 37, 50, 99, 100):
        now = members(min(round(percent / 100 * 2**32), TOP))
        assert before <= now
        assert len(now) / 20_000 == pytest.approx(percent / 100, abs=0.01)
        before = now


def test_cohorts_are_independent() -> None:
    """Of services, of regions, of the choice in a time slot, and of where sticky clients are otherwise."""
    half = members(TOP // 2)
    others = {
        "service": members(TOP // 2, salt=SALT ^ 0x5A5A),
        "region": members(TOP // 2, key=78),
        "slot": {client for client in networks(20_000) if choose(SALT, client, 30, 6e8) < TOP // 2},
        "home": {client for client in networks(20_000) if home(bands(1.0, 1.0), client) == 0},
    }
    both = {name: len(half & other) / 20_000 for name, other in others.items()}
    assert both == {name: pytest.approx(0.25, abs=0.01) for name in others}


def test_cohorts_never_change() -> None:
    """A native twin, and tomorrow's version, must divide as today's."""
    drawn = "".join(str(divide(with_cohort(TOP // 3), 0, 4, SALT, client)[0] // 2) for client in networks(64))
    assert drawn == "1001101010001001011010111110100011101111011111011011101111101111"
