"""Steering: candidates, fences and what a block of addresses may get."""

from array import array
from collections import Counter
from ipaddress import IPv4Network, ip_network

import pytest

from georouter.answers.client import NO_SUBNET
from georouter.answers.layout import REASONS
from georouter.answers.ranges import locate, scope
from georouter.answers.steer import MAX_FENCE_RANGES, Steering
from georouter.answers.tables import SLOT_A, Fences, RangeMap, Runs, Snapshot, Sticky
from tests.answers.build import TOP, Builder, address_answer, example, one_each, runs, table4, table6

NOW = 1_760_000_000.0
FREE, EU, CH, BOTH = 0, 1, 2, 3
"""Fences: none, of the EU, of Switzerland, and what both allow (nothing but eu here)."""
US, EU_ONLY, CH_ONLY, NEITHER = 0, 1, 2, 3
"""Rankings."""
RANKINGS = (("0.0.0.0", US), ("81.0.0.0", EU_ONLY), ("81.128.0.0", CH_ONLY), ("82.0.0.0", US))


def fenced_snapshot(without_ecs: int = -1, fence_ranges: object = None) -> Snapshot:
    """One steered name behind two fences."""
    meet = [[FREE, EU, CH, BOTH], [EU, EU, BOTH, BOTH], [CH, BOTH, CH, BOTH], [BOTH] * 4]
    restrict = [[US, EU_ONLY, CH_ONLY, NEITHER], [EU_ONLY, EU_ONLY, NEITHER, NEITHER]]
    restrict += [[CH_ONLY, NEITHER, CH_ONLY, NEITHER], [NEITHER] * 4]
    ranges = fence_ranges or (("0.0.0.0", FREE), ("81.0.0.0", EU), ("81.128.0.0", CH), ("82.0.0.0", FREE))
    fences = Fences(
        4,
        RangeMap(table4(ranges), table6([("::", FREE), ("2a00::", EU), ("2b00::", FREE)])),  # type: ignore[arg-type]
        array("I", [fence for row in meet for fence in row]),
        array("I", [ranking for row in restrict for ranking in row]),
        BOTH,
        without_ecs,
    )
    made = Builder(services=[("web", ("us", "eu", "ch", "none"))])
    zone = made.zone("example.com")
    v6 = [("::", US), ("2a00::", EU_ONLY), ("2b00::", US)]
    group = made.group(RANKINGS, v6, {SLOT_A: one_each(4)}, fences)
    answers = [address_answer(f"192.0.2.{number}") for number in range(4)]
    made.steered("www.example.com", zone, group, "web", {"A": answers})
    return made.snapshot()


def ranking(steering: Steering, block: str, *, resolver: bool = False) -> tuple[int, int]:
    """(the ranking that answered, the scope) for a block of client addresses."""
    network = ip_network(block)
    ipv4 = isinstance(network, IPv4Network)
    address = int(network.network_address) >> (0 if ipv4 else 64)
    source = NO_SUBNET if resolver else network.prefixlen
    _, scope, decision, _ = steering.steer(address, 4 if ipv4 else 6, source, NOW)
    return (decision - steering.counter_base) // REASONS, scope


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("8.8.8.0/24", (US, 2)),
        ("81.2.69.0/24", (EU_ONLY, 9)),
        ("81.200.0.0/16", (CH_ONLY, 9)),
        ("81.0.0.0/9", (EU_ONLY, 9)),
        ("81.0.0.0/8", (NEITHER, 9)),
        ("80.0.0.0/4", (NEITHER, 8)),
        ("0.0.0.0/2", (US, 2)),
        ("0.0.0.0/1", (NEITHER, 2)),
        ("2a00:1::/32", (EU_ONLY, 8)),
        ("2a00::/7", (EU_ONLY, 8)),
        ("2000::/4", (EU_ONLY, 5)),
        ("2000::/5", (US, 5)),
    ],
)
def test_a_block_gets_what_all_its_fences_allow(block: str, expected: tuple[int, int]) -> None:
    """Wider blocks than the scope meet every fence inside; narrower ones only their own."""
    steering = Steering(fenced_snapshot(), 0)
    assert ranking(steering, block) == expected


@pytest.mark.parametrize(("without_ecs", "expected"), [(-1, US), (FREE, US), (EU, EU_ONLY), (BOTH, NEITHER)])
def test_resolvers_without_client_subnet(without_ecs: int, expected: int) -> None:
    """Judged by their own address, or by the fence the policy names for them."""
    steering = Steering(fenced_snapshot(without_ecs), 0)
    assert ranking(steering, "8.8.8.8/32", resolver=True)[0] == expected


def test_a_block_over_very_many_fence_ranges_is_not_walked() -> None:
    """It gets what every fence allows, at once."""
    many = [(f"0.0.{index >> 8}.{index & 255}", index % 2) for index in range(MAX_FENCE_RANGES + 1)]
    wide = Steering(fenced_snapshot(fence_ranges=many), 0)
    assert ranking(wide, "0.0.0.0/1")[0] == NEITHER
    narrow = Steering(fenced_snapshot(fence_ranges=many[:-1]), 0)
    assert ranking(narrow, "0.0.0.0/1")[0] == EU_ONLY


@pytest.mark.parametrize("family", [4, 6])
def test_the_scope_is_that_of_the_range(family: int) -> None:
    """At both ends of every range, and far from any."""
    snapshot = example()
    ranges = snapshot.maps[0].v4 if family == 4 else snapshot.maps[0].v6
    bits = 32 if family == 4 else 64
    steering = Steering(snapshot, 0)
    for start in ranges.starts:
        for address in {start, max(0, start - 1), start + 77, start | (1 << bits) - 1}:
            expected = scope(ranges, locate(ranges, address), address, bits)
            assert steering.steer(address, family, NO_SUBNET, NOW)[1] == expected


def test_weights_become_shares() -> None:
    """Three to one, over client networks."""
    snapshot = example()
    view = next(index for index, view in enumerate(snapshot.directory.views) if view.salt != 7)
    steering = Steering(snapshot, view)
    decided = Counter(
        steering.steer(index << 8, 4, 24, NOW)[2] - steering.counter_base for index in range(8000)
    )
    assert decided.keys() == {0, REASONS}
    assert decided[0] / 8000 == pytest.approx(0.75, abs=0.02)


def test_one_candidate_needs_no_choice() -> None:
    """Weighted rankings beside it do not matter."""
    made = Builder(services=[("web", ("a", "b"))])
    zone = made.zone("example.com")
    slots = {SLOT_A: runs([[(0, 0, 1.0), (1, REASONS, 1.0)], [(1, REASONS, 1.0)]])}
    group = made.group([("0.0.0.0", 0), ("128.0.0.0", 1)], [("::", 1)], slots)
    answers = [address_answer("192.0.2.1"), address_answer("192.0.2.2")]
    made.steered("www.example.com", zone, group, "web", {"A": answers})
    steering = Steering(made.snapshot(), 0)
    assert {steering.steer((200 << 24) + (index << 8), 4, 24, NOW)[0] for index in range(50)} == {answers[1]}
    assert {steering.steer(index << 8, 4, 24, NOW)[0].body for index in range(50)} == {
        answers[0].body,
        answers[1].body,
    }


def ramped(percent: float) -> tuple[Steering, list[object]]:
    """Everybody on a or b by time slots, but for a cohort on c, which has two addresses."""
    made = Builder(services=[("web", ("a", "b", "c"))])
    zone = made.zone("example.com")
    c = 2 * REASONS
    slot = runs([[(0, c, 1.0), (1, c, 1.0), (2, 0, 1.0), (3, REASONS, 1.0)]])
    slot.threshold[:] = array("I", [TOP // 2, TOP, TOP // 2, TOP])
    slot = Runs(
        *(slot.first, slot.count, slot.threshold, slot.body, slot.tally),
        key=array("Q", [5, 0, 0, 0]),
        extent=array("I", [2, 0, 0, 0]),
        cohort=array("I", [int(percent / 100 * TOP), 0, 0, 0]),
    )
    group = made.group([("0.0.0.0", 0)], [("::", 0)], {SLOT_A: slot}, cohorts=Sticky(24, 56))
    answers = [address_answer(f"192.0.2.{number}") for number in range(4)]
    made.steered("www.example.com", zone, group, "web", {"A": answers})
    return Steering(made.snapshot(), 0), list(answers)


def test_a_cohort_keeps_its_region_whatever_the_time_slot() -> None:
    """Its addresses take turns, the others go between theirs, and no scope is wider than a network."""
    steering, answers = ramped(30)
    seen: dict[int, set[int]] = {}
    for now in range(0, 750, 30):
        for network in range(200):
            answer, width, _, _ = steering.steer(network << 8, 4, 24, NOW + now)
            assert width == 24
            seen.setdefault(network, set()).add(answers.index(answer))
    assert set(map(frozenset, seen.values())) == {frozenset({0, 1}), frozenset({2, 3})}
    assert sum(found == {0, 1} for found in seen.values()) / 200 == pytest.approx(0.3, abs=0.07)
    assert steering.steer(0x20010DB8 << 32, 6, 64, NOW)[1] == 56


def test_the_others_go_on_as_they_would_with_a_smaller_cohort() -> None:
    """Who is in neither cohort gets the very same answer; who is in the smaller one stays in the larger."""
    (small, few), (large, many) = ramped(10), ramped(60)
    for network in range(2000):
        before = few.index(small.steer(network << 8, 4, 24, NOW)[0])
        after = many.index(large.steer(network << 8, 4, 24, NOW)[0])
        assert after == before or (before >= 2 and after < 2)
