"""`Refresher`: keeps asking for the addresses of alias targets, each when its TTL is over.

follow --> waiting --(due)--> in line --(a slot is free)--> asking --(replies)--> emit
              ^                                                                 |
              '------------------- next_in_s, and a little chance -------------'
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from georouter.facts.aliases import UNKNOWN, Reply, Target, next_in_s, observe
from georouter.facts.rules import AliasRule
from georouter.probes.courses import GRACE_S, Course, Courses

LIMIT = 20
"""Targets asked for at a time. Each takes a millisecond of computing, which answering has to wait for."""
JITTER = 0.1
"""Of the pause: added at random, never taken off, so that the resolver's own copy is over as well."""


class Asks(Protocol):
    """What the refresher needs of a `Stub`."""

    async def ask(self, name: bytes, owners: Collection[bytes]) -> dict[int, Reply]:
        """Both families."""


Emit = Callable[[bytes, Mapping[int, Reply]], None]


class Refresher:
    """Asks on the running event loop. `emit` gets every target with its replies, on the loop."""

    def __init__(
        self,
        emit: Emit,
        *,
        limit: int = LIMIT,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._emit = emit
        self._wall = wall
        self._chance = chance
        self._slots = asyncio.Semaphore(limit)
        self._stub: Asks | None = None
        self._rule = AliasRule()
        self._owners: frozenset[bytes] = frozenset()
        self._courses = Courses[bytes, _Course](self._run)

    def use(self, stub: Asks, rule: AliasRule) -> None:
        """Ask through `stub`, and go by `rule`, from now on."""
        self._stub, self._rule = stub, rule

    def follow(self, outside: Mapping[bytes, Collection[bytes]], beliefs: Mapping[bytes, Target]) -> None:
        """Ask for exactly these targets, each with the aliases that lead there. Needs a running loop.

        What is known keeps its schedule. `beliefs` is what is believed of targets that are new here.
        """
        self._owners = frozenset(owner for owners in outside.values() for owner in owners)
        for name in self._courses.keys() - outside.keys():
            self._courses.drop(name)
        for name in outside:
            if name not in self._courses:
                course = self._courses[name] = _Course(name, beliefs.get(name, UNKNOWN))
                self._schedule(course, self._left_s(course.belief))

    async def first_round(self, timeout_s: float) -> None:
        """Ask for every target of which nothing is known, at once; back when all have reported.

        Or after `timeout_s` (and `GRACE_S`); what is under way then goes on.
        """
        asked: list[asyncio.Task[None]] = []
        for course in self._courses.values():
            if not course.belief.known:
                if course.task is None:
                    self._courses.start(course)
                if course.task is not None:
                    asked.append(course.task)
        if asked:
            await asyncio.wait(asked, timeout=timeout_s + GRACE_S)

    async def ahead(self, outside: Mapping[bytes, Collection[bytes]], timeout_s: float) -> None:
        """Ask once for those of the targets that are not followed yet: before a policy needs them."""
        owners = self._owners.union(*outside.values())
        new = [name for name in outside if name not in self._courses]
        tasks = [asyncio.create_task(self._ask_ahead(name, owners)) for name in new]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout_s + GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Stop everything; back when nothing is left."""
        await self._courses.stop()

    async def _ask_ahead(self, name: bytes, owners: Collection[bytes]) -> None:
        self._emit(name, await self._ask(name, owners))

    async def _ask(self, name: bytes, owners: Collection[bytes]) -> dict[int, Reply]:
        async with self._slots:
            if self._stub is None:
                raise RuntimeError("a refresher needs a stub resolver")
            return await self._stub.ask(name, owners)

    def _left_s(self, belief: Target) -> float:
        """Until a belief from elsewhere has to be asked about again."""
        if belief.confirmed_at is None or belief.failures:
            return 0.0
        pause_s = next_in_s(belief, self._rule)
        if any(held.stale for held in belief.known.values()):
            return 0.0
        return min(pause_s, max(0.0, belief.confirmed_at + pause_s - self._wall()))

    def _schedule(self, course: "_Course", pause_s: float) -> None:
        pause_s *= 1 + JITTER * self._chance()
        self._courses.at(asyncio.get_running_loop().time() + pause_s, course)

    async def _run(self, course: "_Course") -> None:
        replies = await self._ask(course.name, self._owners)
        course.task = None
        course.belief = observe(course.belief, replies, self._rule, self._wall())
        self._schedule(course, next_in_s(course.belief, self._rule))
        self._emit(course.name, replies)


class _Course(Course):
    __slots__ = ("belief", "name")

    def __init__(self, name: bytes, belief: Target) -> None:
        super().__init__()
        self.name = name
        self.belief = belief
