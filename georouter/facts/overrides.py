"""What operators forced: `Override`, who wanted it, why, and until when.

Rule 1. A region has at most one override; a new one replaces it.
Rule 2. An override acts from `starts_at` (None: at once) until just before `expires_at` (None: until it is
        cleared). While it waits for its start, answers are the usual ones, with lowered TTLs.
Rule 3. Nobody is anonymous and nothing is unexplained: author and reason are never empty.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from georouter.words.ids import RegionName

TEXT_LIMIT = 500
"""Characters of a reason or an author: they end up in logs, tables and the saved state."""


class OverrideKind(StrEnum):
    """What is forced on a region."""

    DRAIN = "drain"
    """No traffic while another region can take it; a region that is down stays down."""
    FORCE_UP = "force_up"
    FORCE_DOWN = "force_down"


@dataclass(frozen=True, slots=True)
class Override:
    """One operator's will about one region. Times are Unix seconds.

    Raises ValueError with a readable reason when it is not fit to act on.
    """

    kind: OverrideKind
    region: RegionName
    reason: str
    author: str
    created_at: float
    expires_at: float | None = None
    starts_at: float | None = None
    """None: at once."""

    def __post_init__(self) -> None:
        for what, text in (("region", self.region), ("reason", self.reason), ("author", self.author)):
            if not text.strip():
                raise ValueError(f"{what} must not be empty")
            if len(text) > TEXT_LIMIT or not text.isprintable():
                raise ValueError(f"{what} must be one line of at most {TEXT_LIMIT} printable characters")
        if not math.isfinite(self.created_at):
            raise ValueError("created_at must be a time in Unix seconds")
        if self.starts_at is not None and not math.isfinite(self.starts_at):
            raise ValueError("starts_at must be a time in Unix seconds")
        if self.expires_at is None:
            return
        begin = self.created_at if self.starts_at is None else max(self.starts_at, self.created_at)
        if not math.isfinite(self.expires_at) or self.expires_at <= begin:
            what = "created_at" if self.starts_at is None else "starts_at"
            raise ValueError(f"expires_at must be a time after {what}")

    def has_begun(self, now: float) -> bool:
        """Whether its time has come."""
        return self.starts_at is None or self.starts_at <= now


Overrides: TypeAlias = Mapping[RegionName, Override]


def add(overrides: Overrides, override: Override) -> Overrides:
    """`overrides` with `override` in place of what its region had."""
    return {**overrides, override.region: override}


def clear(overrides: Overrides, region: RegionName) -> Overrides:
    """`overrides` without what `region` had, if anything."""
    return {name: override for name, override in overrides.items() if name != region}


def alive(overrides: Overrides, now: float) -> Overrides:
    """Those whose time is not over at `now`: they act, or will."""
    return {
        name: override
        for name, override in overrides.items()
        if override.expires_at is None or now < override.expires_at
    }


def active(overrides: Overrides, now: float) -> Overrides:
    """Those that act at `now`."""
    return {name: item for name, item in alive(overrides, now).items() if item.has_begun(now)}


def pending(overrides: Overrides, now: float) -> Overrides:
    """Those that will act later."""
    return {name: item for name, item in alive(overrides, now).items() if not item.has_begun(now)}


def move(overrides: Overrides, by_s: float, now: float) -> Overrides:
    """As they are once the wall clock was set ahead by `by_s`: they act as long as they would have.

    `now` is the time before. Those from after it were made by a clock that was right, in another life of
    this process: what was wrong is what is put right now, and they stay.
    """
    return {
        name: override if override.created_at > now else _moved(override, by_s)
        for name, override in overrides.items()
    }


def _moved(override: Override, by_s: float) -> Override:
    if override.expires_at is None and override.starts_at is None:
        return override
    return replace(
        override,
        created_at=override.created_at + by_s,
        expires_at=None if override.expires_at is None else override.expires_at + by_s,
        starts_at=None if override.starts_at is None else override.starts_at + by_s,
    )


def next_change(overrides: Overrides, now: float) -> float | None:
    """When the next of them begins or ends by itself; None if none will."""
    times = [override.expires_at for override in active(overrides, now).values()]
    times += [override.starts_at for override in pending(overrides, now).values()]
    return min((time for time in times if time is not None), default=None)


def encode(override: Override) -> dict[str, str | float | None]:
    """As JSON would hold it; `decode` is the inverse."""
    return {
        "kind": override.kind.value,
        "region": override.region,
        "reason": override.reason,
        "author": override.author,
        "created_at": override.created_at,
        "expires_at": override.expires_at,
        "starts_at": override.starts_at,
    }


def decode(value: object) -> Override:
    """The override in a decoded JSON value. ValueError says what is wrong with it."""
    if not isinstance(value, Mapping):
        raise ValueError("an override must be an object")  # noqa: TRY004 -- one error type for callers
    unknown = set(value) - set(Override.__slots__)
    if unknown:
        raise ValueError(f"unknown key {min(map(str, unknown))!r} in an override")
    kind = _text(value, "kind")
    if kind not in tuple(OverrideKind):
        raise ValueError(f"kind must be one of {', '.join(OverrideKind)}, not {kind!r}")
    expires_at, starts_at = value.get("expires_at"), value.get("starts_at")
    return Override(
        kind=OverrideKind(kind),
        region=RegionName(_text(value, "region")),
        reason=_text(value, "reason"),
        author=_text(value, "author"),
        created_at=_time(value.get("created_at"), "created_at"),
        expires_at=None if expires_at is None else _time(expires_at, "expires_at"),
        starts_at=None if starts_at is None else _time(starts_at, "starts_at"),
    )


def _text(value: Mapping[str, object], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(f"{key} must be a text")  # noqa: TRY004 -- one error type for callers
    return text


def _time(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} must be a time in Unix seconds")  # noqa: TRY004 -- as in `_text`
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{key} must be a time in Unix seconds") from error
