"""Transfers over TCP: turns, limits, clients that stop reading, and what is told of each."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest

from georouter.answers.outgoing import Outgoing
from georouter.server.sending import Sender, TransferLimits
from georouter.server.tcp import TcpLimits
from georouter.telemetry.source import Sent
from tests.answers.copying import asking
from tests.server.streams import Client, ended, frame, play, query, read_frame, wait_until

AXFR = asking().to_wire()
MESSAGE = 15_000


class Fake(Outgoing):
    """A transfer of `count` messages that say which they are; `fails_at` raises instead."""

    __slots__ = ("count", "fails_at", "made", "name")

    def __init__(self, name: str, count: int, fails_at: int = -1) -> None:
        self.zone, self.kind, self.serial = "example.com", "AXFR", 7
        self._signer = None
        self.name, self.count, self.fails_at, self.made = name, count, fails_at, 0

    def next(self, now: float) -> bytes | None:
        """The next message."""
        if self.made == self.fails_at:
            raise RuntimeError("no more")
        if self.made == self.count:
            return None
        self.made += 1
        return f"{self.name}{self.made}".encode().ljust(MESSAGE, b".")

    def refuse(self, rcode: int, now: float) -> bytes:
        """Turned away."""
        return b"refused %d" % rcode


class Primary(Client):
    """A TCP server whose transfers are `fakes`, one after the other."""

    def __init__(self, limits: TransferLimits, **tcp: float) -> None:
        self.sent: list[Sent] = []
        self.fakes: list[Fake] = []
        self.sender = Sender(limits, self.sent.append)
        super().__init__(TcpLimits(**tcp), sender=self.sender)  # type: ignore[arg-type]
        self.server.transfer = self.transfer

    def transfer(self, query: bytes, source: int, family: int, now: float) -> Outgoing | None:
        """The next of `fakes`, for who asks for one."""
        return self.fakes.pop(0) if query[2:] == AXFR[2:] and self.fakes else None

    def results(self) -> list[str]:
        """How transfers ended."""
        return [item.result for item in self.sent]


def run(
    scene: Callable[[Primary], Awaitable[None]], limits: TransferLimits | None = None, **tcp: float
) -> None:
    """Play a scene."""
    asyncio.run(play(scene, lambda: Primary(limits or TransferLimits(), **tcp)))


async def read_all(reader: asyncio.StreamReader, count: int) -> list[str]:
    """Which messages came."""
    return [(await read_frame(reader)).rstrip(b".").decode() for _ in range(count)]


def test_a_transfer_is_sent_and_told_of() -> None:
    """Every message in order, and then who got how much of what."""

    async def scene(primary: Primary) -> None:
        primary.fakes.append(Fake("a", 20))
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        assert await read_all(reader, 20) == [f"a{number}" for number in range(1, 21)]
        await wait_until(lambda: bool(primary.sent))
        (sent,) = primary.sent
        assert (sent.zone, sent.kind, sent.serial, sent.key) == ("example.com", "AXFR", 7, "")
        assert (sent.client, sent.result) == ((4, 0x7F000001), "sent")
        assert (sent.messages, sent.octets) == (20, 20 * MESSAGE)
        assert primary.sender.active == 0

    run(scene)


def test_queries_behind_a_transfer() -> None:
    """They are answered after it, on the same connection; another transfer, too; others need not wait."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("a", 30), Fake("b", 2)]
        reader, writer = await primary.connect()
        writer.write(frame(query(1)) + frame(AXFR) + frame(query(2)) + frame(AXFR) + frame(query(3)))
        other, writes = await primary.connect()
        writes.write(frame(query(9)))
        assert await read_frame(other) == query(9)
        assert await read_frame(reader) == query(1)
        assert len(await read_all(reader, 30)) == 30
        assert await read_frame(reader) == query(2)
        assert await read_all(reader, 2) == ["b1", "b2"]
        assert await read_frame(reader) == query(3)

    run(scene)


def test_transfers_take_turns() -> None:
    """A short one is not behind a long one."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("long", 4000), Fake("short", 3)]
        first, writer = await primary.connect()
        writer.write(frame(AXFR))
        assert await read_all(first, 1) == ["long1"]
        drain = asyncio.create_task(read_all(first, 3999))
        second, writer = await primary.connect()
        writer.write(frame(AXFR))
        assert await read_all(second, 3) == ["short1", "short2", "short3"]
        assert primary.sender.active >= 1
        assert not drain.done()
        drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drain

    run(scene)


def test_a_client_that_does_not_read() -> None:
    """Nothing more is made for it than it can be sent, and it is cut when its time is over."""

    async def scene(primary: Primary) -> None:
        endless = Fake("a", 10**9)
        primary.fakes.append(endless)
        _, writer = await primary.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(frame(AXFR))
        await wait_until(lambda: bool(primary.sent))
        assert primary.results() == ["cut"]
        assert endless.made * MESSAGE < 32 * 1024 * 1024  # what the kernel buffers, and one write buffer

    run(scene, idle_timeout_s=0.3)


def test_a_slow_client_is_not_idle() -> None:
    """Every message that it takes counts."""

    async def scene(primary: Primary) -> None:
        primary.fakes.append(Fake("a", 40))
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        connection = next(iter(primary.server._connections))
        first = connection.last_query_at
        await read_all(reader, 40)
        await wait_until(lambda: primary.results() == ["sent"])
        assert connection.last_query_at > first

    run(scene)


def test_limits() -> None:
    """Turned away with SERVFAIL, per client and altogether; the connection goes on."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("a", 10**6), Fake("b", 1), Fake("c", 1)]
        _, writer = await primary.connect()
        writer.write(frame(AXFR))
        await wait_until(lambda: primary.sender.active == 1)
        assert not primary.sender.has_room((4, 0x7F000001))
        assert primary.sender.has_room((4, 1)) == (primary.sender.limits.transfers > 1)
        reader, writes = await primary.connect()
        writes.write(frame(AXFR) + frame(query(2)))
        assert await read_frame(reader) == b"refused 2"
        assert await read_frame(reader) == query(2)
        assert primary.results() == ["busy"]
        writer.transport.abort()
        await wait_until(lambda: primary.sender.active == 0)
        assert primary.results() == ["busy", "cut"]
        writes.write(frame(AXFR))
        assert await read_all(reader, 1) == ["c1"]

    run(scene, TransferLimits(5, 1))
    run(scene, TransferLimits(1, 5))


def test_half_closed_and_gone() -> None:
    """Who sends no more still gets all; who is gone is dropped."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("a", 50), Fake("b", 10**6)]
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        writer.write_eof()
        assert len(await read_all(reader, 50)) == 50
        assert await ended(reader)
        _, writer = await primary.connect()
        writer.write(frame(AXFR))
        await wait_until(lambda: primary.sender.active == 1)
        writer.transport.abort()
        await wait_until(lambda: primary.sender.active == 0)
        assert primary.results() == ["sent", "cut"]

    run(scene)


def test_a_transfer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The connection ends, so that nobody takes a part for the whole; it is told, and others go on."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("a", 5, fails_at=2), Fake("b", 1)]
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        assert await read_all(reader, 2) == ["a1", "a2"]
        assert await ended(reader)
        assert primary.results() == ["failed"]
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        assert await read_all(reader, 1) == ["b1"]

    run(scene)
    assert "a transfer of example.com failed" in caplog.text


def test_draining_finishes_transfers() -> None:
    """Within the grace; beyond it they are cut."""

    async def scene(primary: Primary) -> None:
        primary.fakes += [Fake("a", 60)]
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        await wait_until(lambda: primary.sender.active == 1)
        stop = asyncio.create_task(primary.server.stop(10.0))
        assert len(await read_all(reader, 60)) == 60
        assert await ended(reader)
        await stop
        assert primary.results() == ["sent"]

    async def endless(primary: Primary) -> None:
        primary.fakes += [Fake("a", 10**6)]
        reader, writer = await primary.connect()
        writer.write(frame(AXFR))
        await wait_until(lambda: primary.sender.active == 1)
        drain = asyncio.create_task(ended(reader))
        await primary.server.stop(0.2)
        assert primary.results() == ["cut"]
        assert await drain

    run(scene)
    run(endless)


def test_rest() -> None:
    """After a message, nothing is sent for as long as it took to make, on the loop's clock."""
    times: list[float] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        sender = Sender()
        outgoing = Fake("a", 4)
        clock = SimpleNamespace(now=0.0)
        loop.time = lambda: clock.now  # type: ignore[method-assign]
        made = outgoing.next

        class Slow(Fake):
            __slots__ = ()

            def next(self, now: float) -> bytes | None:
                clock.now += 0.25
                return made(now)

        class Receiver:
            client = (4, 1)

            def wants_more(self) -> bool:
                return True

            def send(self, message: bytes) -> None:
                times.append(clock.now)

            def done(self) -> None:
                times.append(-1.0)

            def abandon(self) -> None:
                raise AssertionError

        sender.begin(Receiver(), Slow("a", 4))
        for _ in range(200):
            if times and times[-1] < 0:
                return
            await asyncio.sleep(0)
            clock.now += 0.125

    asyncio.run(scene())
    assert len(times) == 5
    assert all(after - before >= 0.5 for before, after in itertools.pairwise(times[:4]))
