"""Courses: each on its own timer and task, and none left behind."""

import asyncio

from georouter.probes.courses import Course, Courses


class Desk:
    """Two courses, and what ran; one that is `slow` never ends by itself."""

    def __init__(self, *, slow: bool = False) -> None:
        self.courses = Courses[str, Course](self.run)
        self.slow = slow
        self.ran: list[Course] = []
        self.both = asyncio.Event()
        for key in ("one", "two"):
            self.courses[key] = Course()

    async def run(self, course: Course) -> None:
        """Ask once."""
        if self.slow:
            await asyncio.Event().wait()
        self.ran.append(course)
        course.task = None
        if len(self.ran) == 2:
            self.both.set()


def test_started_at_its_time_or_before() -> None:
    """A start ahead of time takes the place of the one that was due."""

    async def scene() -> None:
        desk = Desk()
        one, two = desk.courses.values()
        begin = asyncio.get_running_loop().time()
        desk.courses.at(begin + 0.02, one)
        desk.courses.at(begin + 3600.0, two)
        desk.courses.start(two)
        assert two.timer is None
        await desk.both.wait()
        assert desk.ran == [two, one]
        assert asyncio.get_running_loop().time() >= begin + 0.02

    asyncio.run(asyncio.wait_for(scene(), 5.0))


def test_nothing_is_left_behind() -> None:
    """What is dropped or stopped does not run on, and `stop` waits until that is so."""

    async def scene() -> None:
        desk = Desk(slow=True)
        one, two = desk.courses.values()
        desk.courses.start(one)
        desk.courses.at(asyncio.get_running_loop().time(), two)
        await asyncio.sleep(0)
        task = one.task
        assert desk.courses.drop("one") is one
        await desk.courses.stop()
        assert not desk.courses
        assert task is not None
        assert task.cancelled()
        assert two.task is None or two.task.cancelled()
        assert not desk.ran

    asyncio.run(asyncio.wait_for(scene(), 5.0))
