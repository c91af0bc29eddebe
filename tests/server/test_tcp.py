"""TCP: framing, limits, and clients that mean no good."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable

import pytest

from georouter.answers.layout import Proto
from georouter.server.bind import bind_all
from georouter.server.tcp import TURN, WRITE_HIGH, TcpLimits, TcpServer

Scene = Callable[["Client"], Awaitable[None]]


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

    def __init__(self, limits: TcpLimits, host: str = "127.0.0.1") -> None:
        self.server = TcpServer(limits)
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

    async def play() -> None:
        client = Client(TcpLimits(**limits), host)  # type: ignore[arg-type]
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

    asyncio.run(play())


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


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_questions_one_after_the_other(host: str) -> None:
    """A connection lives on (RFC 7766 6.2.1)."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        for number in (1, 2, 3):
            writer.write(frame(query(number, 40)))
            assert await read_frame(reader) == query(number, 40)

    run(scene, host=host)


def test_questions_all_at_once() -> None:
    """Pipelined far beyond one turn: every answer, in order."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        numbers = [number for number in range(TURN * 20) if number != 13]
        writer.write(b"".join(frame(query(number)) for number in numbers))
        for number in numbers:
            assert await read_frame(reader) == query(number)

    run(scene)


def test_octet_by_octet() -> None:
    """Segments end anywhere."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        for octet in frame(query(1)) + frame(query(2)):
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert [await read_frame(reader), await read_frame(reader)] == [query(1), query(2)]

    run(scene)


def test_the_longest_message() -> None:
    """65,535 octets both ways."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        writer.write(frame(query(1, 65535)) + frame(query(2)))
        assert await read_frame(reader) == query(1, 65535)
        assert await read_frame(reader) == query(2)

    run(scene)


def test_a_failure_is_servfail() -> None:
    """And the connection lives on."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        writer.write(frame(query(13)) + frame(query(14)))
        assert await read_frame(reader) == struct.pack("!HHQ", 13, 0x8102, 0)
        assert await read_frame(reader) == query(14)
        assert client.server.failed == 1

    run(scene)


@pytest.mark.parametrize("nonsense", [b"", b"GET / HTTP/1.1\r\n\r\n"[:11], struct.pack("!HHQ", 1, 0x8000, 0)])
def test_what_is_not_a_query_ends_the_connection(nonsense: bytes) -> None:
    """What came before it is answered."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        writer.write(frame(query(1)) + frame(nonsense) + frame(query(2)))
        assert await read_frame(reader) == query(1)
        assert await reader.read() == b""

    run(scene)


def test_a_client_that_sends_no_more_gets_its_answers() -> None:
    """It may close its half after the questions."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        count = 5 * TURN
        writer.write(frame(query(1)) * count)
        writer.write_eof()
        assert await reader.read() == frame(query(1)) * count

    run(scene)


def test_an_idle_connection_is_closed() -> None:
    """Also one that was useful before."""

    async def scene(client: Client) -> None:
        silent, _ = await client.connect()
        useful, writer = await client.connect()
        writer.write(frame(query(1)))
        assert await read_frame(useful) == query(1)
        assert await ended(silent)
        assert await ended(useful)
        await client.open_connections(0)

    run(scene, idle_timeout_s=0.2)


def test_a_connection_ends_after_its_lifetime() -> None:
    """At a moment of silence: everything that was asked has been answered."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        for number in range(3):
            writer.write(frame(query(number)))
            assert await read_frame(reader) == query(number)
        assert await ended(reader)

    run(scene, idle_timeout_s=20, lifetime_s=0.2)


def test_a_connection_that_is_never_silent_ends_too() -> None:
    """What comes in time is answered, then there is an end instead of a reset."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        answered = 0
        while True:
            writer.write(frame(query(1)))
            reply = await reader.read(len(frame(query(1))))
            if not reply:
                break
            assert reply == frame(query(1))
            answered += 1
        assert answered > 10

    run(scene, idle_timeout_s=0.2, lifetime_s=0.1)


def test_an_octet_now_and_then_is_idle_too() -> None:
    """Only whole queries count: a slow client cannot hold a connection."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()

        async def drip() -> None:
            for octet in frame(query(1, 500)):
                writer.write(bytes((octet,)))
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await ended(reader)
        dripping.cancel()

    run(scene, idle_timeout_s=0.2)


def test_a_client_that_reads_nothing() -> None:
    """It is no longer read from, costs bounded memory, and is cut off in the end."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        flood = frame(query(1, 4000)) * 100
        writer.transport.set_write_buffer_limits(high=0)

        async def push() -> None:
            while True:
                writer.write(flood)
                await writer.drain()

        pushing = asyncio.create_task(push())
        await client.open_connections(1)
        (connection,) = client.server._connections
        await wait_until(lambda: not connection._client_reads)
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < WRITE_HIGH + TURN * 4002
        assert len(connection._waiting) < 2 * 65536
        await client.open_connections(0)
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)

    run(scene, idle_timeout_s=0.5)


def test_a_slow_reader_gets_everything() -> None:
    """Reading goes on when it does, with nothing lost."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        count = 3000
        writer.write(b"".join(frame(query(100 + number, 4000)) for number in range(count)))
        await client.open_connections(1)
        (connection,) = client.server._connections
        await wait_until(lambda: not connection._client_reads)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        for number in range(count):
            assert await read_frame(reader) == query(100 + number, 4000)

    run(scene)


def test_the_limit_per_client() -> None:
    """One too many is turned away; the others stay, and room that becomes free is given."""

    async def scene(client: Client) -> None:
        first = await client.connect()
        second = await client.connect()
        await client.open_connections(2)
        third, _ = await client.connect()
        assert await ended(third)
        first[1].close()
        await client.open_connections(1)
        reader, writer = await client.connect()
        for stream, out in ((reader, writer), second):
            out.write(frame(query(1)))
            assert await read_frame(stream) == query(1)

    run(scene, connections_per_client=2)


def test_the_limit_of_all() -> None:
    """The one longest without a query makes room."""

    async def scene(client: Client) -> None:
        oldest, oldest_writer = await client.connect()
        await client.open_connections(1)
        idle, _ = await client.connect()
        await client.open_connections(2)
        oldest_writer.write(frame(query(1)))
        assert await read_frame(oldest) == query(1)
        reader, writer = await client.connect()
        assert await ended(idle)
        for stream, out in ((oldest, oldest_writer), (reader, writer)):
            out.write(frame(query(2)))
            assert await read_frame(stream) == query(2)
        assert client.server.connections == 2

    run(scene, connections=2)


def test_lower_limits_while_connections_are_open() -> None:
    """They stay open; the next new one makes room, as far down as the limit is now."""

    async def scene(client: Client) -> None:
        streams = [await client.connect() for _ in range(3)]
        await client.open_connections(3)
        client.server.limits = TcpLimits(connections=2)
        await asyncio.sleep(0.01)
        assert client.server.connections == 3
        _, writer = await client.connect()
        assert await ended(streams[0][0])
        assert await ended(streams[1][0])
        writer.write(frame(query(1)))
        streams[2][1].write(frame(query(2)))
        assert await read_frame(streams[2][0]) == query(2)

    run(scene)


def test_draining() -> None:
    """What was asked is answered, new connections are not taken, idle ones close by themselves."""

    async def scene(client: Client) -> None:
        idle, _ = await client.connect()
        busy, writer = await client.connect()
        await client.open_connections(2)
        writer.write(frame(query(1)) * 2000)
        stopping = asyncio.create_task(client.server.stop(10.0))
        assert await busy.read() == frame(query(1)) * 2000
        assert await idle.read() == b""
        await stopping
        with pytest.raises(OSError, match=r".*"):
            await client.connect()

    run(scene)


def test_draining_does_not_wait_for_ever() -> None:
    """Half a query gets the time of grace and no more."""

    async def scene(client: Client) -> None:
        reader, writer = await client.connect()
        writer.write(frame(query(1))[:5])
        await client.open_connections(1)
        await asyncio.sleep(0.01)
        await client.server.stop(0.2)
        assert await ended(reader)

    run(scene)


def connect_now(client: Client, octets: bytes = b"") -> socket.socket:
    """A connection that the kernel has taken and we have not; with these octets sent on it."""
    sock = socket.create_connection(client.bound.address, 5)
    sock.sendall(octets)
    return sock


async def read_all(sock: socket.socket) -> bytes:
    """Until the end; ConnectionResetError is one, too, and not what is wanted."""
    return await asyncio.to_thread(sock.makefile("rb").read)


def test_who_waits_in_the_backlog_is_answered() -> None:
    """For the client the connection stood, and its query was sent."""

    async def scene(client: Client) -> None:
        waiting = [connect_now(client, frame(query(number))) for number in (1, 2, 3)]
        await client.server.stop(5.0)
        for number, sock in enumerate(waiting, 1):
            with sock:
                assert await read_all(sock) == frame(query(number))

    run(scene)


def test_who_connects_while_others_are_drained_is_answered() -> None:
    """Refused is only who comes after the last one has gone."""

    async def scene(client: Client) -> None:
        _, busy = await client.connect()
        busy.write(frame(query(1))[:-1])
        await client.open_connections(1)
        await asyncio.sleep(0.01)
        stopping = asyncio.create_task(client.server.stop(10.0))
        await wait_until(lambda: client.server.draining)
        reader, writer = await client.connect()
        writer.write(frame(query(2)))
        assert await reader.read() == frame(query(2))
        assert not stopping.done()
        busy.write(frame(query(1))[-1:])
        await stopping
        with pytest.raises(OSError, match=r"."):
            connect_now(client)

    run(scene)


def test_the_end_follows_the_last_answer() -> None:
    """Of a client that asks and asks, too: what it gets are whole answers and an end, not a reset."""

    async def scene(client: Client) -> None:
        sock = connect_now(client)
        stop = threading.Event()

        def ask() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.005):
                    sock.sendall(frame(query(7)) * 3)

        asking = threading.Thread(target=ask)
        asking.start()
        reading = asyncio.create_task(read_all(sock))
        await client.open_connections(1)
        await client.server.stop(0.3)
        got = await reading
        stop.set()
        await asyncio.to_thread(asking.join)
        sock.close()
        assert len(got) > 10 * len(frame(query(7)))
        assert got == frame(query(7)) * (len(got) // len(frame(query(7))))

    run(scene)


def test_a_listener_that_was_given_is_left_to_the_next() -> None:
    """Who connects after the stop has begun is the next process's client."""

    async def scene(client: Client) -> None:
        (listener,) = client.bound.tcp
        copy = listener.dup()
        first, second = TcpServer(TcpLimits()), TcpServer(TcpLimits())
        first.respond = second.respond = echo
        first.listen(listener, given=True)
        first.start()
        early = connect_now(client, frame(query(1)))
        await wait_until(lambda: first.connections == 1)
        stopping = asyncio.create_task(first.stop(5.0))
        await wait_until(lambda: first.draining)
        late = connect_now(client, frame(query(2)))
        await stopping
        assert await read_all(early) == frame(query(1))
        second.listen(copy, given=True)
        second.start()
        late.shutdown(socket.SHUT_WR)
        assert await read_all(late) == frame(query(2))
        await second.stop(1.0)
        early.close()
        late.close()

    run(scene, serve=False)
