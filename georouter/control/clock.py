"""Notices when the wall clock is set: years of error are put right in one step, in either direction.

Durations are safe from it where they are measured by a clock that nobody sets. What is kept as a moment
of the wall clock (the end of an override) must move with it.
"""

import time
from collections.abc import Callable

NOTICED_S = 2.0
"""A step from here on counts: more than NTP corrects gradually between two looks, a minute apart."""


def steady_time() -> float:
    """Seconds that go on while the machine sleeps, and that nobody sets (CLOCK_BOOTTIME of Linux)."""
    return time.clock_gettime(_STEADY)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Jumps:
    """Compares the two clocks."""

    def __init__(self, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._apart_s = wall() - steady()

    def look(self) -> float:
        """By how many seconds the wall clock was set ahead since the last look (behind: less than 0)."""
        apart_s = self._wall() - self._steady()
        step_s, self._apart_s = apart_s - self._apart_s, apart_s
        return step_s if abs(step_s) >= NOTICED_S else 0.0
