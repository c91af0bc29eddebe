"""Signals: thresholds, hysteresis, and how many answers it takes."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.health import UNKNOWN, Health, Outcome, observe
from georouter.facts.rules import HealthRule
from georouter.facts.signals import (
    COMPARISONS,
    Grade,
    Missing,
    SignalRule,
    Threshold,
    Value,
    WhenMissing,
    judge,
    value_text,
)
from georouter.facts.world import State
from georouter.words.ids import SignalName

LAG = SignalName("replication_lag_ms")
RULE = SignalRule(LAG, "/db/lag_ms", Threshold(">", 1000.0), Threshold(">", 30000.0))


def replay(values: Sequence[Value | Missing], rule: SignalRule = RULE) -> list[Health]:
    """The belief after each answer that says this; answers come 5 s apart, starting at 0."""
    health, found = UNKNOWN, []
    whole = HealthRule(signals=(rule,))
    for number, value in enumerate(values):
        health = observe(health, whole, Outcome(ok=True, values={LAG: value}), 5.0 * number)
        found.append(health)
    return found


@pytest.mark.parametrize(
    ("compare", "bound", "met", "not_met"),
    [
        (">", 5.0, 5.1, 5.0),
        (">=", 5.0, 5.0, 4.9),
        ("<", 5.0, 4.9, 5.0),
        ("<=", 5.0, 5.0, 5.1),
        ("==", 5.0, 5.0, 5.1),
        ("!=", 5.0, 5.1, 5.0),
        ("==", "primary", "primary", "replica"),
        ("!=", True, False, True),
    ],
)
def test_comparisons(compare: str, bound: Value, met: Value, not_met: Value) -> None:
    """Each operator on both sides of its bound."""
    rule = SignalRule(LAG, "/x", down=Threshold(compare, bound))
    assert judge(rule, met, degraded=False, down=False) is Grade.DOWN
    assert judge(rule, not_met, degraded=False, down=False) is Grade.OK


def test_degraded_needs_as_many_answers_as_down() -> None:
    """The first answer decides; then three in a row above, two in a row below."""
    assert replay([5000.0])[0].degraded
    after = [
        health.degraded for health in replay([10.0, 5000.0, 5000.0, 10.0, 5000.0, 5000.0, 5000.0, 10.0, 10.0])
    ]
    assert after == [False, False, False, False, False, False, True, True, False]


def test_down_is_a_failed_check() -> None:
    """Three in a row take the endpoint out, with the reason; two good ones bring it back."""
    found = replay([10.0, 40000.0, 40000.0, 40000.0, 10.0, 10.0])
    assert [health.state for health in found] == [State.UP] * 3 + [State.DOWN] * 2 + [State.UP]
    assert found[3].reason == "replication_lag_ms is 40,000: down at > 30,000"
    assert found[3].signals[LAG].judged is Grade.DOWN


def test_hysteresis_of_degraded() -> None:
    """To leave, a value must be 10 % better than the threshold: 950 keeps it degraded, 900 does not."""
    assert [health.degraded for health in replay([5000.0, 950.0, 950.0, 950.0])][-1]
    assert not replay([5000.0, 900.0, 900.0])[-1].degraded


def test_hysteresis_of_down() -> None:
    """An endpoint that is down stays so while its signal is near the threshold."""
    assert replay([40000.0, 28000.0, 28000.0, 28000.0])[-1].state is State.DOWN
    assert replay([40000.0, 27000.0, 27000.0])[-1].state is State.UP


@given(st.lists(st.floats(910, 1090), min_size=1, max_size=60), st.booleans())
def test_dancing_about_the_threshold_changes_at_most_once(values: list[float], up_first: bool) -> None:
    """Whatever happens within the hysteresis' width, there is no way back."""
    first = 0.0 if up_first else 2000.0
    after = [health.degraded for health in replay([first, *values])]
    assert sum(now != before for before, now in pairwise(after)) <= 1


@pytest.mark.parametrize(
    ("missing", "state", "degraded"),
    [
        (WhenMissing.FAIL, State.DOWN, True),
        (WhenMissing.DEGRADED, State.UP, True),
        (WhenMissing.IGNORE, State.UP, False),
    ],
)
def test_missing(missing: WhenMissing, state: State, degraded: bool) -> None:
    """Three answers without the value; the last value and its age stay."""
    rule = SignalRule(LAG, "/db/lag_ms", Threshold(">", 1000.0), None, missing)
    health = replay([10.0, *[Missing("there is no /db/lag_ms")] * 3], rule)[-1]
    assert (health.state, health.degraded) == (state, degraded)
    assert (health.signals[LAG].value, health.signals[LAG].read_at) == (10.0, 0.0)
    if missing is WhenMissing.FAIL:
        assert health.reason == "replication_lag_ms: there is no /db/lag_ms"


def test_an_ignored_signal_that_never_came_is_unknown() -> None:
    """Nothing is believed of it; its first value decides."""
    rule = SignalRule(LAG, "/db/lag_ms", Threshold(">", 1000.0), None, WhenMissing.IGNORE)
    absent = Missing("the answer is not JSON")
    assert not replay([absent, absent], rule)[-1].signals
    assert replay([absent, 5000.0], rule)[-1].degraded


@pytest.mark.parametrize("value", ["fast", True])
def test_what_cannot_be_compared_is_missing(value: Value) -> None:
    """A text where a number should be fails the check as no value would."""
    health = replay([value])[0]
    assert health.state is State.DOWN
    assert health.reason == f"replication_lag_ms: {value_text(value)} cannot be compared"


def test_a_signal_without_thresholds_is_only_read() -> None:
    """Any value is fine."""
    for value in (1e9, True, "x"):
        health = replay([value], SignalRule(LAG, "/x"))[0]
        assert (health.state, health.signals[LAG].value, health.degraded) == (State.UP, value, False)


def test_a_check_that_fails_says_nothing_about_signals() -> None:
    """The last value stays, with its age; a signal that the rule no longer has goes."""
    before = replay([5000.0])[0]
    after = observe(before, HealthRule(signals=(RULE,)), Outcome(ok=False, reason="refused"), 99.0)
    assert after.signals == before.signals
    assert not observe(before, HealthRule(), Outcome(ok=True), 99.0).signals


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.sampled_from(COMPARISONS),
    NUMBERS,
    st.lists(NUMBERS | st.booleans() | st.text(max_size=5) | st.just(Missing("gone")), max_size=20),
    st.sampled_from(WhenMissing),
)
def test_any_values_are_judged(
    compare: str, bound: float, values: list[Value | Missing], missing: WhenMissing
) -> None:
    """Nothing raises, and down comes with a reason."""
    rule = SignalRule(LAG, "/x", Threshold(compare, bound), Threshold(compare, bound), missing)
    for health in replay(values, rule):
        assert health.state is not State.DOWN or health.reason


@given(NUMBERS, st.floats(0, 0.9), st.sampled_from([">", ">=", "<", "<="]), NUMBERS)
def test_hysteresis_only_holds(bound: float, hysteresis: float, compare: str, value: float) -> None:
    """What is bad without it is bad with it: easing never lets a signal go sooner."""
    rule = SignalRule(LAG, "/x", down=Threshold(compare, bound), hysteresis=hysteresis)
    if judge(rule, value, degraded=False, down=False) is Grade.DOWN:
        assert judge(rule, value, degraded=True, down=True) is Grade.DOWN
