"""TCP: who may be connected and for how long, and the end of it."""

import asyncio
import contextlib
import socket
import threading

import pytest

from georouter.server.tcp import TcpLimits, TcpServer
from tests.server.streams import (
    Client,
    connect_now,
    echo,
    ended,
    frame,
    query,
    read_all,
    read_frame,
    run,
    wait_until,
)


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
