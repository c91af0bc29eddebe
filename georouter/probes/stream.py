"""Bytes to and from an endpoint: `connect`, then `Plain` or `Tls`.

Sockets are ours from beginning to end, with no transport or reader thread between: whoever opened
one closes it in a `with`, whatever happens, so that no probe can leak one or wait for a farewell.
"""

import asyncio
import socket
import ssl
import struct
from typing import Protocol

from georouter.probes.attempt import Attempt
from georouter.probes.target import Target

RECEIVE_BYTES = 16 * 1024
"""One TLS record (RFC 8446 section 5.1), and more than a health answer needs."""

ADDRESSES_TRIED = 4
"""Of a hostname's addresses; each gets an equal part of the time that is left."""

_TCP_INFO_RTT = struct.Struct("=68xI")
"""`tcpi_rtt` in microseconds: after 8 bytes and 15 words of Linux' `struct tcp_info`."""


class Channel(Protocol):
    """A connection in use."""

    async def send(self, data: bytes) -> None:
        """Hand over everything."""

    async def receive(self) -> bytes:
        """The next bytes; empty at the end of the stream."""


async def connect(target: Target, attempt: Attempt) -> socket.socket:
    """A new TCP connection to the target, or OSError; `attempt.rtt_s` is set."""
    attempt.phase = "resolving the name"
    addresses = (await attempt.resolver.addresses(target.address))[:ADDRESSES_TRIED]
    attempt.phase = "connecting"
    for left in range(len(addresses), 1, -1):
        try:
            async with asyncio.timeout(attempt.left_s() / left):
                return await _connect(addresses[-left], target.port, attempt)
        except OSError:
            continue
    return await _connect(addresses[-1], target.port, attempt)


class Plain:
    """The bare connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Hand over everything."""
        await self._loop.sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        """The next bytes; empty at the end of the stream."""
        return await self._loop.sock_recv(self._sock, RECEIVE_BYTES)


class Tls:
    """TLS over a connection. Errors are `ssl.SSLError`; a stream that ends without farewell just ends."""

    def __init__(self, plain: Plain, context: ssl.SSLContext, server_name: str) -> None:
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    async def handshake(self) -> None:
        """Agree on keys and check the certificate."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            else:
                return await self._flush()

    async def send(self, data: bytes) -> None:
        """Hand over everything."""
        self._tls.write(data)
        await self._flush()

    async def receive(self) -> bytes:
        """The next bytes; empty at the end of the stream."""
        while True:
            try:
                return self._tls.read(RECEIVE_BYTES)
            except ssl.SSLWantReadError:
                await self._flush()  # key updates are answered
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._plain.send(self._outgoing.read())

    async def _fill(self) -> None:
        data = await self._plain.receive()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


async def _connect(address: str, port: int, attempt: Attempt) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = loop.time()
        await loop.sock_connect(sock, (address, port))
        attempt.rtt_s = _round_trip(sock, loop.time() - started)
    except BaseException:
        sock.close()
        raise
    return sock


def _round_trip(sock: socket.socket, measured_s: float) -> float:
    """The handshake's round trip as the kernel timed it (no wait for our loop in it), else as we did."""
    if not hasattr(socket, "TCP_INFO"):
        return measured_s
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_RTT.size)
    if len(info) < _TCP_INFO_RTT.size:
        return measured_s
    (rtt_us,) = _TCP_INFO_RTT.unpack(info)
    return min(rtt_us / 1e6, measured_s) if rtt_us else measured_s
