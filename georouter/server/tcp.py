"""DNS over TCP (RFC 7766), on the control thread's event loop: who is connected, and for how long.

Rules, beside those of one [connection](connection.py):

1. A connection is closed when no whole query came for the idle time (RFC 7766 6.2.3).
2. At the limit of all connections, the one longest without a query makes room; at the limit of one
   client network, the new one is turned away (RFC 7766 6.2.2). After its lifetime, a connection is closed
   at the first moment of silence, and a little later without one (RFC 9210 4.2); transfers may end.
3. Draining: who is connected gets answers until nothing more comes; who connects meanwhile is answered
   too. Listeners close last. Listeners that a supervisor gave us are left alone at once: whoever waits
   there is the next process's client.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

from georouter.answers.layout import Proto
from georouter.answers.outgoing import TRANSFERS, Outgoing
from georouter.answers.respond import fail
from georouter.server.accept import Acceptor
from georouter.server.channel import Respond, Take
from georouter.server.connection import LINGER_S, READ_SIZE, Connection
from georouter.server.sending import Sender
from georouter.server.source import source_of
from georouter.wire.codes import CLASS_IN

log = logging.getLogger(__name__)

Transfer = Callable[[bytes, int, int, float], Outgoing | None]
"""`Responder.transfer`."""

COMPLAIN_EVERY_S = 10.0
"""At most one log record in this time, however much fails."""
_TRANSFERS = tuple(kind.to_bytes(2) + CLASS_IN.to_bytes(2) for kind in TRANSFERS)


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """How many connections, altogether and per client (IPv4 address or IPv6 /64), and for how long."""

    connections: int = 1000
    connections_per_client: int = 100
    idle_timeout_s: float = 10.0
    lifetime_s: float = 600.0


class TcpServer:
    """Accepts on sockets that are bound and listening, and answers through `respond` and `transfer`."""

    def __init__(self, limits: TcpLimits, sender: Sender | None = None) -> None:
        self.respond: Respond | None = None
        self.transfer: Transfer | None = None
        """Set on every publication, both."""
        self.take: Take | None = None
        """Asked about queries that `respond` does not answer."""
        self.sender = sender or Sender()
        self.failed = 0
        self.limits = limits
        """May be replaced at any time; what is open stays open."""
        self._connections: dict[Connection, None] = {}  # the longest without a query first
        self._young: dict[Connection, None] = {}  # within their lifetime, the oldest first
        self._clients: dict[tuple[int, int], int] = {}
        self._acceptors: list[Acceptor] = []
        self._lent: list[Acceptor] = []
        """Those of `_acceptors` whose listener somebody else holds too."""
        self._starting: set[asyncio.Task[object]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self.shared = memoryview(bytearray(READ_SIZE))
        self.draining = False
        self._empty = asyncio.Event()
        self._complain_at = 0.0

    def listen(self, sock: socket, *, given: bool = False) -> None:
        """Accept on `sock` from `start` on. A `given` one lives on when we stop."""
        sock.setblocking(False)
        acceptor = Acceptor(sock, self._take, self._make_room)
        self._acceptors.append(acceptor)
        if given:
            self._lent.append(acceptor)

    def start(self) -> None:
        """Begin to accept."""
        for acceptor in self._acceptors:
            acceptor.start()
        self._sweep_later()

    async def stop(self, grace_s: float) -> None:
        """Answer what was asked, close, accept no more; connections still open after `grace_s` are ended."""
        loop = asyncio.get_running_loop()
        self.draining = True
        for acceptor in self._lent:
            acceptor.close()
        for connection in list(self._connections):
            connection.drain()
        end = loop.time() + grace_s
        while await self._emptied(end) and loop.time() < end:
            if not sum(acceptor.take_waiting() for acceptor in self._acceptors):
                break
        for acceptor in self._acceptors:
            acceptor.close()
        for connection in list(self._connections):
            connection.finish()
        await self._emptied(loop.time() + min(LINGER_S, grace_s))
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in list(self._connections):
            connection.cut()

    async def _emptied(self, end: float) -> bool:
        """Wait for the last connection to end, until `end` on the loop's clock; whether it did."""
        if self._connections:
            self._empty.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._empty.wait()
            except TimeoutError:
                return False
        return True

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def forget(self, connection: Connection, client: tuple[int, int]) -> None:
        """A connection has ended."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        self._young.pop(connection, None)
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]
        if not self._connections:
            self._empty.set()

    def touch(self, connection: Connection) -> None:
        """A connection brought a whole query: it goes to the end of the line."""
        if connection in self._connections:
            del self._connections[connection]
            self._connections[connection] = None

    def answer(self, query: bytes, source: int, family: int, now: float) -> bytes | Outgoing | None:
        """The answer to one query, or the transfer it asks for; SERVFAIL where answering raises."""
        try:
            assert self.respond is not None  # noqa: S101 - the server publishes before it starts
            if _may_be_transfer(query) and self.transfer is not None:
                outgoing = self.transfer(query, source, family, now)
                if outgoing is not None:
                    client = (family, source)
                    return outgoing if self.sender.has_room(client) else self.sender.refuse(client, outgoing)
            return self.respond(query, source, family, Proto.TCP, now)
        except Exception:
            self.failed += 1
            if time.monotonic() >= self._complain_at:
                self._complain_at = time.monotonic() + COMPLAIN_EVERY_S
                log.exception("answering a query failed; the client got SERVFAIL (%d so far)", self.failed)
            return fail(query)

    def _take(self, sock: socket, host: str) -> None:
        """Let a new connection in, or turn it away: before it costs more than its descriptor."""
        client = source_of(host)
        held = self._clients.get(client, 0)
        if held >= self.limits.connections_per_client:
            sock.close()
            return
        while len(self._connections) >= max(1, self.limits.connections):
            self._make_room()
        connection = Connection(self, client)
        self._clients[client] = held + 1
        self._connections[connection] = self._young[connection] = None
        start = asyncio.ensure_future(self._start(connection, sock))
        self._starting.add(start)
        start.add_done_callback(self._starting.discard)

    async def _start(self, connection: Connection, sock: socket) -> None:
        if connection.over:
            sock.close()
            return
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)
        except OSError:  # it has ended already
            sock.close()
            connection.cut()

    def _make_room(self) -> None:
        """End the connection longest without a query."""
        if self._connections:
            next(iter(self._connections)).cut()

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(min(1.0, self.limits.idle_timeout_s / 4), self._sweep_now)

    def _sweep_now(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._connections:
            connection = next(iter(self._connections))
            if connection.last_query_at > now - self.limits.idle_timeout_s:
                break
            connection.cut()
        while self._young:
            connection = next(iter(self._young))
            if connection.opened_at > now - self.limits.lifetime_s:
                break
            del self._young[connection]
            connection.retire(self.limits.idle_timeout_s)
        self._sweep_later()


def _may_be_transfer(query: bytes) -> bool:
    """Whether type and class of a transfer's question are in there."""
    return any(kind in query for kind in _TRANSFERS)
