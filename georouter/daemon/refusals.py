"""Answers that a residency fence refused, into the audit log: a line now and then, never one per query.

Rule 1. Every `LOOK_S` the packet path's counters are read, as a scrape reads them.
Rule 2. The first refusals of a service are written when they are seen; what follows within `QUIET_S` is
one line at its end.
Rule 3. What is not written yet is written at the end.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from georouter.answers.layout import REASONS, Layout, Reason
from georouter.telemetry.logs import utc_text
from georouter.telemetry.sums import Summer

LOOK_S = 10.0
"""How late the first line may be."""
QUIET_S = 300.0
"""A service whose clients are refused all day writes 288 lines."""
ACTION = "residency.refused"

Counters = Callable[[], Sequence[tuple[Layout, Sequence[int]]]]
"""As `telemetry.source.CounterSource.counters`."""


class Record(Protocol):
    """Writes a line of the audit log."""

    def __call__(self, action: str, **fields: object) -> None:
        """`action` was done, with these fields."""
        ...


@dataclass(slots=True)
class _Told:
    """One service: what its counter was, what of it is not written yet, and since when that is."""

    counted: int = 0
    waiting: int = 0
    since: float = 0.0
    quiet_until: float = 0.0


class Refusals:
    """`wall` is Unix time. Counters begin at 0 when this is made."""

    def __init__(self, counters: Counters, record: Record, wall: Callable[[], float]) -> None:
        self._counters = counters
        self._record = record
        self._wall = wall
        self._summer = Summer()
        self._services: dict[str, _Told] = {}
        self._looked_at = wall()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self, *, last: bool = False) -> None:
        """Read the counters and write the lines that are due; the `last` time all that are left."""
        now, services = self._wall(), self._services
        refused = self._refused()
        for name in [name for name in services if name not in refused]:
            self._write(name, services.pop(name), now)  # a reload took the service
        for name, count in refused.items():
            told = services.setdefault(name, _Told())
            # a service that was gone for a while counts from 0 again
            more = count - told.counted if count >= told.counted else count
            told.counted = count
            if more and not told.waiting:
                told.since = self._looked_at
            told.waiting += more
            # a clock that was set back must not silence anything
            if last or now >= told.quiet_until or now < told.quiet_until - QUIET_S:
                self._write(name, told, now)
        self._looked_at = now

    def _write(self, name: str, told: _Told, now: float) -> None:
        if not told.waiting:
            return
        self._record(ACTION, service=name, queries=told.waiting, since=utc_text(told.since))
        told.waiting, told.quiet_until = 0, now + QUIET_S

    def _refused(self) -> dict[str, int]:
        summed = self._summer.total(self._counters())
        if summed is None:
            return {}
        layout, counts = summed
        return {
            service.name: int(counts[service.base + len(service.regions) * REASONS + Reason.REFUSED])
            for service in layout.services
        }
