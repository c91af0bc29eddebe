"""Hostnames to addresses, without letting the system resolver hold anybody up.

Rule 1. Every lookup runs in a daemon thread of its own, one per hostname at a time: a hung one
        blocks neither the loop, nor other hostnames, nor the end of the process.
Rule 2. Addresses are used for `FRESH_S`. After that, where a lookup fails for a passing reason or
        takes longer than `PATIENCE_S`, the last ones serve on for up to `STALE_S`: a dead resolver
        beside us says nothing about the endpoints.
Rule 3. A name that definitely does not exist has no addresses.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Lookup: TypeAlias = Callable[[str], tuple[str, ...]]

FRESH_S = 10.0
PATIENCE_S = 0.5
STALE_S = 3600.0

_GONE = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: tuple[str, ...]
    at: float


class Resolver:
    """Looks up hostnames for the loop it is used in."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._lookup = lookup or _system_lookup
        self._known: dict[str, _Known] = {}
        self._pending: dict[str, asyncio.Future[OSError | None]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """IP addresses of `host` (itself, where it is one), best first. OSError when there are none."""
        if _is_address(host):
            return (host,)
        now = asyncio.get_running_loop().time()
        known = self._known.get(host)
        if known and now - known.at < FRESH_S:
            return known.addresses
        usable = known if known and now - known.at < STALE_S else None
        pending = self._pending.get(host) or self._start(host)
        if usable is None:
            error = await asyncio.shield(pending)
        else:
            done, _ = await asyncio.wait([pending], timeout=PATIENCE_S)
            error = pending.result() if done else None
        if error is not None and (usable is None or _is_gone(error)):
            raise error
        return self._known.get(host, usable or _Known((), 0)).addresses

    def _start(self, host: str) -> "asyncio.Future[OSError | None]":
        loop = asyncio.get_running_loop()
        pending = self._pending[host] = loop.create_future()

        def work() -> None:
            found: tuple[str, ...] | OSError
            try:
                found = self._lookup(host)
            except OSError as error:
                found = error
            except UnicodeError:
                found = socket.gaierror(socket.EAI_NONAME, "not a hostname")
            try:
                loop.call_soon_threadsafe(self._finish, host, found)
            except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
                return

        threading.Thread(target=work, name="resolve", daemon=True).start()
        return pending

    def _finish(self, host: str, found: tuple[str, ...] | OSError) -> None:
        pending = self._pending.pop(host)
        if isinstance(found, OSError):
            if _is_gone(found):
                self._known.pop(host, None)
        else:
            self._known[host] = _Known(found, asyncio.get_running_loop().time())
        if not pending.done():
            pending.set_result(found if isinstance(found, OSError) else None)


def _system_lookup(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(item[4][0]) for item in found))


def _is_gone(error: OSError) -> bool:
    return isinstance(error, socket.gaierror) and error.errno in _GONE


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
