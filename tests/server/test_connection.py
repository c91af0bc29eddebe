"""One connection: framing, and clients that mean no good."""

import asyncio
import struct

import pytest

from georouter.server.connection import TURN, WRITE_HIGH
from tests.server.streams import (
    Client,
    ended,
    frame,
    query,
    read_frame,
    run,
    wait_until,
)


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
