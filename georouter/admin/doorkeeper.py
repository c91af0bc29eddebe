"""How many may stand in the door, and for how long: connection limits round the HTTP protocol.

    connect --headers within HEADER_TIMEOUT_S--> request --next one within REQUEST_TIMEOUT_S--> request ...

A connection that misses its time is cut: it may be sending its headers byte by byte, or not reading
its answer. Idle kept-alive connections are closed earlier by the HTTP server.
"""

import asyncio
from collections.abc import Callable

HEADER_TIMEOUT_S = 10.0
"""From connecting to the end of the first request's headers."""
REQUEST_TIMEOUT_S = 60.0
"""From one request's headers to the next one's: body, work and answer. A slow reload takes seconds."""
MAX_CONNECTIONS = 128
"""Far above what people, scrapers and load balancer checks need; one more is cut at once."""


class Doorkeeper:
    """Counts connections and watches their time."""

    def __init__(
        self,
        *,
        max_connections: int = MAX_CONNECTIONS,
        header_timeout_s: float = HEADER_TIMEOUT_S,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._max_connections = max_connections
        self._header_timeout_s = header_timeout_s
        self._request_timeout_s = request_timeout_s
        self._deadlines: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}

    def factory(self, inner: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """A protocol factory for `loop.create_server` whose connections are watched."""
        return lambda: _Watched(self, inner())

    def admit(self, transport: asyncio.Transport) -> bool:
        """A connection came. False when there are too many: it has been cut."""
        if len(self._deadlines) >= self._max_connections:
            transport.abort()
            return False
        self._set(transport, self._header_timeout_s)
        return True

    def request_began(self, transport: asyncio.BaseTransport | None) -> None:
        """All headers of a request are here."""
        if transport in self._deadlines:
            self._deadlines[transport].cancel()
            self._set(transport, self._request_timeout_s)

    def left(self, transport: asyncio.BaseTransport) -> None:
        """The connection ended."""
        deadline = self._deadlines.pop(transport, None)
        if deadline is not None:
            deadline.cancel()

    def _set(self, transport: asyncio.BaseTransport, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._deadlines[transport] = loop.call_later(timeout_s, _abort, transport)


def _abort(transport: asyncio.BaseTransport) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class _Watched(asyncio.Protocol):
    """Passes everything on to the HTTP protocol, except connections over the limit."""

    def __init__(self, keeper: Doorkeeper, inner: asyncio.Protocol) -> None:
        self._keeper = keeper
        self._inner = inner
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport) and self._keeper.admit(transport):
            self._transport = transport
            self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._keeper.left(self._transport)
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
