"""Beliefs folded into a `World`."""

import pytest

from georouter.facts.believe import acted_on, world
from georouter.facts.brake import Freeze
from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.facts.health import Health
from georouter.facts.latency import Latency
from georouter.facts.overrides import Override, OverrideKind, Overrides
from georouter.facts.world import Effective, State, World
from georouter.words.ids import CheckName, RegionName, ServiceName

EU, US = RegionName("eu"), RegionName("us")
FIRST = EndpointKey(EU, "192.0.2.1", CheckName("web"))
SECOND = EndpointKey(EU, "192.0.2.2", CheckName("web"))
SHAPES = (RegionShape(EU, (FIRST, SECOND)), RegionShape(US, (None,)))
WEB = ServiceName("web")


def believed(
    *states: State,
    override: Override | None = None,
    now: float = 100.0,
    latencies: dict[EndpointKey, Latency] | None = None,
    previous: World | None = None,
) -> World:
    """The world in which the endpoints of `eu` have these states."""
    overrides: Overrides = {override.region: override} if override else {}
    healths = {key: Health(state) for key, state in zip((FIRST, SECOND), states, strict=False)}
    return world(
        SHAPES,
        healths,
        latencies or {},
        overrides,
        last_known={WEB: {frozenset({US}): frozenset({US})}},
        now=now,
        previous=previous,
    )


@pytest.mark.parametrize(
    ("kind", "observed", "forced", "effective"),
    [
        (None, State.UP, None, Effective.UP),
        (None, State.UNKNOWN, None, Effective.UNKNOWN),
        (None, State.DOWN, None, Effective.DOWN),
        (OverrideKind.DRAIN, State.UP, Effective.DRAINED, Effective.DRAINED),
        (OverrideKind.DRAIN, State.UNKNOWN, Effective.DRAINED, Effective.DRAINED),
        (OverrideKind.DRAIN, State.DOWN, Effective.DRAINED, Effective.DOWN),
        (OverrideKind.FORCE_UP, State.UP, Effective.UP, Effective.UP),
        (OverrideKind.FORCE_UP, State.UNKNOWN, Effective.UP, Effective.UP),
        (OverrideKind.FORCE_UP, State.DOWN, Effective.UP, Effective.UP),
        (OverrideKind.FORCE_DOWN, State.UP, Effective.DOWN, Effective.DOWN),
        (OverrideKind.FORCE_DOWN, State.UNKNOWN, Effective.DOWN, Effective.DOWN),
        (OverrideKind.FORCE_DOWN, State.DOWN, Effective.DOWN, Effective.DOWN),
    ],
)
def test_forced_over_observed(
    kind: OverrideKind | None, observed: State, forced: Effective | None, effective: Effective
) -> None:
    """The table of the module; all three states are reported side by side."""
    override = Override(kind, EU, "because", "alice", 50.0) if kind else None
    facts = believed(observed, observed, override=override).regions[EU]
    assert (facts.observed, facts.forced, facts.effective) == (observed, forced, effective)


def test_an_expired_override_forces_nothing() -> None:
    """The world follows the clock, not the mapping it was given."""
    drain = Override(OverrideKind.DRAIN, EU, "because", "alice", 50.0, expires_at=100.0)
    assert believed(State.UP, override=drain, now=99.9).regions[EU].effective is Effective.DRAINED
    facts = believed(State.UP, override=drain, now=100.0).regions[EU]
    assert (facts.forced, facts.effective) == (None, Effective.UP)


def test_down_endpoints_are_named_whatever_is_forced() -> None:
    """A forced region still leaves out the endpoint that does not work."""
    forced = Override(OverrideKind.FORCE_UP, EU, "because", "alice", 50.0)
    facts = believed(State.UP, State.DOWN, override=forced).regions[EU]
    assert facts.endpoints_down == frozenset({1})
    assert facts.health == 1.0


def test_a_region_nobody_checks_is_up() -> None:
    """Its endpoint has no check, so nothing can say otherwise."""
    facts = believed(State.DOWN, State.DOWN).regions[US]
    assert (facts.observed, facts.effective, facts.endpoints_down) == (State.UP, Effective.UP, frozenset())


def test_overrides_of_strangers_change_nothing() -> None:
    """A region that a reload removed leaves no trace in the world."""
    stranger = Override(OverrideKind.DRAIN, RegionName("gone"), "because", "alice", 50.0)
    assert believed(State.UP, State.UP, override=stranger) == believed(State.UP, State.UP)


def test_the_round_trips_stay_the_same_object_while_nothing_matters() -> None:
    """`is` tells the control loop whether rankings must be compiled again."""
    first = believed(State.UP, latencies={FIRST: Latency(50.0)})
    second = believed(State.UP, latencies={FIRST: Latency(52.0)}, previous=first)
    third = believed(State.UP, latencies={FIRST: Latency(80.0)}, previous=second)
    assert first.rtt_ms == {EU: 50.0}
    assert second.rtt_ms is first.rtt_ms
    assert third.rtt_ms == {EU: 80.0}


def test_the_last_known_regions_are_passed_on() -> None:
    """What a service last answered with a region up is for the control loop to say."""
    assert believed(State.UP).last_known == {WEB: {frozenset({US}): frozenset({US})}}


@pytest.mark.parametrize(
    ("kind", "forced", "effective"),
    [
        (None, None, Effective.UP),
        (OverrideKind.DRAIN, Effective.DRAINED, Effective.DRAINED),
        (OverrideKind.FORCE_DOWN, Effective.DOWN, Effective.DOWN),
    ],
)
def test_a_freeze_stands_in_for_what_is_observed(
    kind: OverrideKind | None, forced: Effective | None, effective: Effective
) -> None:
    """It is reported all the same; overrides act on top, and endpoints are left out as before."""
    freeze = Freeze(90.0, 390.0, frozenset({EU}), 6, {FIRST: Health(State.UP), SECOND: Health(State.DOWN)})
    override = {EU: Override(kind, EU, "because", "alice", 50.0)} if kind else {}
    down = {key: Health(State.DOWN) for key in (FIRST, SECOND)}
    made = world(SHAPES, down, {FIRST: Latency(50.0)}, override, last_known={}, now=100.0, freeze=freeze)
    facts = made.regions[EU]
    assert (facts.observed, facts.forced, facts.effective) == (State.DOWN, forced, effective)
    assert facts.unforced is Effective.UP
    assert facts.endpoints_down == frozenset({1})
    assert (made.frozen_since, made.rtt_ms, made.suspects) == (90.0, {EU: 50.0}, frozenset())


def test_who_is_not_in_the_freeze_is_as_observed() -> None:
    """An endpoint that a reload brought."""
    freeze = Freeze(90.0, 390.0, frozenset({EU}), 6, {FIRST: Health(State.UP)})
    seen = {FIRST: Health(State.DOWN), SECOND: Health(State.DOWN)}
    assert acted_on(SHAPES, seen, freeze) == {FIRST: Health(State.UP), SECOND: Health(State.DOWN)}
    assert acted_on(SHAPES, {}, freeze) == {FIRST: Health(State.UP)}
    assert acted_on(SHAPES, seen, None) is seen
