"""From endpoints' signals to their region's."""

import pytest

from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.facts.health import Health
from georouter.facts.readings import by_region, region_health
from georouter.facts.rules import HealthRule
from georouter.facts.signals import Grade, Signal, SignalRule, Threshold
from georouter.facts.world import Reading, State
from georouter.words.ids import CheckName, RegionName, SignalName

LAG = SignalName("lag")
EU = RegionName("eu")
ONE, TWO = (EndpointKey(EU, f"192.0.2.{number}", CheckName("db")) for number in (1, 2))
SHAPE = RegionShape(EU, (ONE, TWO, None))


def health(value: float, *, degraded: bool = False, state: State = State.UP) -> Health:
    """An endpoint that said this at 100."""
    judged = Grade.DOWN if state is State.DOWN else Grade.OK
    return Health(state, signals={LAG: Signal(value, 100.0, judged, degraded)})


def reading(first: Health, second: Health, compare: str = ">") -> Reading:
    """The region's."""
    rule = HealthRule(interval_s=5, signals=(SignalRule(LAG, "/lag", Threshold(compare, 50.0)),))
    return by_region([SHAPE], {ONE: first, TWO: second}, {ONE: rule, TWO: rule})[EU][LAG]


@pytest.mark.parametrize(("compare", "worst"), [(">", 20.0), ("<", 10.0)])
def test_the_worst_endpoint_counts(compare: str, worst: float) -> None:
    """The largest value, or the smallest where small is bad."""
    assert reading(health(10.0), health(20.0), compare).value == worst


def test_what_is_believed_comes_before_the_value() -> None:
    """A degraded endpoint is worse than one with a higher value a moment ago."""
    found = reading(health(10.0, degraded=True), health(20.0))
    assert (found.value, found.grade) == (10.0, Grade.DEGRADED)


def test_an_endpoint_that_is_down_lets_the_others_speak() -> None:
    """Unless all are down."""
    dead = health(90.0, state=State.DOWN)
    assert reading(dead, health(20.0)).value == 20.0
    assert (reading(dead, dead).value, reading(dead, dead).grade) == (90.0, Grade.DOWN)


def test_a_reading_grows_old() -> None:
    """After four intervals it says nothing; a clock that was set back makes nothing fresh for ever."""
    found = reading(health(10.0), health(20.0))
    assert [found.is_fresh(now) for now in (100.0, 120.0, 120.1, 79.0)] == [True, True, False, False]


def test_region_health() -> None:
    """The mean over endpoints that are not down; unchecked ones count in full."""
    degraded, fine, dead = health(1, degraded=True), health(1), health(1, state=State.DOWN)
    assert region_health(SHAPE, {ONE: fine, TWO: fine}) == 1.0
    assert region_health(SHAPE, {ONE: degraded, TWO: fine}) == pytest.approx(2.5 / 3)
    assert region_health(SHAPE, {ONE: degraded, TWO: dead}) == pytest.approx(0.75)
    assert region_health(RegionShape(EU, (ONE,)), {ONE: dead}) == 1.0
