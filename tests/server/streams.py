"""A TCP server on loopback, connections to it, and messages in frames."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from georouter.answers.layout import Proto
from georouter.server.bind import bind_all
from georouter.server.sending import Sender
from georouter.server.tcp import TcpLimits, TcpServer

Scene = Callable[["Client"], Awaitable[None]]
AnyClient = TypeVar("AnyClient", bound="Client")


def query(number: int, octets: int = 12) -> bytes:
    """Enough of a query for a responder that looks at the id only."""
    return struct.pack("!HH", number, 0x0100).ljust(octets, b"\0")


def frame(message: bytes) -> bytes:
    """With its length before it."""
    return len(message).to_bytes(2) + message


def echo(message: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
    """The octets; silence to responses; an exception for id 13."""
    assert proto is Proto.TCP
    if message[:2] == b"\0\x0d":
        raise RuntimeError("thirteen")
    return None if len(message) < 12 or message[2] & 0x80 else message


async def wait_until(condition: Callable[[], bool]) -> None:
    """Let the event loop run, five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of tests
            await asyncio.sleep(0.001)


class Client:
    """The server, and connections to it."""

    def __init__(self, limits: TcpLimits, host: str = "127.0.0.1", sender: Sender | None = None) -> None:
        self.server = TcpServer(limits, sender)
        self.server.respond = echo
        (self.bound,) = bind_all([(host, 0)], 1, 65536)
        self.opened: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection."""
        reader, writer = await asyncio.open_connection(*self.bound.address)
        self.opened.append(writer)
        return reader, writer

    async def open_connections(self, count: int) -> None:
        """Wait until the server has so many."""
        await wait_until(lambda: self.server.connections == count)


def run(scene: Scene, *, host: str = "127.0.0.1", serve: bool = True, **limits: float) -> None:
    """Play a scene against a server with these limits."""
    asyncio.run(play(scene, lambda: Client(TcpLimits(**limits), host), serve=serve))  # type: ignore[arg-type]


async def play(
    scene: Callable[[AnyClient], Awaitable[None]], make: Callable[[], AnyClient], *, serve: bool = True
) -> None:
    """Play a scene against a server of its own, thirty seconds at most."""
    client = make()
    for listener in client.bound.tcp if serve else ():
        client.server.listen(listener)
    client.server.start()
    try:
        async with asyncio.timeout(30):
            await scene(client)
    finally:
        await client.server.stop(0.0)
        for writer in client.opened:
            writer.close()
        client.bound.close()
        await asyncio.sleep(0)


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """One message."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))


async def ended(reader: asyncio.StreamReader) -> bool:
    """True when the server closes or resets the connection, whatever came before."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def connect_now(client: Client, octets: bytes = b"") -> socket.socket:
    """A connection that the kernel has taken and we have not; with these octets sent on it."""
    sock = socket.create_connection(client.bound.address, 5)
    sock.sendall(octets)
    return sock


async def read_all(sock: socket.socket) -> bytes:
    """Until the end; ConnectionResetError is one, too, and not what is wanted."""
    return await asyncio.to_thread(sock.makefile("rb").read)
