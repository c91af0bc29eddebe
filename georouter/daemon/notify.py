"""Tells a supervisor how it goes: ready, reloading, stopping, a status line, and that the loop still turns.

The protocol is systemd's (sd_notify(3)): lines of KEY=VALUE in one datagram to the socket that
`$NOTIFY_SOCKET` names, and `$WATCHDOG_USEC` for how often it wants to hear. Without a supervisor nothing
is sent. Nothing here ever raises or waits long: a deaf supervisor is no reason to stop answering.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

SEND_TIMEOUT_S = 0.5
"""A supervisor that does not read for so long misses the message."""
PULSES_PER_TIMEOUT = 3
"""One pulse may be late and one lost before the supervisor's patience ends."""


class Notifier:
    """`address` is a path, `@name` for an abstract socket, or "" for nobody. `watchdog_s` is its patience."""

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s if address else None
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._reloads = 0
        self._status = ""

    def ready(self, status: str) -> None:
        """Queries are answered."""
        self._status = status
        self._send("READY=1", _status_line(status))

    def status(self, status: str) -> None:
        """One line for people; sent when it differs from the last."""
        if status != self._status:
            self._status = status
            self._send(_status_line(status))

    def reloading(self) -> None:
        """The supervisor asked for a reload; it waits until as many have ended by `reloaded`."""
        self._reloads += 1
        # the clock reading is for Type=notify-reload; others ignore it
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def reloaded(self, status: str) -> None:
        """A reload has ended, well or not; `status` says which."""
        self._reloads = max(0, self._reloads - 1)
        if self._reloads == 0:
            self.ready(status)

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    async def pulse(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Say that we live after every `turn` that comes back, until cancelled. Needs `watchdog_s`."""
        if self.watchdog_s is None:
            raise ValueError("nobody watches")
        while True:
            await turn()
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / PULSES_PER_TIMEOUT)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.settimeout(SEND_TIMEOUT_S)
                sock.sendto("\n".join(lines).encode(), self._address)
        except (OSError, ValueError):  # ValueError: an address with a zero byte in it
            return


def from_environment(environ: Mapping[str, str], pid: int) -> Notifier:
    """The supervisor that the environment of process `pid` names, if it names one."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or len(address) < 2:
        return Notifier()
    return Notifier(address, _watchdog_s(environ, pid))


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """`$WATCHDOG_USEC`, unless it is meant for another process (sd_watchdog_enabled(3))."""
    text, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if meant and meant != str(pid):
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or int(text) == 0:
        return None
    return int(text) / 1_000_000


def _status_line(status: str) -> str:
    return "STATUS=" + " ".join(status.split())
