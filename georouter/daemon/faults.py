"""What asyncio tells when nobody else is there to hear it: said in our log, and not a thousand times."""

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from typing import Any

from georouter.telemetry.logs import event

log = logging.getLogger("georouter")

QUIET_S = 10.0
"""Between two reports of the same kind."""
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""asyncio reports these once for every connection that it cannot take."""


class Faults:
    """An exception handler for the event loop; see `asyncio.loop.set_exception_handler`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._quiet_until: dict[str, float] = {}

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report, unless the same was reported lately."""
        message, error = str(context.get("message")), context.get("exception")
        now = self._clock()
        if now < self._quiet_until.get(message, now):
            return
        self._quiet_until = {kind: until for kind, until in self._quiet_until.items() if until > now}
        self._quiet_until[message] = now + QUIET_S
        if isinstance(error, OSError) and error.errno in _SHORTAGES:
            event(log, "loop.shortage", level=logging.WARNING, what=message, error=error.strerror)
        else:
            event(log, "loop.fault", level=logging.ERROR, exc_info=error, what=message)
