"""For how long has the event loop stood still? A late heartbeat is the measure."""

import asyncio

BEAT_S = 0.1
TOLERANCE_S = 0.02
"""Lateness that is ordinary scheduling."""


class StallMeter:
    """Counts the seconds in which nothing on the loop could run."""

    def __init__(self) -> None:
        self._total_s = 0.0
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def total_s(self) -> float:
        """All stalls so far, the one that is just ending included."""
        if self._handle is None:
            return self._total_s
        return self._total_s + _late_s(asyncio.get_running_loop().time(), self._due)

    def start(self) -> None:
        """Begin to beat on the running loop; nothing if it beats already."""
        if self._handle is None:
            self._schedule()

    def stop(self) -> None:
        """Beat no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + BEAT_S
        self._handle = loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        self._total_s += _late_s(asyncio.get_running_loop().time(), self._due)
        self._schedule()


def _late_s(now: float, due: float) -> float:
    late_s = now - due
    return late_s if late_s > TOLERANCE_S else 0.0
