"""Signals: what a good answer says of itself (replication lag, load, a role), judged by thresholds.

    value --judge--> ok, degraded or down --`fall` or `rise` in a row--> the signal is degraded, or not

Rule 1. `down` is met: the check has failed, and the health state machine counts it as any failure.
Rule 2. `degraded` or `down` is met `fall` times in a row: the signal is degraded, until neither is
        `rise` times in a row. The first value decides.
Rule 3. Hysteresis: while a signal is degraded its `degraded` threshold is eased by a share of itself,
        and while the endpoint is down so is `down`. A value that dances about a threshold changes nothing.
Rule 4. A value that is missing, or cannot be compared with the threshold, is judged as `missing` says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from georouter.words.ids import SignalName

DEGRADED_FACTOR = 0.5
"""What the weight (and the capacity) of an endpoint with a degraded signal is multiplied by."""

STALE_INTERVALS = 4
"""A value older than so many intervals of its check says nothing about now."""

Value: TypeAlias = float | bool | str


@dataclass(frozen=True, slots=True)
class Missing:
    """An answer without a usable value; `why` in a few words."""

    why: str


Values: TypeAlias = Mapping[SignalName, Value | Missing]
"""What one answer said, by signal."""


class Grade(StrEnum):
    """What a value means for its endpoint."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class WhenMissing(StrEnum):
    """How an answer without the value is judged."""

    FAIL = "fail"
    IGNORE = "ignore"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Threshold:
    """`> 1000`, `== true`. `compare` is one of `COMPARISONS`; texts and booleans know only == and !=."""

    compare: str
    bound: Value

    def __str__(self) -> str:
        return f"{self.compare} {value_text(self.bound)}"


COMPARISONS = (">=", "<=", "==", "!=", ">", "<")


@dataclass(frozen=True, slots=True)
class SignalRule:
    """One signal of a check. `path` is a JSON Pointer (RFC 6901); `hysteresis` is a share, 0 to 1."""

    name: SignalName
    path: str
    degraded: Threshold | None = None
    down: Threshold | None = None
    missing: WhenMissing = WhenMissing.FAIL
    hysteresis: float = 0.1

    @property
    def lower_is_worse(self) -> bool:
        """Whether small values are the bad ones."""
        threshold = self.down or self.degraded
        return threshold is not None and threshold.compare.startswith("<")


@dataclass(frozen=True, slots=True)
class Signal:
    """What we believe of one signal of an endpoint.

    `value` is the last one, read at `read_at` (Unix seconds; None: never). `judged` is what the last
    answer meant, `streak` how many in a row contradict `degraded`.
    """

    value: Value | None = None
    read_at: float | None = None
    judged: Grade = Grade.OK
    degraded: bool = False
    streak: int = 0


Signals: TypeAlias = Mapping[SignalName, Signal]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many results in a row change a mind, and when the latest one came (Unix seconds)."""

    fall: int
    rise: int
    now: float


def read(
    rules: Iterable[SignalRule], signals: Signals, values: Values, pace: Pace, *, down: bool
) -> tuple[Signals, str]:
    """The beliefs after an answer with `values`, and why it fails the check (empty: it does not).

    `down`: the endpoint is down now.
    """
    after: dict[SignalName, Signal] = {}
    failures: list[str] = []
    for rule in rules:
        before = signals.get(rule.name)
        value = values.get(rule.name, Missing("not asked for"))
        if not isinstance(value, Missing) and not _comparable(rule, value):
            value = Missing(f"{value_text(value)} cannot be compared")
        if isinstance(value, Missing) and rule.missing is WhenMissing.IGNORE:
            if before is not None:
                after[rule.name] = before
            continue
        after[rule.name] = made = _follow(before, rule, value, pace, down=down)
        if made.judged is Grade.DOWN:
            failures.append(_failure(rule, value))
    return after, "; ".join(failures)


def kept(rules: Iterable[SignalRule], signals: Signals) -> Signals:
    """What is believed after an answer that said nothing about signals: as before, without strangers."""
    return {rule.name: signals[rule.name] for rule in rules if rule.name in signals}


def judge(rule: SignalRule, value: Value, *, degraded: bool, down: bool) -> Grade:
    """What a comparable `value` means, for a signal that is `degraded` on an endpoint that is `down`."""
    if rule.down is not None and _met(rule.down, value, rule.hysteresis if down else 0.0):
        return Grade.DOWN
    if rule.degraded is not None and _met(rule.degraded, value, rule.hysteresis if degraded else 0.0):
        return Grade.DEGRADED
    return Grade.OK


def value_text(value: Value) -> str:
    """A value for people: `true`, `1,200`, `0.25`, `primary`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def _follow(
    before: Signal | None, rule: SignalRule, value: Value | Missing, pace: Pace, *, down: bool
) -> Signal:
    old = before or Signal()
    if isinstance(value, Missing):
        judged = Grade.DOWN if rule.missing is WhenMissing.FAIL else Grade.DEGRADED
        kept_value, read_at = old.value, old.read_at
    else:
        judged = judge(rule, value, degraded=old.degraded, down=down)
        kept_value, read_at = value, pace.now
    bad = judged is not Grade.OK
    streak = 0 if bad == old.degraded else old.streak + 1
    if before is None or streak >= (pace.fall if bad else pace.rise):
        return Signal(kept_value, read_at, judged, bad, 0)
    return Signal(kept_value, read_at, judged, old.degraded, streak)


def _failure(rule: SignalRule, value: Value | Missing) -> str:
    if isinstance(value, Missing):
        return f"{rule.name}: {value.why}"
    return f"{rule.name} is {value_text(value)}: down at {rule.down}"


def _comparable(rule: SignalRule, value: Value) -> bool:
    return all(
        kind_of(threshold.bound) is kind_of(value) for threshold in (rule.degraded, rule.down) if threshold
    )


def kind_of(value: Value) -> type:
    """What values can be compared: numbers, booleans, texts."""
    return type(value) if isinstance(value, bool | str) else float


def _met(threshold: Threshold, value: Value, ease: float) -> bool:
    """Whether `value` meets the threshold, moved by the share `ease` of itself towards the good side."""
    bound = threshold.bound
    if threshold.compare in {"==", "!="}:
        return (value == bound) == (threshold.compare == "==")
    number, limit = float(value), float(bound)
    match threshold.compare:
        case ">":
            return number > limit - ease * abs(limit)
        case ">=":
            return number >= limit - ease * abs(limit)
        case "<":
            return number < limit + ease * abs(limit)
        case _:
            return number <= limit + ease * abs(limit)
