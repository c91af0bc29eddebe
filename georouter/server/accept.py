"""Takes TCP connections from the kernel, a few at a time, and outlives running out of descriptors.

asyncio's own server takes the whole backlog in one go before anybody may refuse a connection (1,024
descriptors past every limit), and when descriptors run out it says so once per waiting connection,
with a traceback each. This one says it now and then, asks for room, and tries again a little later;
connections wait in the kernel's backlog meanwhile.
"""

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from socket import socket

log = logging.getLogger(__name__)

TURN = 32
"""Connections taken before others on the loop get their turn: how far a limit of them may be passed."""
WAITING = 4096
"""More than a backlog holds (net.core.somaxconn)."""
RETRY_S = 0.1
"""How long to leave the backlog alone when a connection could not be taken."""
COMPLAIN_EVERY_S = 10.0
"""At most one log record in this time, however much fails."""

_NOTHING_THERE = (BlockingIOError, InterruptedError)
_NETWORK = frozenset(
    {
        errno.ECONNABORTED,
        errno.EPERM,  # a firewall's word
        errno.EPROTO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ENOPROTOOPT,
        errno.EOPNOTSUPP,
    }
)
"""What accept(2) passes on of a connection that is gone already: the next one may be fine."""


class Acceptor:
    """Gives every connection of `listener` to `take`, from `start` to `close`.

    `make_room` is asked to give a descriptor back when there is none left.
    """

    def __init__(
        self,
        listener: socket,
        take: Callable[[socket, str], None],
        make_room: Callable[[], None],
    ) -> None:
        self._listener = listener
        self._take = take
        self._make_room = make_room
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._complain_at = 0.0

    def start(self) -> None:
        """Begin, or go on after a pause."""
        self._retry = None
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def take_waiting(self) -> int:
        """Take everybody who waits now, `WAITING` at most; how many there were."""
        taken = 0
        while taken < WAITING and self._listener.fileno() >= 0:
            try:
                connection, peer = self._listener.accept()
            except OSError as error:
                if error.errno in _NETWORK:
                    continue
                break
            connection.setblocking(False)
            self._take(connection, peer[0])
            taken += 1
        return taken

    def close(self) -> None:
        """Take no more, and close the listener: whoever waits in the backlog is reset, unless somebody else
        holds the listener too.
        """
        if self._listener.fileno() < 0:
            return
        self._loop.remove_reader(self._listener.fileno())
        if self._retry is not None:
            self._retry.cancel()
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(TURN):
            try:
                connection, peer = self._listener.accept()
            except _NOTHING_THERE:
                return
            except OSError as error:
                if error.errno in _NETWORK:
                    continue
                self._pause(error)
                return
            connection.setblocking(False)
            self._take(connection, peer[0])

    def _pause(self, error: OSError) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._retry = self._loop.call_later(RETRY_S, self.start)
        self._make_room()
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAIN_EVERY_S
            log.warning(
                "a TCP connection could not be taken: %s; it is tried again, and UDP goes on", error.strerror
            )
