"""`Prober`: keeps asking every target at its pace and reports what came of it.

    set_targets --> waiting --(due)--> in line --(a slot is free)--> asking --(result)--> emit
                       ^                                                                   |
                       '------------------ next_start, moved to the target's grid ---------'

Every target runs on its own timer and task; nothing that one of them does delays another, except
that no more than `limit` probes are under way at a time.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import UNKNOWN, Health, confirming, next_start, observe
from georouter.facts.world import State
from georouter.probes.ask import Asker
from georouter.probes.courses import GRACE_S, Course, Courses
from georouter.probes.stagger import align, phase
from georouter.probes.stall import StallMeter
from georouter.probes.target import Blame, ProbeResult, Target

EXCUSED_IN_A_ROW = 2
"""Timeouts during stalls of our own loop that are repeated instead of believed; the next one counts."""

BATCH = 20
"""Probes of the first round that start in one turn of the loop: a thousand TLS handshakes in lockstep
(0.4 ms of computing each) would all take as long as the last of them."""


class Asks(Protocol):
    """What the prober needs of an `Asker`."""

    async def ask(self, target: Target) -> ProbeResult:
        """One probe."""


class Prober:
    """Probes targets on the running event loop.

    `emit` gets every result that says something about an endpoint, on the loop, in the order in
    which they ended. `clock` gives the Unix seconds that stand in results. `limit` bounds probes
    under way: a thousand targets that all swallow connections keep about 800 busy while they
    are confirmed, and a socket costs little, but stay below the process' limit of open files.
    """

    def __init__(
        self,
        emit: Callable[[ProbeResult], None],
        clock: Callable[[], float] = time.time,
        *,
        limit: int = 500,
        asker: Asks | None = None,
    ) -> None:
        self._emit = emit
        self._stalls = StallMeter()
        self._asker = asker or Asker(clock, self._stalls.total_s)
        self._slots = asyncio.Semaphore(limit)
        self._courses = Courses[EndpointKey, _Course](self._run)
        self.excused = 0
        """Probes so far that failed for reasons of our own (no files left, the loop stood still)."""

    def set_targets(self, targets: Iterable[Target], healths: Mapping[EndpointKey, Health]) -> None:
        """Probe exactly `targets` from now on. Needs a running loop.

        Targets that did not change keep their schedule; a changed one starts over with what is
        believed of it. `healths` is what is believed of targets that are new here.
        """
        wanted = {target.key: target for target in targets}
        known = dict(healths)
        for key in [key for key, course in self._courses.items() if wanted.get(key) != course.target]:
            known[key] = self._courses.drop(key).health
        for key, target in wanted.items():
            if key not in self._courses:
                course = self._courses[key] = _Course(target, known.get(key, UNKNOWN))
                self._schedule(course, asyncio.get_running_loop().time() + target.rule.interval_s)
        if self._courses:
            self._stalls.start()
        else:
            self._stalls.stop()

    async def first_round(self, timeout_s: float) -> None:
        """Ask every target of which nothing is known, at once; back when all have reported.

        Or after `timeout_s` (and `GRACE_S`); what is under way then goes on.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s + GRACE_S
        asked: list[asyncio.Task[None]] = []
        for number, course in enumerate(self._unknown(), 1):
            if course.task is None and self._courses.get(course.target.key) is course:
                self._courses.start(course)
            if course.task is not None:
                asked.append(course.task)
            if number % BATCH == 0:
                await asyncio.sleep(0)
                if loop.time() >= deadline:
                    return
        if asked:
            await asyncio.wait(asked, timeout=deadline - loop.time())

    async def stop(self) -> None:
        """Stop everything; back when no probe is left."""
        self._stalls.stop()
        await self._courses.stop()

    def _unknown(self) -> list["_Course"]:
        return [course for course in self._courses.values() if course.health.state is State.UNKNOWN]

    def _schedule(self, course: "_Course", due: float) -> None:
        rule = course.target.rule
        now = asyncio.get_running_loop().time()
        if not confirming(course.health) and not course.excused:
            due = max(now, align(due, rule.interval_s, course.phase))
        self._courses.at(due, course)

    async def _run(self, course: "_Course") -> None:
        loop = asyncio.get_running_loop()
        async with self._slots:
            started = loop.time()
            result = await self._asker.ask(course.target)
        ended = loop.time()
        course.task = None
        rule = course.target.rule
        if _is_excused(result, course):
            self.excused += 1
            course.excused += 1
            hurry = course.excused <= EXCUSED_IN_A_ROW
            self._schedule(course, ended + (rule.confirm_interval_s if hurry else rule.interval_s))
            return
        course.excused = 0
        course.health = observe(course.health, rule, result, result.ended)
        self._schedule(course, next_start(course.health, rule, started, ended))
        self._emit(result)


def _is_excused(result: ProbeResult, course: "_Course") -> bool:
    if result.ok or result.blame is Blame.ENDPOINT:
        return False
    return result.blame is Blame.MEANS or course.excused < EXCUSED_IN_A_ROW


class _Course(Course):
    __slots__ = ("excused", "health", "phase", "target")

    def __init__(self, target: Target, health: Health) -> None:
        super().__init__()
        self.target = target
        self.health = health
        self.phase = phase(target.key)
        self.excused = 0
        """Probes in a row that failed for reasons of our own."""
