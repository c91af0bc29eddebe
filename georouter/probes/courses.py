"""What is asked again and again: a timer until it is due, a task while it is asked, for each target alone.

at --> waiting --(due, or `start`)--> running --> whoever runs says when next
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

GRACE_S = 0.1
"""A first round lasts this much longer than its time, so that what ran into it has reported."""


class Course:
    """One target's way through time."""

    __slots__ = ("task", "timer")

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None


Key = TypeVar("Key", bound=Hashable)
OneCourse = TypeVar("OneCourse", bound=Course)


class Courses(dict[Key, OneCourse]):
    """The courses by the keys of their targets. `run` asks once, sets `task` to None, and says when next."""

    def __init__(self, run: Callable[[OneCourse], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self._run = run
        self._ending: set[asyncio.Task[None]] = set()

    def at(self, due: float, course: OneCourse) -> None:
        """Start when the event loop's clock says `due`."""
        course.timer = asyncio.get_running_loop().call_at(due, self.start, course)

    def start(self, course: OneCourse) -> None:
        """Start now, whenever it would have been due."""
        if course.timer is not None:
            course.timer.cancel()
            course.timer = None
        course.task = asyncio.get_running_loop().create_task(self._run(course))

    def drop(self, key: Key) -> OneCourse:
        """Forget a target; what is under way for it is cancelled."""
        course = self.pop(key)
        if course.timer is not None:
            course.timer.cancel()
        if course.task is not None:
            course.task.cancel()
            self._ending.add(course.task)
            course.task.add_done_callback(self._ending.discard)
        return course

    async def stop(self) -> None:
        """Forget all; back when nothing is under way."""
        for key in list(self):
            self.drop(key)
        await asyncio.gather(*self._ending, return_exceptions=True)
