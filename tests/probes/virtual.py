"""An event loop whose clock jumps to the next timer: hours of schedule in milliseconds, no sleeps."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Item = TypeVar("Item")

START_S = 1_000_000.0
"""The loop's time at the beginning; like an uptime, not zero."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs without waiting. `stand_still` makes time pass while nothing can run."""

    def __init__(self) -> None:
        self.selector = _Jumping()
        super().__init__(self.selector)

    def time(self) -> float:
        """The virtual time, in seconds."""
        return self.selector.now

    def stand_still(self, seconds: float) -> None:
        """As a computation that blocks the loop would."""
        self.selector.now += seconds


class _Jumping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = START_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing will ever happen again")
            self.now += timeout
        return ready


def replay(scenario: Callable[[VirtualLoop], Awaitable[Item]]) -> Item:
    """Run `scenario` from beginning to end on a virtual loop; errors of its callbacks are errors."""
    loop = VirtualLoop()
    problems: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: problems.append(context))

    async def run() -> Item:
        return await scenario(loop)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        found = runner.run(run())
    assert not problems
    return found
