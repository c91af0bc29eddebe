"""What regions say of themselves: one reading per region and signal, from those of its endpoints.

Rule 1. A region with several endpoints shows its worst one: by what is believed of the signal, then by
        the value (the largest; the smallest where small values are the bad ones). Endpoints that are
        down say nothing while another one speaks.
Rule 2. A region's health is the mean share (1, or less while degraded) of its endpoints that are not down.
"""

from collections.abc import Iterable, Mapping

from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.facts.health import UNKNOWN, Health
from georouter.facts.rules import HealthRule
from georouter.facts.signals import STALE_INTERVALS, Grade, Signal, SignalRule, Value
from georouter.facts.world import Reading, Readings, State
from georouter.words.ids import SignalName


def grade(signal: Signal, state: State) -> Grade:
    """What is believed of a signal, for an endpoint in this state."""
    if signal.judged is Grade.DOWN and state is State.DOWN:
        return Grade.DOWN
    return Grade.DEGRADED if signal.degraded else Grade.OK


def by_region(
    shapes: Iterable[RegionShape],
    healths: Mapping[EndpointKey, Health],
    rules: Mapping[EndpointKey, HealthRule],
) -> Readings:
    """The readings of every region that has any."""
    found = {shape.name: of_region(shape, healths, rules) for shape in shapes}
    return {name: readings for name, readings in found.items() if readings}


def of_region(
    shape: RegionShape, healths: Mapping[EndpointKey, Health], rules: Mapping[EndpointKey, HealthRule]
) -> Mapping[SignalName, Reading]:
    """The readings of one region."""
    ranked: dict[SignalName, tuple[tuple[bool, int, float], Reading]] = {}
    for key in shape.endpoints:
        rule = None if key is None else rules.get(key)
        if key is None or rule is None:
            continue
        health = healths.get(key, UNKNOWN)
        for signal_rule in rule.signals:
            signal = health.signals.get(signal_rule.name)
            if signal is None or signal.value is None or signal.read_at is None:
                continue
            believed = grade(signal, health.state)
            stale_after_s = STALE_INTERVALS * max(rule.interval_s, rule.timeout_s)
            reading = Reading(signal.value, signal.read_at, believed, stale_after_s)
            badness = (health.state is not State.DOWN, _severity(believed), _bad(signal_rule, signal.value))
            known = ranked.get(signal_rule.name)
            if known is None or badness > known[0]:
                ranked[signal_rule.name] = (badness, reading)
    return {name: reading for name, (_, reading) in ranked.items()}


def region_health(shape: RegionShape, healths: Mapping[EndpointKey, Health]) -> float:
    """Graded health, above 0 and at most 1; 1 for a region that is down, which gets nothing anyway."""
    known = [UNKNOWN if key is None else healths.get(key, UNKNOWN) for key in shape.endpoints]
    shares = [health.share for health in known if health.state is not State.DOWN]
    return sum(shares) / len(shares) if shares else 1.0


def _severity(believed: Grade) -> int:
    return (Grade.OK, Grade.DEGRADED, Grade.DOWN).index(believed)


def _bad(rule: SignalRule, value: Value) -> float:
    if isinstance(value, str):
        return 0.0
    return -float(value) if rule.lower_is_worse else float(value)
