"""One client's connection: messages in, answers in their order out, and how it ends.

1. Every message has its length before it; many may come in one segment, and are answered in order
   (RFC 7766 6.2.1.1 asks to take them without waiting for answers to be read).
2. Only whole queries count as a sign of life, so a client that sends an octet now and then gains nothing;
   nor does one that does not read its answers.
3. Buffers are bounded: one message and one read on the way in; on the way out, reading stops while
   the client does not read.
4. What a server must not answer (a response, less than a header) ends the connection.
5. A zone transfer has the connection to itself: queries behind it wait until it is done. Every message
   that the client takes counts as a query.
6. An end follows the last answer.
"""

import asyncio
import time
from typing import Protocol, cast

from georouter.answers.layout import Proto
from georouter.answers.outgoing import Outgoing
from georouter.server.channel import Take
from georouter.server.sending import Sender

READ_SIZE = 16 * 1024
"""Octets taken from the kernel at once, into a buffer that all connections share."""
TURN = 64
"""Queries of one connection that are answered before others get their turn."""
WRITE_HIGH = 64 * 1024
"""Unread octets of answers at which a connection is no longer read from."""
LINGER_S = 0.05
"""When draining: how long a connection must be silent, since queries may be on their way."""


class Host(Protocol):
    """Whose connection it is."""

    shared: memoryview
    """`READ_SIZE` octets, for whoever reads just now."""
    draining: bool
    sender: Sender
    take: Take | None

    def answer(self, query: bytes, source: int, family: int, now: float) -> bytes | Outgoing | None:
        """The answer to one query, or the transfer it asks for."""
        ...

    def touch(self, connection: "Connection") -> None:
        """It brought a whole query."""
        ...

    def forget(self, connection: "Connection", client: tuple[int, int]) -> None:
        """It has ended."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One client's connection."""

    def __init__(self, server: Host, client: tuple[int, int]) -> None:
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
