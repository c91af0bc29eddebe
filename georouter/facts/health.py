"""Is an endpoint up? The state machine, and when to ask again.

Rule 1. Nothing is believed before it was asked: the state starts `unknown`, the first result decides.
Rule 2. `up` becomes `down` after `fall` failures in a row; one success in between starts over.
Rule 3. `down` becomes `up` after `rise` successes in a row; one failure in between starts over.
Rule 4. Checks run every `interval_s`, from start to start, one at a time per endpoint.
Rule 5. While an endpoint that is up has failures pending, the check repeats `confirm_interval_s`
        after the end of the last one, until the matter is decided. Recovery is not hurried: an
        endpoint comes back at the steady pace, so that one that flaps stays out.

Rules 4 and 5 bound how long a dead endpoint is answered. With the default settings one that refuses
connections is down within 5 + 2 * 0.5 = 6 s, one that swallows them within 5 + 3 * 2 + 2 * 0.5 = 12 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from georouter.facts.rules import HealthRule
from georouter.facts.signals import DEGRADED_FACTOR, Pace, Signal, Values, kept, read
from georouter.facts.world import State
from georouter.words.ids import SignalName

#              first result is a success              `rise` successes in a row
#            .---------------------------> up <------------------------------------.
#   unknown -|                              |                                       |
#            '---------------------------> down <-----------------------------------'
#              first result is a failure    (up: `fall` failures in a row)
#
#   state    result    contradicting so far    becomes
#   unknown  success   -                       up
#   unknown  failure   -                       down
#   up       success   -                       up, streak 0
#   up       failure   < fall                  up, streak + 1     (confirming: Rule 5)
#   up       failure   = fall                  down, streak 0
#   down     failure   -                       down, streak 0
#   down     success   < rise                  down, streak + 1
#   down     success   = rise                  up, streak 0


@dataclass(frozen=True, slots=True)
class Health:
    """What we believe of one endpoint.

    `streak` counts the latest results in a row that contradict `state`. `since` is when the state
    was entered and `checked_at` when the last result came, in Unix seconds (None: never). `reason`
    is the last failure's own words while it matters: not up, or failures pending.
    """

    state: State = State.UNKNOWN
    streak: int = 0
    since: float | None = None
    checked_at: float | None = None
    reason: str = ""
    signals: Mapping[SignalName, Signal] = field(default_factory=dict)
    """What good answers said of themselves, by signal."""

    @property
    def degraded(self) -> bool:
        """Whether some signal is."""
        return any(signal.degraded for signal in self.signals.values())

    @property
    def share(self) -> float:
        """What the weight of the endpoint is multiplied by: 1, or less while it is degraded."""
        return DEGRADED_FACTOR if self.degraded else 1.0


UNKNOWN = Health()


class Result(Protocol):
    """One answer to "does it work?": a probe's result, a test's, or anything else with these."""

    @property
    def ok(self) -> bool:
        """Whether the check passed."""

    @property
    def reason(self) -> str:
        """Why not, in a few words; empty when it passed."""

    @property
    def values(self) -> Values | None:
        """What the answer said of the check's signals; None when there was no answer to read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The plainest `Result`."""

    ok: bool
    reason: str = ""
    values: Values | None = None


def observe(health: Health, rule: HealthRule, result: Result, now: float) -> Health:
    """The belief after `result` arrived at `now` (Unix seconds). A signal may fail a result that passed."""
    ok, reason, signals = result.ok, "" if result.ok else result.reason, kept(rule.signals, health.signals)
    if ok and rule.signals:
        pace = Pace(rule.fall, rule.rise, now)
        signals, reason = read(
            rule.signals, signals, result.values or {}, pace, down=health.state is State.DOWN
        )
        ok = not reason
    streak = health.streak + 1
    if health.state is State.UNKNOWN or (
        ok != (health.state is State.UP) and streak >= (rule.rise if ok else rule.fall)
    ):
        return Health(State.UP if ok else State.DOWN, 0, now, now, reason, signals)
    if ok == (health.state is State.UP):
        return Health(health.state, 0, health.since, now, reason, signals)
    return Health(health.state, streak, health.since, now, reason or health.reason, signals)


def confirming(health: Health) -> bool:
    """Whether an endpoint that counts as up has failures that wait for confirmation."""
    return health.state is State.UP and health.streak > 0


def next_start(health: Health, rule: HealthRule, started: float, ended: float) -> float:
    """When the next check starts, given the belief after the one that ran from `started` to `ended`.

    All three times are on one clock, whichever. Never before `ended`; while confirming never later
    than the steady pace would ask.
    """
    steady = max(ended, started + rule.interval_s)
    if confirming(health):
        return min(steady, ended + rule.confirm_interval_s)
    return steady
