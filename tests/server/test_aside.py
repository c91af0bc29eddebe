"""Debug questions over real sockets, with somebody who knows made up by the test."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from georouter.answers.debug import Inquiry
from georouter.answers.layout import Proto
from georouter.answers.networks import of
from georouter.server import aside, channel, mmsg
from georouter.server.bind import Address
from georouter.server.python_path import PythonPath
from georouter.server.server import Server, Settings
from tests.answers.ask import query
from tests.answers.build import example
from tests.server.streams import wait_until
from tests.server.test_server import ANYWHERE, ask, data, play

pytestmark = pytest.mark.usefixtures("packet_path")

LOOPBACK = of([ip_network("127.0.0.0/30"), ip_network("::1")])
QUESTION = query("_state.web", "TXT", edns=True)
Lines = Callable[[Inquiry], Awaitable[list[str]]]


@contextlib.asynccontextmanager
async def running(
    lines: Lines, listen: tuple[Address, ...] = (("127.0.0.1", 0),), settings: Settings | None = None
) -> AsyncIterator[Server]:
    """A server whose debug names `lines` answers."""

    async def know(inquiry: Inquiry, until: float) -> list[str]:
        assert until > asyncio.get_running_loop().time()
        return await lines(inquiry)

    server = Server(listen, settings or Settings(debug=LOOPBACK), know=know)
    server.bind()
    server.publish(example())
    await server.start()
    try:
        yield server
    finally:
        await server.stop(5.0)


def waiting(server: Server) -> int:
    """How many questions are under way."""
    assert server._aside is not None
    return server._aside._waiting


async def hello(inquiry: Inquiry) -> list[str]:
    """What was asked, in a line."""
    await asyncio.sleep(0)
    return [f"hello {inquiry.subject}"]


def texts(message: dns.message.Message) -> list[str]:
    """The lines of an answer."""
    return [b"".join(item.strings).decode() for rrset in message.answer for item in rrset]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("listen", [ANYWHERE, (("0.0.0.0", 0), ("::", 0))])
@pytest.mark.parametrize("how", [dns.query.udp, dns.query.tcp])
def test_answers_from_the_address_that_was_asked(
    how: Callable[..., dns.message.Message],
    listen: tuple[Address, ...],
    plain: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both families, both transports, with batches and without; dnspython takes no answer from elsewhere."""
    if plain:
        monkeypatch.setattr(mmsg, "_calls", lambda: None)

    async def scene() -> None:
        async with running(hello, listen) as server:
            if isinstance(server._path, PythonPath):
                assert isinstance(server._path._channels[0], channel.PlainChannel) == plain
            (_, port4), (_, port6) = server.addresses
            hosts = [("127.0.0.1", port4), ("::1", port6)]
            if listen != ANYWHERE:
                hosts.append(("127.0.0.2", port4))
            for address in hosts:
                assert texts(await ask(address, QUESTION, how)) == ["hello State(service='web')"]
                assert data(await ask(address, query("mail.example.com"), how)) == ["192.0.2.60"]
            assert server.debug_questions() == {
                "answered": len(hosts),
                "failed": 0,
                "limited": 0,
                "dropped": 0,
            }
            assert server.queries_total() == 2 * len(hosts)

    play(scene)


def test_others_get_what_they_always_got() -> None:
    """By their source address; and everybody does once a reload has taken the right away."""

    async def scene() -> None:
        async with running(hello) as server:
            (address,) = server.addresses
            for how in (dns.query.udp, dns.query.tcp):
                told = await ask(address, QUESTION, how, source="127.0.0.9")
                assert told.rcode() == dns.rcode.REFUSED
            server.adopt(Settings())
            assert (await ask(address, QUESTION)).rcode() == dns.rcode.REFUSED
            server.adopt(Settings(debug=LOOPBACK))
            assert texts(await ask(address, QUESTION))

    play(scene)


def test_other_queries_do_not_wait() -> None:
    """While somebody thinks, UDP and the same TCP connection go on; the answer comes when it is there."""

    async def scene() -> None:
        thought = asyncio.Event()

        async def think(_: Inquiry) -> list[str]:
            await thought.wait()
            return ["at last"]

        async with running(think) as server:
            (address,) = server.addresses
            later = asyncio.create_task(ask(address, QUESTION))
            reader, writer = await asyncio.open_connection(*address)
            other = query("mail.example.com")
            writer.write(struct.pack("!H", len(QUESTION)) + QUESTION + struct.pack("!H", len(other)) + other)
            writer.write_eof()

            async def message() -> dns.message.Message:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                return dns.message.from_wire(await reader.readexactly(size))

            assert data(await message()) == ["192.0.2.60"]
            assert data(await ask(address, other)) == ["192.0.2.60"]
            thought.set()
            assert texts(await message()) == texts(await later) == ["at last"]
            assert await reader.read() == b""
            writer.close()

    play(scene)


def test_a_client_that_has_gone() -> None:
    """Its answer goes nowhere, and its place is free again."""

    async def scene() -> None:
        thought = asyncio.Event()

        async def think(_: Inquiry) -> list[str]:
            await thought.wait()
            return ["to nobody"]

        async with running(think) as server:
            (address,) = server.addresses
            _, writer = await asyncio.open_connection(*address)
            writer.write(struct.pack("!H", len(QUESTION)) + QUESTION)
            await writer.drain()
            await wait_until(lambda: waiting(server) == 1)
            writer.transport.abort()
            thought.set()
            await wait_until(lambda: waiting(server) == 0)
            await wait_until(lambda: server.tcp_connections == 0)
            assert server.debug_questions()["answered"] == 1

    play(scene)


def test_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over UDP the rest gets no answer, over TCP its connection ends; both are counted."""
    monkeypatch.setattr(aside, "MOST", 2)

    async def scene() -> None:
        thought = asyncio.Event()

        async def think(_: Inquiry) -> list[str]:
            await thought.wait()
            return ["done"]

        async with running(think) as server:
            (address,) = server.addresses
            first = [asyncio.create_task(ask(address, QUESTION)) for _ in range(2)]
            await wait_until(lambda: waiting(server) == 2)
            reader, writer = await asyncio.open_connection(*address)
            writer.write(struct.pack("!H", len(QUESTION)) + QUESTION)
            assert await reader.read() == b""
            writer.close()
            assert server.debug_questions()["dropped"] == 1
            thought.set()
            assert [texts(reply) for reply in await asyncio.gather(*first)] == [["done"]] * 2
            assert texts(await ask(address, QUESTION)) == ["done"]

    play(scene)


def reason(message: dns.message.Message) -> str:
    """The text of an extended error."""
    (option,) = message.options
    assert isinstance(option, dns.edns.EDEOption)
    return option.text or ""


def test_whoever_knows_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client hears of it in time; the question keeps its place until it is done, and is not cut short."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.05)

    async def scene() -> None:
        thought, done = asyncio.Event(), asyncio.Event()

        async def think(_: Inquiry) -> list[str]:
            await thought.wait()
            done.set()
            raise RuntimeError("too late to matter")

        async with running(think) as server:
            told = await ask(server.addresses[0], QUESTION)
            assert told.rcode() == dns.rcode.SERVFAIL
            assert "ask again later" in reason(told)
            assert waiting(server) == 1
            thought.set()
            await done.wait()
            await wait_until(lambda: waiting(server) == 0)
            assert server.debug_questions()["failed"] == 1

    play(scene)


def test_whoever_knows_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    """SERVFAIL with a reason; the log has the fault, once."""

    async def fail(_: Inquiry) -> list[str]:
        raise RuntimeError("a fault")

    async def scene() -> None:
        async with running(fail) as server:
            for _ in range(3):
                told = await ask(server.addresses[0], QUESTION)
                assert told.rcode() == dns.rcode.SERVFAIL
                assert "the log says why" in reason(told)
            assert server.debug_questions()["failed"] == 3

    with caplog.at_level(logging.ERROR):
        play(scene)
    assert len([record for record in caplog.records if "a debug question failed" in record.message]) == 1


def test_one_client_waits_its_turn() -> None:
    """The limit counts over all transports of a client, and is not the other clients' concern."""

    async def scene() -> None:
        async with running(hello) as server:
            (address,) = server.addresses
            told = 0
            for turn in range(500):  # ten a second, and nobody knows how slow this machine is
                reply = await ask(address, QUESTION, (dns.query.udp, dns.query.tcp)[turn % 2])
                if reply.rcode() == dns.rcode.SERVFAIL:
                    break
                assert texts(reply)
                told += 1
            assert 10 <= told < 500
            assert texts(await ask(address, QUESTION, source="127.0.0.2"))
            assert server.debug_questions()["limited"] == 1

    play(scene)


def test_a_stop_does_not_wait_for_ever() -> None:
    """What is still being thought about is given up."""

    async def scene() -> None:
        begun = asyncio.Event()

        async def think(_: Inquiry) -> list[str]:
            begun.set()
            await asyncio.Event().wait()
            return []

        async with running(think) as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(QUESTION, server.addresses[0])
                await begun.wait()
        assert server._aside is not None
        assert not server._aside.take(QUESTION, 0x7F000001, 4, Proto.UDP, lambda _: None)

    play(scene)


def test_what_is_not_asked_of_it() -> None:
    """Queries of other people, and other queries, are not taken."""

    async def scene() -> None:
        async with running(hello) as server:
            assert server._aside is not None
            for message, source in (
                (QUESTION, 0x0A000001),
                (query("mail.example.com"), 0x7F000001),
                (b"", 1),
            ):
                assert not server._aside.take(message, source, 4, Proto.UDP, lambda _: None)

    play(scene)
