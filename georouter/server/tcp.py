"""DNS over TCP (RFC 7766), on the control thread's event loop.

Rules:

1. Every message has its length before it; many may come in one segment, and are answered in order
   (RFC 7766 6.2.1.1 asks to take them without waiting for answers to be read).
2. A connection is closed when no whole query came for the idle time (RFC 7766 6.2.3). Only whole
   queries count, so a client that sends an octet now and then gains nothing; nor does one that does
   not read its answers.
3. Buffers are bounded: one message and one read on the way in; on the way out, reading stops while
   the client does not read.
4. At the limit of all connections, the one longest without a query makes room; at the limit of one
   client network, the new one is turned away (RFC 7766 6.2.2). After its lifetime, a connection is closed
   at the first moment of silence, and a little later without one (RFC 9210 4.2); transfers may end.
5. What a server must not answer (a response, less than a header) ends the connection.
6. Draining: who is connected gets answers until nothing more comes; who connects meanwhile is answered
   too. Listeners close last, and a connection's end follows its last answer. Listeners that a supervisor
   gave us are left alone at once: whoever waits there is the next process's client.
7. A zone transfer has the connection to itself: queries behind it wait until it is done. Every message
   that the client takes counts as a query.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket
from typing import cast

from georouter.answers.layout import Proto
from georouter.answers.outgoing import TRANSFERS, Outgoing
from georouter.answers.respond import fail
from georouter.server.accept import Acceptor
from georouter.server.channel import Respond, Take
from georouter.server.sending import Sender
from georouter.server.source import source_of
from georouter.wire.codes import CLASS_IN

log = logging.getLogger(__name__)

Transfer = Callable[[bytes, int, int, float], Outgoing | None]
"""`Responder.transfer`."""

READ_SIZE = 16 * 1024
"""Octets taken from the kernel at once, into a buffer that all connections share."""
TURN = 64
"""Queries of one connection that are answered before others get their turn."""
WRITE_HIGH = 64 * 1024
"""Unread octets of answers at which a connection is no longer read from."""
COMPLAIN_EVERY_S = 10.0
"""At most one log record in this time, however much fails."""
_TRANSFERS = tuple(kind.to_bytes(2) + CLASS_IN.to_bytes(2) for kind in TRANSFERS)
LINGER_S = 0.05
"""When draining: how long a connection must be silent, since queries may be on their way."""


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

    def forget(self, connection: "Connection", client: tuple[int, int]) -> None:
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

    def touch(self, connection: "Connection") -> None:
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

    async def _start(self, connection: "Connection", sock: socket) -> None:
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


class Connection(asyncio.BufferedProtocol):
    """One client's connection."""

    def __init__(self, server: TcpServer, client: tuple[int, int]) -> None:
        """`client` is (family, source address), see `source_of`."""
        self._loop = asyncio.get_running_loop()
        self.opened_at = self.last_query_at = self._loop.time()
        """On the loop's clock; the time of opening before the first query."""
        self._server = server
        self._transport: asyncio.Transport | None = None
        self.client = client
        self._family, self._source = client
        self._outgoing = False
        """A transfer is under way."""
        self.over = False
        """It was cut, perhaps before it had begun."""
        self._waiting = bytearray()
        self._received = 0
        self._client_reads = True
        self._turn: asyncio.Handle | None = None
        self._deaf = False
        """What comes is thrown away: an end was sent."""
        self._owed = 0
        """Answers that come later, from elsewhere."""
        self._last_turn = False
        """Nothing more will be read: close after what is whole has been answered."""

    # -- what the event loop calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless it had to make room meanwhile."""
        self._transport = cast("asyncio.Transport", transport)
        if self.over:
            self.cut()
        else:
            self._transport.set_write_buffer_limits(high=WRITE_HIGH)
            if self._server.draining:
                self.drain()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection has ended, by whatever cause."""
        self._transport = None
        self._waiting.clear()
        self._server.sender.drop(self)
        self._server.forget(self, self.client)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """The shared room: the loop fills it and calls `buffer_updated` before anything else runs."""
        return self._server.shared

    def buffer_updated(self, nbytes: int) -> None:
        """Octets came."""
        if self._deaf:
            return
        self._received += 1
        self._waiting += self._server.shared[:nbytes]
        self._answer()

    def eof_received(self) -> bool:
        """The client sends no more, and still gets its answers (RFC 7766 6.2.4 lets it half-close)."""
        if self._whole_query() or self._owed or self._outgoing:
            self._server.touch(self)
            self._last_turn = True
            return True
        return False

    def pause_writing(self) -> None:
        """The client does not read: neither do we."""
        self._client_reads = False
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._client_reads = True
        self._server.sender.go_on(self)
        self._answer()

    # -- what the server calls -------------------------------------------------------------------

    def drain(self) -> None:
        """Close once nothing comes any more."""
        self._loop.call_later(LINGER_S, self._close_if_silent, self._received)

    def retire(self, grace_s: float) -> None:
        """Close once nothing comes any more, and after `grace_s` without waiting for that."""
        self.drain()
        self._loop.call_later(grace_s, self._end_of_life, grace_s)

    def finish(self) -> None:
        """Answer what is whole, and send the end behind it. What the client sends on is taken and thrown
        away for a moment: closing a connection with unread octets resets it, answers on their way included.
        """
        transport = self._transport
        if transport is None or not self._client_reads or self._outgoing:
            self.cut()
            return
        while self._whole_query():
            replies, _, outgoing = self._take_turn()
            transport.write(b"".join(replies))
            if self._transport is None or not self._client_reads or outgoing is not None:
                break  # no transfer is begun any more
        self._deaf = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            transport.resume_reading()

    def cut(self) -> None:
        """End now. Answers that the kernel has taken still arrive."""
        self.over = True
        transport, self._transport = self._transport, None
        self._server.sender.drop(self)
        self._server.forget(self, self.client)
        if transport is not None:
            if transport.get_write_buffer_size():
                transport.abort()
            else:
                transport.close()

    # -- what a transfer calls -------------------------------------------------------------------

    def wants_more(self) -> bool:
        """Whether the client has read what it got."""
        return self._client_reads

    def send(self, message: bytes) -> None:
        """One message of a transfer. It counts like a query."""
        if self._transport is not None:
            self.last_query_at = self._loop.time()
            self._server.touch(self)
            self._transport.write(len(message).to_bytes(2, "big") + message)

    def done(self) -> None:
        """The transfer is over: on with what waits."""
        self._outgoing = False
        self._answer()

    def abandon(self) -> None:
        """The transfer broke: only the end of the connection tells the client that it is not whole."""
        self.cut()

    # -- inside ----------------------------------------------------------------------------------

    def _answer(self) -> None:
        """Answer what is whole, `TURN` queries at most; the rest after the other connections."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._transport is None or not self._client_reads or self._outgoing:
            return
        replies, taken, outgoing = self._take_turn()
        if taken:
            self.last_query_at = self._loop.time()
            self._server.touch(self)
        if replies:
            self._transport.write(b"".join(replies))
        if self._transport is None:
            return
        if outgoing is not None:
            self._outgoing = True
            self._transport.pause_reading()
            self._server.sender.begin(self, outgoing)
            return
        if not self._client_reads:
            return
        if self._whole_query():
            self._transport.pause_reading()
            self._turn = self._loop.call_soon(self._answer)
        elif self._last_turn and not self._owed:
            self._transport.close()
        else:
            self._transport.resume_reading()

    def _take_turn(self) -> tuple[list[bytes], int, Outgoing | None]:
        """Framed answers to the first queries, how many there were, and the transfer the last asks for."""
        waiting, now = self._waiting, time.time()
        replies: list[bytes] = []
        at = taken = 0
        outgoing = None
        while taken < TURN and len(waiting) >= at + 2:
            stop = at + 2 + (waiting[at] << 8 | waiting[at + 1])
            if len(waiting) < stop:
                break
            query = bytes(waiting[at + 2 : stop])
            reply = self._server.answer(query, self._source, self._family, now)
            at = stop
            taken += 1
            if reply is None and self._set_aside(query):
                continue
            if reply is None:
                self._last_turn = True
                at = len(waiting)
                break
            if isinstance(reply, Outgoing):
                outgoing = reply
                break
            replies.append(len(reply).to_bytes(2, "big"))
            replies.append(reply)
        del waiting[:at]
        return replies, taken, outgoing

    def _set_aside(self, query: bytes) -> bool:
        """Whether an answer comes later: other queries are answered before it (RFC 7766 6.2.1.1)."""
        take = self._server.take
        if take is None or not take(query, self._source, self._family, Proto.TCP, self._answer_late):
            return False
        self._owed += 1
        return True

    def _answer_late(self, reply: bytes) -> None:
        self._owed -= 1
        if self._transport is None or self._deaf:
            return
        self._transport.write(len(reply).to_bytes(2, "big") + reply)
        if self._last_turn and not (self._owed or self._outgoing or self._whole_query()):
            self._transport.close()

    def _whole_query(self) -> bool:
        waiting = self._waiting
        return len(waiting) >= 2 and len(waiting) >= 2 + (waiting[0] << 8 | waiting[1])

    def _end_of_life(self, grace_s: float) -> None:
        if self._outgoing:
            self._loop.call_later(grace_s, self._end_of_life, grace_s)
        elif self._transport is not None:
            self.finish()

    def _close_if_silent(self, received: int) -> None:
        """Close unless something came meanwhile, or a query is here in part."""
        if self._transport is None:
            return
        busy = self._waiting or self._owed or self._outgoing
        if self._received == received and not busy:
            self._transport.close()
        else:
            self._loop.call_later(LINGER_S, self._close_if_silent, self._received)


def _may_be_transfer(query: bytes) -> bool:
    """Whether type and class of a transfer's question are in there."""
    return any(kind in query for kind in _TRANSFERS)
