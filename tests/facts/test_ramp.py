"""Ramps: steps in time, gates, the way back, orders, and what a restart keeps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts import ramp as machine
from georouter.facts.ramp import Glance, Ramp, RampOrder, RampPhase, RampRule
from georouter.facts.signals import Grade, SignalRule, Threshold
from georouter.facts.world import Effective, Reading
from georouter.words.ids import RegionName, ServiceName, SignalName

CANARY, STABLE = RegionName("canary"), RegionName("stable")
ERRORS = SignalName("error_rate")
RULE = RampRule(CANARY, 0.01, 1.0, 7200.0)
GATED = replace(
    RULE,
    degraded=(CANARY,),
    down=(STABLE,),
    signals=(SignalRule(ERRORS, "", Threshold(">", 0.02)),),
    back_after_s=600.0,
)
BEGIN = 1_760_000_000.0
UP = Glance(Effective.UP)


def said(errors: float | bool, at: float = BEGIN) -> Glance:
    """The canary is up and tells its error rate."""
    return Glance(Effective.UP, readings={ERRORS: Reading(errors, at, Grade.OK, 20.0)})


def after(rule: RampRule, ramp: Ramp, seconds: float, glance: Glance = UP, each: float = 1.0) -> Ramp:
    """Look every so many seconds."""
    now = ramp.at or BEGIN
    end = now + seconds
    while now <= end:
        fresh = {name: replace(item, read_at=now) for name, item in glance.readings.items()}
        seen = {CANARY: replace(glance, readings=fresh), STABLE: UP}
        ramp = machine.advance(rule, ramp, seen, now)
        now += each
    return ramp


def test_it_takes_its_time_in_equal_steps() -> None:
    """From 1 % to all within two hours, in 200 steps of half a percent; then it is done."""
    ramp = machine.begin(RULE, None, BEGIN)
    assert ramp.part == 0.01
    parts = set()
    for second in range(7300):
        ramp = machine.advance(RULE, ramp, {CANARY: UP, STABLE: UP}, BEGIN + second)
        parts.add(ramp.part)
    assert len(parts) == 201
    assert (ramp.phase, ramp.part) == (RampPhase.DONE, 1.0)
    half = after(RULE, machine.begin(RULE, None, BEGIN), 3600.0)
    assert half.part == pytest.approx(0.505, abs=0.005)


@given(st.lists(st.tuples(st.floats(-5000, 5000), st.booleans()), max_size=60), st.floats(0.5, 9000))
def test_the_part_only_grows_by_one_step_at_a_time(looks: list[tuple[float, bool]], over_s: float) -> None:
    """Whatever the clock does and however often the gate closes, until it steps back."""
    rule = replace(RULE, over_s=over_s)
    ramp, now = machine.begin(rule, None, BEGIN), BEGIN
    for by_s, well in looks:
        now += by_s
        seen = {CANARY: UP if well else Glance(Effective.DOWN), STABLE: UP}
        later = machine.advance(rule, ramp, seen, now)
        assert 0 <= later.part - ramp.part <= (rule.target - rule.start) / rule.steps + 1e-9
        assert well or later.part == ramp.part
        wake = machine.next_wake(rule, later)
        assert wake is None or wake >= now
        ramp = later


@pytest.mark.parametrize(
    ("canary", "stable", "why"),
    [
        (said(0.01), UP, ""),
        (Glance(Effective.DOWN), UP, "canary is down"),
        (Glance(Effective.DRAINED), UP, "canary is drained"),
        (Glance(Effective.UNKNOWN), UP, "nothing is known of canary yet"),
        (said(0.01), Glance(Effective.DRAINED), "stable is drained"),
        (said(0.01), Glance(Effective.UP, health=0.5), ""),
        (replace(said(0.01), health=0.5), UP, "canary is degraded"),
        (said(0.03), UP, "error_rate of canary is 0.03 (> 0.02)"),
        (said(0.01, BEGIN - 60), UP, "canary does not tell its error_rate"),
        (UP, UP, "canary does not tell its error_rate"),
        (said(True), UP, "error_rate of canary is true, which cannot be compared"),
    ],
)
def test_what_closes_the_gate(canary: Glance, stable: Glance, why: str) -> None:
    """Health of whom the rule names, signals beyond their threshold, and signals nobody tells."""
    seen = {CANARY: canary, STABLE: stable}
    assert machine.gate(GATED, seen, BEGIN, closed=False) == why
    ramp = machine.advance(GATED, machine.begin(GATED, None, BEGIN), seen, BEGIN)
    assert (ramp.phase is RampPhase.PAUSED) == bool(why)
    assert ramp.why == why


def test_a_closed_gate_opens_with_some_ease() -> None:
    """A value that dances about the threshold opens nothing."""
    for errors, opens in ((0.0199, False), (0.0181, False), (0.0179, True)):
        closed = machine.gate(GATED, {CANARY: said(errors), STABLE: UP}, BEGIN, closed=True)
        assert (closed == "") is opens


def test_a_pause_costs_time_and_no_clients() -> None:
    """The part stays, and goes on from there as if nothing had been."""
    ramp = after(GATED, machine.begin(GATED, None, BEGIN), 1000.0, said(0.01))
    paused = after(GATED, ramp, 300.0, said(0.5))
    assert (paused.phase, paused.part, paused.step) == (RampPhase.PAUSED, ramp.part, ramp.step)
    assert machine.next_wake(GATED, paused) == paused.since + 600.0
    more = after(GATED, paused, 1001.0, said(0.01))
    assert (more.phase, more.part) == (RampPhase.RUNNING, pytest.approx(2 * ramp.part - 0.01, abs=0.006))


@pytest.mark.parametrize(("to", "part"), [(0.01, 0.01), (0.0, 0.0)])
def test_it_steps_back_where_the_gate_stays_closed(to: float, part: float) -> None:
    """After `after`, to where it is said; then it waits for an operator, and begins anew."""
    rule = replace(GATED, back_to=to)
    ramp = after(rule, machine.begin(rule, None, BEGIN), 2000.0, said(0.01))
    assert after(rule, ramp, 599.0, said(0.5)).phase is RampPhase.PAUSED
    back = after(rule, ramp, 602.0, said(0.5))
    assert (back.phase, back.part) == (RampPhase.STEPPED_BACK, part)
    assert back.why == "error_rate of canary is 0.5 (> 0.02), for 600 s"
    assert after(rule, back, 100.0, said(0.01)).part == part
    again = machine.order(rule, back, RampOrder.RESUME, "ada asked for it", back.since + 100)
    assert (again.phase, again.part, again.step) == (RampPhase.RUNNING, 0.01, 0)


def test_orders() -> None:
    """Pause and resume keep the part, abort takes it, complete gives all; what makes no sense is refused."""
    ramp = after(RULE, machine.begin(RULE, None, BEGIN), 1000.0)
    now = BEGIN + 1000
    held = machine.order(RULE, ramp, RampOrder.PAUSE, "ada asked for it: x", now)
    assert (held.phase, held.part, held.why) == (RampPhase.HELD, ramp.part, "ada asked for it: x")
    assert after(RULE, held, 500.0).part == ramp.part
    assert machine.order(RULE, held, RampOrder.RESUME, "", now).part == ramp.part
    gone = machine.order(RULE, held, RampOrder.ABORT, "y", now)
    assert (gone.phase, gone.part) == (RampPhase.ABORTED, 0.0)
    whole = machine.order(RULE, gone, RampOrder.COMPLETE, "z", now)
    assert (whole.phase, whole.part) == (RampPhase.DONE, 1.0)
    refused = {
        RampOrder.PAUSE: (held, gone, whole),
        RampOrder.RESUME: (ramp, whole),
        RampOrder.ABORT: (gone,),
        RampOrder.COMPLETE: (whole,),
    }
    for order, states in refused.items():
        for state in states:
            with pytest.raises(ValueError, match="the ramp is"):
                machine.order(RULE, state, order, "", now)


@pytest.mark.parametrize(
    ("change", "part", "phase"),
    [
        ({}, 0.5, RampPhase.RUNNING),
        ({"over_s": 60.0}, 0.5, RampPhase.RUNNING),
        ({"start": 0.2}, 0.5, RampPhase.RUNNING),
        ({"start": 0.6}, 0.6, RampPhase.RUNNING),
        ({"target": 0.4}, 0.4, RampPhase.DONE),
        ({"region": STABLE}, 0.01, RampPhase.RUNNING),
    ],
)
def test_a_reload_keeps_who_has_moved(change: dict[str, object], part: float, phase: RampPhase) -> None:
    """Unless the policy wants fewer, or another region."""
    before = Ramp(CANARY, RampPhase.RUNNING, 0.5, 99, BEGIN, BEGIN)
    found = machine.begin(replace(RULE, **change), before, BEGIN + 5)  # type: ignore[arg-type]
    assert part - 1e-9 <= found.part <= part + 0.017
    assert found.phase is phase


def test_a_larger_target_goes_on() -> None:
    """What was done at 40 % runs again when the policy wants all; what was aborted stays so."""
    done = Ramp(CANARY, RampPhase.DONE, 0.4, 200, BEGIN, BEGIN)
    assert machine.begin(RULE, done, BEGIN).phase is RampPhase.RUNNING
    aborted = Ramp(CANARY, RampPhase.ABORTED, 0.0, 0, BEGIN, BEGIN)
    assert machine.begin(RULE, aborted, BEGIN) == aborted


def test_a_restart_ends_nothing_sooner() -> None:
    """What is saved is read as it was, and the time of the stop does not count."""
    ramp = after(GATED, machine.begin(GATED, None, BEGIN), 1000.0, said(0.01))
    name, read = machine.decode(machine.encode(ServiceName("web"), ramp))
    assert (name, read) == ("web", replace(ramp, at=None))
    assert machine.next_wake(GATED, read) is None
    later = machine.advance(GATED, read, {CANARY: said(0.01, BEGIN + 9e4), STABLE: UP}, BEGIN + 9e4)
    assert (later.part, later.waited_s) == (ramp.part, ramp.waited_s)


@pytest.mark.parametrize(
    "change",
    [{"part": 1.5}, {"part": True}, {"phase": "mad"}, {"step": -1}, {"since": float("nan")}, {"region": 3}],
)
def test_what_was_not_written_is_not_read(change: dict[str, object]) -> None:
    """A damaged entry is left out."""
    good = machine.encode(ServiceName("web"), Ramp(CANARY, RampPhase.RUNNING, 0.5, 99, BEGIN, BEGIN))
    with pytest.raises(ValueError, match="not a"):
        machine.decode({**good, **change})


def test_a_clock_that_is_set_moves_nothing() -> None:
    """All moments go along."""
    ramp = after(GATED, machine.begin(GATED, None, BEGIN), 10.0, said(0.5))
    moved = machine.move(ramp, 3600.0)
    assert (moved.since, moved.at, moved.bad_since) == (
        ramp.since + 3600,
        (ramp.at or 0) + 3600,
        (ramp.bad_since or 0) + 3600,
    )


def test_the_view() -> None:
    """Plain values, with what is left while it runs."""
    ramp = after(RULE, machine.begin(RULE, None, BEGIN), 3600.0)
    shown = machine.view(RULE, ramp)
    assert (shown["phase"], shown["region"], shown["to"]) == ("running", "canary", 1.0)
    assert shown["left_s"] == pytest.approx(3600.0, abs=37)
    held = machine.order(RULE, ramp, RampOrder.PAUSE, "x", BEGIN)
    assert machine.view(RULE, held)["left_s"] is None


def test_while_nothing_is_believed_it_stands() -> None:
    """The time does not count, for a step or for stepping back."""
    first = Ramp(CANARY, RampPhase.PAUSED, 0.3, 3, 0.0, 90.0, at=100.0, waited_s=4.0, bad_since=95.0)
    later = machine.stand(first, 400.0)
    assert later == replace(first, at=400.0, bad_since=395.0)
    assert machine.stand(replace(first, at=None, bad_since=None), 400.0) == replace(
        first, at=400.0, bad_since=None
    )
