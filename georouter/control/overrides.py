"""Overrides in the control loop: set, taken back, begun and ended by time, and told of."""

from collections.abc import Iterable

from georouter.control.beliefs import Beliefs
from georouter.control.events import OverrideCleared
from georouter.control.outlets import Outlets
from georouter.facts import overrides as book
from georouter.facts.overrides import Override
from georouter.telemetry.logs import utc_text


class Overrides:
    """Owned by the control loop; changes `beliefs.overrides`. What happens is told, counted, saved."""

    def __init__(self, beliefs: Beliefs, outlets: Outlets) -> None:
        self._beliefs, self._out = beliefs, outlets

    def adopt(self, lost: Iterable[Override], now: float) -> None:
        """A new policy is in use, which has no region for the overrides in `lost`."""
        for override in lost:
            self._out.tell("override.dropped", region=override.region, reason="the policy has no such region")
        self._changed(now)

    def force(self, override: Override, now: float) -> None:
        """An operator forces a region."""
        self._beliefs.overrides = book.add(self._beliefs.overrides, override)
        self._out.tell(
            "override.set",
            region=override.region,
            kind=override.kind.value,
            author=override.author,
            reason=override.reason,
            begin=utc_text(override.starts_at) if override.starts_at else None,
            until=utc_text(override.expires_at) if override.expires_at else None,
        )
        self._changed(now)

    def release(self, cleared: OverrideCleared, now: float) -> bool:
        """An operator takes an override back; whether there was one."""
        if cleared.region not in self._beliefs.overrides:
            return False
        self._beliefs.overrides = book.clear(self._beliefs.overrides, cleared.region)
        self._out.tell(
            "override.cleared", region=cleared.region, author=cleared.author, reason=cleared.reason or None
        )
        self._changed(now)
        return True

    def advance(self, now: float) -> bool:
        """Let time act; whether answers may have to change."""
        gone = self._beliefs.expire(now)
        for override in gone:
            self._out.tell("override.expired", region=override.region, kind=override.kind.value)
        begun = self._beliefs.begun(now)
        for override in begun:
            self._out.tell("override.begins", region=override.region, kind=override.kind.value)
        if gone or begun:
            self._changed(now)
        return bool(gone or begun)

    def clock_set(self, by_s: float, now: float) -> None:
        """The wall clock was set ahead by so much, to `now`: each acts for as long as it was meant to."""
        self._beliefs.overrides = book.move(self._beliefs.overrides, by_s, now - by_s)
        self._changed(now)

    def next_wake(self, now: float) -> float | None:
        """When time alone begins or ends one (Unix seconds)."""
        return book.next_change(self._beliefs.overrides, now)

    def _changed(self, now: float) -> None:
        active = book.active(self._beliefs.overrides, now).values()
        self._out.metrics.overrides((item.region, item.kind.value) for item in active)
        self._out.remember()
