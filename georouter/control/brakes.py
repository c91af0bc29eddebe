"""The brake in the control loop: lets it take hold and let go, and tells of it."""

from georouter.control.beliefs import Beliefs
from georouter.control.events import BrakeReleased
from georouter.control.outlets import Outlets
from georouter.facts import brake
from georouter.facts.brake import FREE, Freeze, Release


class Brakes:
    """Owned by the control loop; changes `beliefs.brake`. What happens is told, counted, recorded, saved."""

    def __init__(self, beliefs: Beliefs, outlets: Outlets) -> None:
        self._beliefs, self._out = beliefs, outlets

    def advance(self, now: float) -> bool:
        """Let time and what was seen act; whether answers may have to change."""
        before = self._beliefs.brake.freeze
        released = self._beliefs.advance_brake(now)
        after = self._beliefs.brake.freeze
        self._out.metrics.braking(active=after is not None)
        if before is None and after is not None:
            self._out.metrics.brake_froze()
            fallen = sorted(after.fallen)
            self._out.tell("brake.frozen", fallen=fallen, of=after.of, seconds=round(after.until - now))
            self._out.record("brake.frozen", fallen=fallen, of=after.of, until=after.until)
            self._out.remember()
            return True
        if before is not None and released is not None:
            self._released(before, released, now)
            return True
        return False

    def release(self, asked: BrakeReleased, now: float) -> bool:
        """An operator trusts what this node sees; `asked.done` hears whether there was anything to end."""
        before = self._beliefs.brake.freeze
        if before is not None:
            self._beliefs.brake = FREE
            self._out.metrics.braking(active=False)
            self._released(before, Release.ASKED, now, author=asked.author, reason=asked.reason)
        if asked.done is not None and not asked.done.done():
            asked.done.set_result(None if before is not None else "answers are not frozen")
        return before is not None

    def clock_set(self, by_s: float) -> None:
        """The wall clock was set ahead by so much."""
        self._beliefs.brake = brake.move(self._beliefs.brake, by_s)

    def next_wake(self) -> float | None:
        """When time alone ends a freeze (Unix seconds)."""
        return brake.next_wake(self._beliefs.brake, self._beliefs.brake_rule)

    def _released(self, freeze: Freeze, why: Release, now: float, **who: str) -> None:
        seconds = round(now - freeze.since, 1)
        self._out.remember()
        self._out.tell("brake.released", because=why.value, seconds=seconds, **who)
        if why is not Release.ASKED:  # what operators do is recorded where they ask for it
            self._out.record("brake.released", because=why.value, seconds=seconds)
