"""The health state machine, replayed with a clock of our own."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.health import UNKNOWN, Health, Outcome, confirming, next_start, observe
from georouter.facts.rules import HealthRule
from georouter.facts.world import State

DEFAULT = HealthRule()
GOOD = Outcome(ok=True)
BAD = Outcome(ok=False, reason="status 503")

RULES = st.builds(
    HealthRule,
    interval_s=st.floats(0.1, 60),
    timeout_s=st.floats(0.05, 30),
    confirm_interval_s=st.floats(0.01, 10),
    fall=st.integers(1, 6),
    rise=st.integers(1, 6),
)


def after(results: str, rule: HealthRule = DEFAULT, health: Health = UNKNOWN) -> Health:
    """The belief after `results`, one letter each (`+` passed, `-` failed), a second apart."""
    for second, letter in enumerate(results):
        health = observe(health, rule, GOOD if letter == "+" else BAD, float(second))
    return health


@pytest.mark.parametrize(
    ("results", "state", "streak"),
    [
        ("", State.UNKNOWN, 0),
        ("+", State.UP, 0),  # from unknown the first result decides
        ("-", State.DOWN, 0),
        ("+-", State.UP, 1),
        ("+--", State.UP, 2),
        ("+---", State.DOWN, 0),  # fall 3
        ("+--+--", State.UP, 2),  # a success starts the count again
        ("+--+", State.UP, 0),
        ("-+", State.DOWN, 1),
        ("-++", State.UP, 0),  # rise 2
        ("-+-+", State.DOWN, 1),  # a failure starts the count again
        ("-+-++", State.UP, 0),
        ("+-----", State.DOWN, 0),
        ("+---++", State.UP, 0),
    ],
)
def test_results_in_a_row_change_the_state(results: str, state: State, streak: int) -> None:
    """Rules 1 to 3 with the default thresholds."""
    health = after(results)
    assert (health.state, health.streak) == (state, streak)


def test_times_and_reason_tell_what_happened() -> None:
    """`since` moves with the state, `checked_at` with every result, the reason stays while it matters."""
    health = after("+--")
    assert (health.since, health.checked_at, health.reason) == (0.0, 2.0, "status 503")
    health = observe(health, DEFAULT, Outcome(ok=False, reason="connection refused"), 3.0)
    assert (health.since, health.checked_at, health.reason) == (3.0, 3.0, "connection refused")
    health = observe(health, DEFAULT, GOOD, 4.0)
    assert (health.state, health.since, health.reason) == (State.DOWN, 3.0, "connection refused")
    health = observe(health, DEFAULT, GOOD, 5.0)
    assert (health.state, health.since, health.reason) == (State.UP, 5.0, "")


def test_a_success_clears_the_pending_reason() -> None:
    """An endpoint that recovered before it was down has nothing to complain about."""
    assert after("+--+").reason == ""


def test_a_lower_threshold_after_a_reload_acts_on_the_next_failure() -> None:
    """A streak collected under an older rule counts under the new one."""
    pending = after("+----", HealthRule(fall=9))
    assert observe(pending, HealthRule(fall=2), BAD, 9.0).state is State.DOWN


@given(RULES, st.text(alphabet="+-", max_size=60))
def test_the_state_is_what_the_rules_say(rule: HealthRule, results: str) -> None:
    """Against another reading of the rules: look back over the whole history instead of counting."""
    state = State.UNKNOWN
    began = 0
    for index, letter in enumerate(results):
        recent = results[began : index + 1]
        if state is State.UNKNOWN:
            state = State.UP if letter == "+" else State.DOWN
            began = index + 1
        elif (state is State.UP and recent.endswith("-" * rule.fall)) or (
            state is State.DOWN and recent.endswith("+" * rule.rise)
        ):
            state = State.DOWN if state is State.UP else State.UP
            began = index + 1
        assert after(results[: index + 1], rule).state is state


@given(RULES, st.text(alphabet="+-", max_size=60))
def test_never_down_before_fall_failures_in_a_row(rule: HealthRule, results: str) -> None:
    """Once up, nothing shorter than `fall` failures in a row takes an endpoint out."""
    health = observe(UNKNOWN, rule, GOOD, 0.0)
    failures = 0
    for letter in results:
        was_up = health.state is State.UP
        failures = 0 if letter == "+" else failures + 1
        health = after(letter, rule, health)
        if was_up and health.state is State.DOWN:
            assert failures >= rule.fall
        assert health.streak < (rule.fall if health.state is State.UP else rule.rise)


def test_starts_are_an_interval_apart() -> None:
    """Rule 4: from start to start, however long the check took."""
    assert next_start(after("+"), DEFAULT, 100.0, 101.9) == 105.0
    assert next_start(after("-"), DEFAULT, 100.0, 102.0) == 105.0


def test_a_check_longer_than_the_interval_is_followed_by_the_next_at_once() -> None:
    """One at a time: the next one never starts before the last one ended."""
    assert next_start(after("+"), HealthRule(interval_s=1.0, timeout_s=3.0), 100.0, 103.0) == 103.0


def test_pending_failures_are_confirmed_soon() -> None:
    """Rule 5: from the end of the failure, until decided; recovery keeps the steady pace."""
    assert next_start(after("+-"), DEFAULT, 100.0, 102.0) == 102.5
    assert next_start(after("+--"), DEFAULT, 100.0, 100.1) == 100.6
    assert next_start(after("+---"), DEFAULT, 100.0, 100.1) == 105.0
    assert next_start(after("-+"), DEFAULT, 100.0, 100.1) == 105.0
    assert confirming(after("+-"))
    assert not confirming(after("-+"))


@given(RULES, st.text(alphabet="+-", max_size=8), st.floats(0, 40))
def test_a_check_never_starts_before_the_last_ended_nor_later_than_steadily(
    rule: HealthRule, results: str, took_s: float
) -> None:
    """Whatever the rule and the state, the next start lies between the end and the steady pace."""
    start = next_start(after(results, rule), rule, 1000.0, 1000.0 + took_s)
    assert 1000.0 + took_s <= start <= max(1000.0 + took_s, 1000.0 + rule.interval_s)


def down_after(died_at: float, rule: HealthRule, failing: Callable[[HealthRule], float]) -> float:
    """Replays checks from time 0, when all is well, and returns how long after `died_at` it is down.

    A check that starts before `died_at` passes at once; later ones fail after `failing(rule)` seconds.
    """
    health, start = UNKNOWN, 0.0
    while True:
        ok = start < died_at
        end = start + (0.001 if ok else failing(rule))
        health = observe(health, rule, replace(GOOD, ok=ok), end)
        if health.state is State.DOWN:
            return end - died_at
        start = next_start(health, rule, start, end)


@given(st.floats(0.001, 60))
def test_refused_connections_are_out_within_the_promise(died_at: float) -> None:
    """6.5 s at default settings, whenever in the interval the endpoint dies."""
    assert down_after(died_at, DEFAULT, lambda _: 0.001) < 6.1


@given(st.floats(0.001, 60))
def test_swallowed_connections_are_out_within_the_promise(died_at: float) -> None:
    """12.5 s at default settings, whenever in the interval the endpoint dies."""
    assert down_after(died_at, DEFAULT, lambda rule: rule.timeout_s) < 12.1
