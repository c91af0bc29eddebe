"""Debug questions, taken out of the packet path and answered from elsewhere (`answers.debug`).

    worker or TCP: `respond` is silent ─► `take` ─► event loop: ask, for `PATIENCE_S` at most ─► send

Whoever took the query off the wire goes on at once. At most `MOST` questions wait; what comes then is
dropped, and counted. The event loop only passes them on: what is asked may take its time elsewhere.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable

from georouter.answers.debug import Inquiry, refused, told
from georouter.answers.layout import Proto
from georouter.answers.respond import Responder
from georouter.answers.tables import Answer

log = logging.getLogger(__name__)

MOST = 16
"""Questions under way, of all clients together."""
PATIENCE_S = 4.0
"""How long a client is kept waiting: dig asks again after 5 s."""
COMPLAIN_EVERY_S = 10.0
"""At most one log record in this time, however much fails."""

Send = Callable[[bytes], None]
"""Sends a whole message to who asked; called on the event loop. Raises OSError when it cannot."""


Know = Callable[[Inquiry, float], Awaitable[list[str]]]
"""Gives the lines of an answer. What has not begun at the second argument, on the event loop's clock, is
not wanted any more."""


class Aside:
    """Between the sockets and whoever knows. `start` and everything after it belongs to the event loop."""

    def __init__(self, know: Know) -> None:
        self.responder: Responder | None = None
        """Writes the messages, and counts them. Set on every publication."""
        self.answered = 0
        self.failed = 0
        self.dropped = 0
        self._know = know
        self._waiting = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._complain_at = 0.0

    def start(self) -> None:
        """Begin to take questions."""
        self._loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        """Take no more, and give up what is under way."""
        with self._lock:
            self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, query: bytes, source: int, family: int, proto: Proto, send: Send) -> bool:
        """Whether a query that `respond` was silent to gets an answer from here. Any thread may ask."""
        responder = self.responder
        if query[13:14] != b"_" or responder is None:
            return False
        inquiry = responder.inquiry(query, source, family)
        if inquiry is None:
            return False
        with self._lock:
            if self._loop is None:
                return False
            if self._waiting >= MOST:
                self.dropped += 1
                return False
            self._waiting += 1
            self._loop.call_soon_threadsafe(self._begin, inquiry, query, proto, send)
        return True

    def _begin(self, inquiry: Inquiry, query: bytes, proto: Proto, send: Send) -> None:
        task = asyncio.ensure_future(self._see_to(inquiry, query, proto, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to(self, inquiry: Inquiry, query: bytes, proto: Proto, send: Send) -> None:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        asking = asyncio.ensure_future(self._know(inquiry, until))
        try:
            await asyncio.wait({asking}, timeout=PATIENCE_S)
            self._send(self._outcome(asking), inquiry, query, proto, send)
            await asyncio.wait({asking})  # it has its place here until it is done
            asking.exception()
        finally:
            asking.cancel()
            with self._lock:
                self._waiting -= 1

    def _send(self, answer: Answer, inquiry: Inquiry, query: bytes, proto: Proto, send: Send) -> None:
        assert self.responder is not None  # noqa: S101 - `take` has looked
        message = self.responder.tell(query, inquiry.source, inquiry.family, proto, time.time(), answer)
        if message is not None:
            with contextlib.suppress(OSError):  # the kernel would not take it, or the client is gone
                send(message)

    def _outcome(self, asking: "asyncio.Future[list[str]]") -> Answer:
        if not asking.done():
            self.failed += 1
            return refused("no answer yet, something larger is under way: ask again later")
        error = asking.exception()
        if error is None:
            self.answered += 1
            return told(asking.result())
        self.failed += 1
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAIN_EVERY_S
            log.error("a debug question failed (%d so far)", self.failed, exc_info=error)
        return refused("the question could not be answered: the log says why")
