"""The brake: when it takes hold, what is acted on while it holds, and what ends it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.brake import (
    FREE,
    Brake,
    Release,
    advance,
    endpoint_moved,
    keep,
    move,
    next_wake,
    region_moved,
)
from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.facts.rules import BrakeRule
from georouter.facts.world import State
from georouter.words.ids import CheckName, RegionName

RULE = BrakeRule()
NAMES = tuple(RegionName(f"r{number}") for number in range(8))
KEYS = {name: EndpointKey(name, "192.0.2.1", CheckName("web")) for name in NAMES}
UP, DOWN = Health(State.UP, 2, 1.0, 1.0, "refused"), Health(State.DOWN)


def fall(brake: Brake, name: RegionName, at: float) -> Brake:
    """A region and its one endpoint go down."""
    moved = endpoint_moved(brake, KEYS[name], UP, DOWN, at)
    return region_moved(moved, name, State.UP, State.DOWN, at)


def rise(brake: Brake, name: RegionName, at: float) -> Brake:
    """And up."""
    moved = endpoint_moved(brake, KEYS[name], DOWN, UP, at)
    return region_moved(moved, name, State.DOWN, State.UP, at)


def fallen(count: int, apart_s: float = 0.0) -> Brake:
    """So many of the eight went down, from second 100 on."""
    brake = FREE
    for number, name in enumerate(NAMES[:count]):
        brake = fall(brake, name, 100.0 + number * apart_s)
    return brake


def step(brake: Brake, now: float, rule: BrakeRule | None = RULE) -> tuple[Brake, Release | None]:
    """Let time act on eight checked regions."""
    healths = {KEYS[name]: DOWN if name in brake.fallen else UP for name in NAMES}
    return advance(brake, rule, NAMES, healths, now)


@pytest.mark.parametrize(("count", "holds"), [(4, False), (5, True), (8, True)])
def test_more_than_the_share(count: int, holds: bool) -> None:
    """Half is not more than half."""
    brake, released = step(fallen(count), 100.0)
    assert (brake.freeze is not None) is holds
    assert released is None


def test_what_is_acted_on() -> None:
    """Everybody as before the fall, without its doubts; the others as they are."""
    brake, _ = step(fallen(5), 100.0)
    assert brake.freeze is not None
    assert (brake.freeze.since, brake.freeze.until, brake.freeze.of) == (100.0, 400.0, 8)
    assert brake.freeze.fallen == frozenset(NAMES[:5])
    assert set(brake.acted_on) == set(KEYS.values())
    assert {health.state for health in brake.acted_on.values()} == {State.UP}
    assert brake.acted_on[KEYS[NAMES[0]]].streak == 0


def test_falls_that_are_not_at_once() -> None:
    """Older ones than the window do not count, and stay as they are."""
    brake, _ = step(fall(FREE, NAMES[7], 80.0), 85.0)
    for name in NAMES[:4]:
        brake = fall(brake, name, 100.0)
    brake, _ = step(brake, 100.0)
    assert brake.freeze is None
    brake, _ = step(fall(brake, NAMES[4], 101.0), 101.0)
    assert brake.freeze is not None
    assert NAMES[7] not in brake.freeze.fallen
    assert step(fallen(8, apart_s=3.0), 121.0)[0].freeze is None


def test_few_regions_never_freeze() -> None:
    """The policy says from how many on, of those that are checked."""
    names = NAMES[:5]
    assert advance(fallen(5), RULE, names, {}, 100.0)[0].freeze is None
    assert advance(fallen(5), BrakeRule(min_regions=5), names, {}, 100.0)[0].freeze is not None


def test_who_was_never_up_has_not_fallen() -> None:
    """A start in which everything is found down is believed."""
    brake = FREE
    for name in NAMES:
        brake = endpoint_moved(brake, KEYS[name], Health(), DOWN, 1.0)
        brake = region_moved(brake, name, State.UNKNOWN, State.DOWN, 1.0)
    assert step(brake, 1.0)[0].freeze is None


def test_it_ends_when_its_time_is_over() -> None:
    """And the same failures do not begin it again."""
    brake, _ = step(fallen(6), 100.0)
    assert next_wake(brake, RULE) == 400.0
    assert step(brake, 399.9) == (brake, None)
    assert step(brake, 400.0) == (FREE, Release.OVER)
    assert step(FREE, 401.0) == (FREE, None)
    assert next_wake(FREE, RULE) is None


def test_it_ends_when_the_node_sees_again() -> None:
    """No more than the share down, for a whole window; a relapse begins that window anew."""
    brake, _ = step(fallen(6), 100.0)
    brake, _ = step(rise(rise(brake, NAMES[0], 120.0), NAMES[1], 120.0), 120.0)
    assert next_wake(brake, RULE) == 130.0
    brake, _ = step(fall(brake, NAMES[0], 125.0), 125.0)
    assert next_wake(brake, RULE) == 400.0
    brake, released = step(rise(brake, NAMES[0], 140.0), 140.0)
    assert released is None
    assert step(brake, 150.0) == (FREE, Release.SEES)


def test_the_policy_may_switch_it_off() -> None:
    """At once, also while it holds."""
    brake, _ = step(fallen(6), 100.0)
    assert step(brake, 101.0, None) == (FREE, Release.OFF)
    assert step(fallen(6), 100.0, None) == (FREE, None)


def test_a_clock_that_is_set() -> None:
    """It lasts as long as it was meant to."""
    brake, _ = step(fallen(6), 100.0)
    moved = move(brake, 1000.0)
    assert moved.freeze is not None
    assert (moved.freeze.since, moved.freeze.until) == (1100.0, 1400.0)
    assert step(moved, 1399.0)[1] is None


def test_a_policy_without_some_of_them() -> None:
    """What is gone is forgotten; the rest stays frozen."""
    brake, _ = step(fallen(6), 100.0)
    kept = keep(brake, NAMES[:4], {KEYS[name] for name in NAMES[:4]})
    assert set(kept.acted_on) == {KEYS[name] for name in NAMES[:4]}
    assert set(kept.fallen) == set(NAMES[:4])


@given(
    events=st.lists(
        st.tuples(st.sampled_from(NAMES), st.booleans(), st.floats(0.0, 20.0)), min_size=1, max_size=60
    )
)
def test_whatever_happens(events: list[tuple[RegionName, bool, float]]) -> None:
    """It begins only with more than the share down, lasts no longer than it may, and acts on the same
    healths from beginning to end.
    """
    brake, now, up = FREE, 0.0, dict.fromkeys(NAMES, True)
    for name, is_up, later_s in events:
        now += later_s
        before = brake
        brake, _ = step(brake, now)
        if up[name] is not is_up:
            brake = rise(brake, name, now) if is_up else fall(brake, name, now)
            up[name] = is_up
        brake, _ = step(brake, now)
        if brake.freeze is None:
            continue
        assert brake.freeze.since <= now < brake.freeze.until
        if before.freeze is not None and before.freeze.since == brake.freeze.since:
            assert brake.acted_on == before.acted_on
        else:
            assert list(up.values()).count(False) > RULE.share * len(NAMES)
            assert all(brake.acted_on[KEYS[other]].state is State.UP for other in brake.freeze.fallen)


def test_a_policy_that_leaves_too_few() -> None:
    """As if it had no brake."""
    brake, _ = step(fallen(6), 100.0)
    assert advance(brake, RULE, NAMES[:5], {}, 101.0) == (FREE, Release.OFF)


@pytest.mark.parametrize("since", [-1e9, 90.0, 1e9])
def test_it_never_lasts_longer_than_the_policy_says(since: float) -> None:
    """Whatever was saved, under whatever clock, and when a reload makes it shorter."""
    brake, _ = step(fallen(6), 100.0)
    assert brake.freeze is not None
    odd = replace(brake, freeze=replace(brake.freeze, since=since, until=1e18))
    shorter = replace(RULE, max_freeze_s=60.0)
    once, _ = step(odd, 100.0, shorter)
    assert once.freeze is None or once.freeze.until <= 160.0
    assert step(once, 160.0, shorter)[0] == FREE


def test_where_nothing_fell_nothing_is_looked_at() -> None:
    """Every check's result comes by."""
    assert advance(FREE, RULE, NAMES, {}, 100.0)[0] is FREE
