"""What happened, for people: every event goes to the log, and the latest ones to `status`."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from georouter.telemetry.logs import event

log = logging.getLogger("georouter")

RECENT = 100
"""Events kept for `status`."""
LEVELS = {
    "region.down": logging.WARNING,
    "failover.blocked": logging.WARNING,
    "failover.promoting": logging.WARNING,
    "failover.refused": logging.WARNING,
    "failover.promotion_refused": logging.WARNING,
    "failover.promotion_unanswered": logging.WARNING,
    "failover.notice_failed": logging.WARNING,
    "failover.switched": logging.WARNING,
    "ramp.paused": logging.WARNING,
    "ramp.stepped_back": logging.WARNING,
    "alias.failing": logging.WARNING,
    "alias.resolved": logging.DEBUG,
    "override.dropped": logging.WARNING,
    "clock.set": logging.WARNING,
    "rerank.failed": logging.WARNING,
    "server.restart_needed": logging.WARNING,
    "server.small_receive_buffer": logging.WARNING,
    "policy.refused": logging.ERROR,
    "state.unsaved": logging.ERROR,
    "snapshot.published": logging.DEBUG,
    "transfer.cut": logging.WARNING,
    "transfer.busy": logging.WARNING,
    "transfer.failed": logging.ERROR,
    "notify.refused": logging.WARNING,
    "notify.unanswered": logging.WARNING,
    "zone.serial_stands": logging.WARNING,
}
"""How loud an event is; the others are information."""

Hear = Callable[[str, dict[str, object]], None]
"""Takes an event's name and its fields."""


class Journal:
    """One daemon's events; `hear` is told each of them, too."""

    def __init__(self, hear: Hear, wall: Callable[[], float] = time.time) -> None:
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        """`at` (Unix seconds), `event` and `text` of the latest ones, the last one last."""
        self._hear = hear
        self._wall = wall

    def tell(self, name: str, /, **fields: object) -> None:
        """One event; `control.outlets.Tell`."""
        level = LEVELS.get(name, logging.INFO)
        event(log, name, level=level, **cast("dict[str, Any]", fields))
        if level != logging.DEBUG:
            text = ", ".join(
                f"{key} {_words(value)}" for key, value in fields.items() if _worth_saying(key, value)
            )
            self.recent.append({"at": self._wall(), "event": name, "text": text})
        self._hear(name, fields)


def _worth_saying(key: str, value: object) -> bool:
    """Whether a field belongs into the one line of `status` (the log has them all)."""
    return key != "problems" and value not in (None, (), [])


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
