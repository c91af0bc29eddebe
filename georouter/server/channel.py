"""What a worker asks of a socket: take what is there, answer it, send it.

`mmsg.MmsgChannel` does it in batches; `PlainChannel` with one call per datagram, where the batch
calls are not to be had.
"""

import socket
from collections.abc import Callable
from typing import Protocol

from georouter.answers.layout import Proto
from georouter.answers.respond import fail
from georouter.server.bind import IP_PKTINFO, IPV6_PKTINFO
from georouter.server.source import source_of

Respond = Callable[[bytes, int, int, Proto, float], bytes | None]
"""`Responder.respond`."""

Take = Callable[[bytes, int, int, Proto, Callable[[bytes], None]], bool]
"""`Aside.take`: whether a query without an answer gets one later, by the function that is given."""

BATCH = 64
"""Datagrams per system call. More gains little per datagram and adds to the wait of the first."""
DATAGRAM = 4096
"""Octets kept of a query; what is longer is cut, and no query that we understand is that long."""


class Channel(Protocol):
    """One UDP socket of one worker."""

    failed: int
    """Queries whose answering raised; they got SERVFAIL."""
    failure: BaseException | None
    """The last of these exceptions."""
    unsent: int
    """Answers that the kernel would not take."""
    take: Take | None
    """Asked about queries that `respond` does not answer."""

    def fileno(self) -> int:
        """For polling."""
        ...

    def turn(self, respond: Respond, now: float) -> int:
        """Answer at most `BATCH` waiting queries without blocking; how many there were."""
        ...


class PlainChannel:
    """Receives and sends with the socket module."""

    def __init__(self, sock: socket.socket, *, wildcard: bool) -> None:
        self._sock = sock
        self._room = 64 if wildcard else 0
        self._family = 6 if sock.family == socket.AF_INET6 else 4
        self.failed = 0
        self.failure: BaseException | None = None
        self.unsent = 0
        self.take: Take | None = None

    def fileno(self) -> int:
        """For polling."""
        return self._sock.fileno()

    def turn(self, respond: Respond, now: float) -> int:
        """Answer at most `BATCH` waiting queries without blocking."""
        for count in range(BATCH):
            try:
                query, ancillary, _, sender = self._sock.recvmsg(DATAGRAM, self._room, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return count
            if not sender[1]:
                continue  # nobody is at port 0: see `mmsg`
            family, source = source_of(sender[0])
            try:
                reply = respond(query, source, family, Proto.UDP, now)
            except Exception as error:  # noqa: BLE001 - a fault in answering one query must not end the worker
                self.failed += 1
                self.failure = error
                reply = fail(query)
            if reply is not None:
                self._send(reply, ancillary, sender)
            elif self.take is not None:
                send = send_later(self._sock, _from_there(ancillary), sender)
                self.take(query, source, family, Proto.UDP, send)
        return BATCH

    def _send(
        self, reply: bytes, ancillary: list[tuple[int, int, bytes]], sender: tuple[object, ...]
    ) -> None:
        try:
            self._sock.sendmsg([reply], _from_there(ancillary), 0, sender)
        except OSError:
            self.unsent += 1


def send_later(
    sock: socket.socket, ancillary: list[tuple[int, int, bytes]], sender: tuple[object, ...]
) -> Callable[[bytes], None]:
    """Sends an answer to `sender` from another thread, by control data as `sendmsg` takes it."""

    def send(reply: bytes) -> None:
        sock.sendmsg([reply], ancillary, socket.MSG_DONTWAIT, sender)

    return send


def _from_there(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """The control data that sends from the address a query came to, by whatever way routing says."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            return [(level, kind, bytes(4) + data[4:12])]
        if (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
            link_local = data[0] == 0xFE and data[1] & 0xC0 == 0x80
            return [(level, kind, data if link_local else data[:16] + bytes(4))]
    return []
