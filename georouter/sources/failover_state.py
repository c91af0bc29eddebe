"""How far failovers have come, as JSON in the saved state: `encode`, and `decode` as its inverse."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any, TypeVar

from georouter.facts.failover import Failover, Kind, Notice, Phase, Reply, Sequence
from georouter.words.ids import RegionName, ServiceName

Word = TypeVar("Word", bound=StrEnum)

_TIMES = tuple(field.name for field in fields(Sequence) if field.name.endswith("_at"))


def encode(service: ServiceName, state: Failover) -> dict[str, Any]:
    """As JSON would hold it."""
    return {"service": service, **asdict(state)}


def decode(value: object) -> tuple[ServiceName, Failover]:
    """The inverse. ValueError says what is wrong."""
    entry = _object(value)
    return ServiceName(_text(entry, "service")), Failover(
        active=RegionName(_text(entry, "active")),
        phase=_word(entry, "phase", Phase),
        since=_time(entry.get("since"), "since"),
        why=_text(entry, "why"),
        sequence=_sequence(entry.get("sequence")),
        last=_sequence(entry.get("last")),
        left=_times(entry.get("left"), "left"),
        up_since=_times(entry.get("up_since"), "up_since"),
    )


def _sequence(value: object) -> Sequence | None:
    if value is None:
        return None
    entry = _object(value)
    times: dict[str, Any] = {
        name: None if entry.get(name) is None else _time(entry[name], name) for name in _TIMES
    }
    detected_at = times.pop("detected_at")
    if detected_at is None:
        raise ValueError("detected_at is missing")
    target = entry.get("target")
    by_hand = entry.get("by_hand")
    if not isinstance(by_hand, bool):
        raise ValueError("by_hand is not true or false")  # noqa: TRY004 - one error type for callers
    return Sequence(
        kind=_word(entry, "kind", Kind),
        origin=RegionName(_text(entry, "origin")),
        why=_text(entry, "why"),
        detected_at=detected_at,
        target=None if target is None else RegionName(_text(entry, "target")),
        reply=None if entry.get("reply") is None else _word(entry, "reply", Reply),
        said=_text(entry, "said"),
        notice=_word(entry, "notice", Notice),
        by_hand=by_hand,
        attempt=_count(entry, "attempt"),
        asked=_count(entry, "asked"),
        **times,
    )


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error type for callers
    return value


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a text")  # noqa: TRY004 - as above
    return value


def _word(entry: Mapping[str, object], key: str, words: type[Word]) -> Word:
    value = _text(entry, key)
    if value not in tuple(words):
        raise ValueError(f"{key} is none of {', '.join(words)}: {value!r}")
    return words(value)


def _count(entry: Mapping[str, object], key: str) -> int:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is not a count")
    return value


def _times(value: object, what: str) -> dict[RegionName, float]:
    return {RegionName(name): _time(at, what) for name, at in _object(value).items()}


def _time(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e18:
        raise ValueError(f"{what} is not a time")
    if not math.isfinite(value):
        raise ValueError(f"{what} is not a time")
    return float(value)
