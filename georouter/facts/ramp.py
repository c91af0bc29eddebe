"""Ramps: a region gets a growing part of the client networks, as long as it does well.

    running --gate closes--> paused --gate opens--> running --all steps taken--> done
                               |
                               '--for `back_after_s`--> stepped_back      held, aborted, done: an operator

Rule 1. The part grows in equal steps, at most `MOST_STEPS` of them, and never by more than one at once,
        whatever the clock does.
Rule 2. Time counts only while the ramp runs: a pause, or a node that was off, ends nothing sooner.
Rule 3. A closed gate stops the part where it is. Where it stays closed for `back_after_s`, the part steps
        back to `back_to`, and stays there until an operator lets the ramp go on, from its beginning.
Rule 4. Whoever may not be read is not well: a signal without a fresh value closes the gate.
Rule 5. While the brake holds, nothing is known of anybody: the part stands, and no time counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from georouter.facts.signals import Grade, SignalRule, judge, kind_of, value_text
from georouter.facts.world import Effective, Ramping, Reading
from georouter.words.ids import RegionName, ServiceName, SignalName

MOST_STEPS = 200
"""A step of a ramp from 0 to 100 % is half a percent; every step is a publication."""
SHORTEST_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class RampRule:
    """What the policy says: `region` goes from the part `start` to `target` (0..1) within `over_s`.

    The gate is closed while the region is not up, while one of `down` is down or drained or one of
    `degraded` has less than full health, and while one of the region's `signals` meets its threshold.
    `back_after_s` None: it never steps back.
    """

    region: RegionName
    start: float
    target: float
    over_s: float
    degraded: tuple[RegionName, ...] = ()
    down: tuple[RegionName, ...] = ()
    signals: tuple[SignalRule, ...] = ()
    back_after_s: float | None = None
    back_to: float = 0.0

    @property
    def steps(self) -> int:
        """How many there are between `start` and `target`."""
        return max(1, min(MOST_STEPS, int(self.over_s / SHORTEST_STEP_S)))

    @property
    def watched(self) -> tuple[RegionName, ...]:
        """The regions that the gate looks at."""
        return tuple(dict.fromkeys((self.region, *self.degraded, *self.down)))

    def at(self, step: int) -> float:
        """The part after so many steps."""
        return self.start + (self.target - self.start) * step / self.steps


class RampPhase(StrEnum):
    """Where a ramp stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """By its gate."""
    HELD = "held"
    """By an operator."""
    STEPPED_BACK = "stepped_back"
    ABORTED = "aborted"
    DONE = "done"


class RampOrder(StrEnum):
    """What an operator may do."""

    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    """The region gets nobody while another one can answer."""
    COMPLETE = "complete"
    """The region gets the whole target, at once."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """How far it has come. Times are Unix seconds.

    `step` counts those taken, `waited_s` how long the ramp has run since the last of them. `at` is when
    somebody looked last, None after a start: what was before does not count. `bad_since` is when the gate
    closed, None while it is open.
    """

    region: RegionName
    phase: RampPhase
    part: float
    step: int
    started_at: float
    since: float
    at: float | None = None
    waited_s: float = 0.0
    bad_since: float | None = None
    why: str = ""

    @property
    def moves(self) -> bool:
        """Whether the part may change without anybody's doing."""
        return self.phase in {RampPhase.RUNNING, RampPhase.PAUSED}


@dataclass(frozen=True, slots=True)
class Glance:
    """One region now, as a gate sees it."""

    effective: Effective
    health: float = 1.0
    readings: Mapping[SignalName, Reading] = field(default_factory=dict)


def begin(rule: RampRule, before: Ramp | None, now: float) -> Ramp:
    """The ramp under a new policy: who has moved stays, unless it is another region's or wants fewer."""
    if before is None or before.region != rule.region:
        return Ramp(rule.region, RampPhase.RUNNING, rule.at(0), 0, now, now)
    if before.phase in {RampPhase.ABORTED, RampPhase.STEPPED_BACK}:
        return replace(before, part=min(before.part, rule.target))
    width = rule.target - rule.start
    step = math.ceil((before.part - rule.start) / width * rule.steps - 1e-9)
    step = max(0, min(rule.steps, step))
    part = min(max(before.part, rule.at(step)), rule.target)
    phase = before.phase
    if step == rule.steps:
        phase = RampPhase.DONE
    elif phase is RampPhase.DONE:
        phase = RampPhase.RUNNING
    return replace(
        before, step=step, part=part, phase=phase, since=before.since if phase is before.phase else now
    )


def advance(rule: RampRule, ramp: Ramp, glances: Mapping[RegionName, Glance], now: float) -> Ramp:
    """Let time and the gate act."""
    passed_s = 0.0 if ramp.at is None else max(0.0, now - ramp.at)
    ramp = replace(ramp, at=now)
    if not ramp.moves:
        return ramp
    problem = gate(rule, glances, now, closed=ramp.bad_since is not None)
    if problem:
        return _closed(rule, ramp, problem, now)
    if ramp.phase is RampPhase.PAUSED:
        return replace(ramp, phase=RampPhase.RUNNING, since=now, bad_since=None, why="")
    waited_s = ramp.waited_s + passed_s
    if waited_s < rule.over_s / rule.steps - 1e-6:
        return replace(ramp, waited_s=waited_s)
    step = ramp.step + 1
    after = replace(ramp, step=step, part=max(ramp.part, rule.at(step)), waited_s=0.0)
    return after if step < rule.steps else replace(after, part=rule.target, phase=RampPhase.DONE, since=now)


def stand(ramp: Ramp, now: float) -> Ramp:
    """Let time pass without acting, because what is seen is not believed."""
    passed_s = 0.0 if ramp.at is None else max(0.0, now - ramp.at)
    return replace(ramp, at=now, bad_since=None if ramp.bad_since is None else ramp.bad_since + passed_s)


def _closed(rule: RampRule, ramp: Ramp, problem: str, now: float) -> Ramp:
    since = now if ramp.bad_since is None else ramp.bad_since
    if rule.back_after_s is not None and now - since >= rule.back_after_s:
        part = min(ramp.part, rule.back_to)
        why = f"{problem}, for {now - since:.0f} s"
        return replace(ramp, phase=RampPhase.STEPPED_BACK, part=part, since=now, bad_since=None, why=why)
    if ramp.phase is RampPhase.PAUSED:
        return replace(ramp, why=problem)
    return replace(ramp, phase=RampPhase.PAUSED, since=now, bad_since=since, why=problem)


def order(rule: RampRule, ramp: Ramp, wish: RampOrder, said: str, now: float) -> Ramp:
    """What an operator wants; `said` is who and why. ValueError where it changes nothing."""
    match wish:
        case RampOrder.PAUSE:
            if not ramp.moves:
                raise ValueError(f"the ramp is {phase_text(ramp.phase)}: there is nothing to pause")
            return replace(ramp, phase=RampPhase.HELD, since=now, bad_since=None, why=said)
        case RampOrder.RESUME:
            if ramp.moves or ramp.phase is RampPhase.DONE:
                raise ValueError(f"the ramp is {phase_text(ramp.phase)}: there is nothing to resume")
            after = replace(
                ramp, phase=RampPhase.RUNNING, since=now, bad_since=None, waited_s=0.0, at=now, why=""
            )
            if ramp.phase is RampPhase.HELD:
                return after
            return replace(after, step=0, part=rule.start, started_at=now)
        case RampOrder.ABORT:
            if ramp.phase is RampPhase.ABORTED:
                raise ValueError("the ramp is aborted already")
            return replace(
                ramp, phase=RampPhase.ABORTED, part=0.0, step=0, since=now, bad_since=None, why=said
            )
        case RampOrder.COMPLETE:
            if ramp.phase is RampPhase.DONE:
                raise ValueError("the ramp is done already")
            return replace(
                ramp,
                phase=RampPhase.DONE,
                part=rule.target,
                step=rule.steps,
                since=now,
                bad_since=None,
                why=said,
            )


def gate(rule: RampRule, glances: Mapping[RegionName, Glance], now: float, *, closed: bool) -> str:
    """Why the ramp must not go on; empty when it may. While it is `closed`, thresholds are eased."""
    for name in dict.fromkeys((rule.region, *rule.down)):
        if glances[name].effective in {Effective.DOWN, Effective.DRAINED}:
            return f"{name} is {glances[name].effective.value}"
    if glances[rule.region].effective is Effective.UNKNOWN:
        return f"nothing is known of {rule.region} yet"
    for name in rule.degraded:
        if glances[name].health < 1.0:
            return f"{name} is degraded"
    readings = glances[rule.region].readings
    for signal in rule.signals:
        reading = readings.get(signal.name)
        if reading is None or not reading.is_fresh(now):
            return f"{rule.region} does not tell its {signal.name}"
        if signal.degraded is None or kind_of(reading.value) is not kind_of(signal.degraded.bound):
            return f"{signal.name} of {rule.region} is {value_text(reading.value)}, which cannot be compared"
        if judge(signal, reading.value, degraded=closed, down=False) is not Grade.OK:
            return f"{signal.name} of {rule.region} is {value_text(reading.value)} ({signal.degraded})"
    return ""


def next_wake(rule: RampRule, ramp: Ramp) -> float | None:
    """When time alone may change something (Unix seconds)."""
    if ramp.at is None:
        return None
    if ramp.phase is RampPhase.RUNNING:
        return ramp.at + max(0.0, rule.over_s / rule.steps - ramp.waited_s)
    if ramp.phase is RampPhase.PAUSED and rule.back_after_s is not None and ramp.bad_since is not None:
        return ramp.bad_since + rule.back_after_s
    return None


def move(ramp: Ramp, by_s: float) -> Ramp:
    """As it is once the wall clock was set ahead by `by_s`."""
    return replace(
        ramp,
        started_at=ramp.started_at + by_s,
        since=ramp.since + by_s,
        at=None if ramp.at is None else ramp.at + by_s,
        bad_since=None if ramp.bad_since is None else ramp.bad_since + by_s,
    )


def ramping(ramp: Ramp) -> Ramping:
    """What answers may know of it."""
    return Ramping(ramp.part, ramp.moves, phase_text(ramp.phase), ramp.why)


def phase_text(phase: RampPhase) -> str:
    """For people: `stepped back`."""
    return phase.value.replace("_", " ")


def view(rule: RampRule, ramp: Ramp) -> dict[str, Any]:
    """As plain data for `status`. Times are Unix seconds; `left_s` is None unless it runs."""
    running = ramp.phase is RampPhase.RUNNING
    left_s = (rule.steps - ramp.step) * rule.over_s / rule.steps - ramp.waited_s
    return {
        "region": ramp.region,
        "phase": ramp.phase.value,
        "part": round(ramp.part, 6),
        "from": rule.start,
        "to": rule.target,
        "over_s": rule.over_s,
        "started_at": ramp.started_at,
        "since": ramp.since,
        "left_s": round(max(0.0, left_s), 3) if running else None,
        "why": ramp.why,
    }


def encode(service: ServiceName, ramp: Ramp) -> dict[str, Any]:
    """As JSON would hold it."""
    return {
        "service": service,
        "region": ramp.region,
        "phase": ramp.phase.value,
        "part": ramp.part,
        "step": ramp.step,
        "started_at": ramp.started_at,
        "since": ramp.since,
        "waited_s": ramp.waited_s,
        "bad_since": ramp.bad_since,
        "why": ramp.why,
    }


def decode(value: object) -> tuple[ServiceName, Ramp]:
    """The inverse, but for when somebody looked last. ValueError for what `encode` would not have written."""
    match value:
        case {
            "service": str(service),
            "region": str(region),
            "phase": str(phase),
            "part": part,
            "step": int(step),
            "started_at": started_at,
            "since": since,
            "waited_s": waited_s,
            "bad_since": bad_since,
            "why": str(why),
        } if phase in tuple(RampPhase) and 0 <= step <= MOST_STEPS:
            found = Ramp(
                region=RegionName(region),
                phase=RampPhase(phase),
                part=_number(part),
                step=int(step),
                started_at=_number(started_at),
                since=_number(since),
                waited_s=_number(waited_s),
                bad_since=None if bad_since is None else _number(bad_since),
                why=why,
            )
            if 0.0 <= found.part <= 1.0 and found.waited_s >= 0.0:
                return ServiceName(service), found
    raise ValueError("not a ramp")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
        raise ValueError("not a number")
    return float(value)
