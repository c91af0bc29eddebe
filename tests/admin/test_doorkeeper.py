"""Limits on connections: how many, and how long each may take."""

import asyncio

import httpx

from georouter.admin.doorkeeper import Doorkeeper
from tests.admin.desks import FakeDesk
from tests.admin.doors import visit

SOON_S = 0.05
"""A limit short enough for a test; nothing depends on it being met exactly."""


class TellingKeeper(Doorkeeper):
    """Tells when a connection has left."""

    def __init__(self, *, max_connections: int = 10, request_timeout_s: float = 60.0) -> None:
        super().__init__(max_connections=max_connections, request_timeout_s=request_timeout_s)
        self.departures = asyncio.Semaphore(0)

    def left(self, transport: asyncio.BaseTransport) -> None:
        """Count it, and tell."""
        super().left(transport)
        self.departures.release()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side closes; fails the test when it does not."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


def test_one_connection_too_many() -> None:
    """Over the limit a connection is cut at once; when one leaves the next may come."""
    keeper = TellingKeeper(max_connections=2)

    async def crowd(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        port = client.base_url.port
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await closed(reader) == b""
        writer.close()
        for _, held_writer in held:
            held_writer.close()
            await asyncio.wait_for(keeper.departures.acquire(), 5)
        assert (await client.get("/livez")).status_code == 200

    visit(crowd, doorkeeper=keeper)


def test_headers_that_never_end() -> None:
    """Who sends its first request line byte by byte is cut."""

    async def trickle(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert await closed(reader) == b""
        writer.close()

    visit(trickle, doorkeeper=Doorkeeper(header_timeout_s=SOON_S))


def test_a_body_that_never_ends() -> None:
    """A request has its time as a whole: a body that does not come is cut, and changes nothing."""

    async def trickle(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(
            b"POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        assert await closed(reader) == b""
        writer.close()
        assert desk.changes == []

    visit(trickle, doorkeeper=Doorkeeper(request_timeout_s=SOON_S))


class LargeDesk(FakeDesk):
    """Has more metrics than socket buffers hold."""

    SIZE = 32 << 20

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """As many bytes as `SIZE` says."""
        return b"x" * self.SIZE, "text/plain"


def test_a_client_that_does_not_read() -> None:
    """An answer nobody takes does not stay for ever."""
    keeper = TellingKeeper(request_timeout_s=SOON_S)

    async def stall(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port, limit=1024)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        # From here on nothing is read: the stream's buffer is full and has paused its transport.
        await asyncio.wait_for(keeper.departures.acquire(), 5)
        assert len(await closed(reader)) < LargeDesk.SIZE
        writer.close()

    visit(stall, desk=LargeDesk(), doorkeeper=keeper)
