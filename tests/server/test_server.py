"""The server over real sockets, with snapshots made by hand."""

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.layout import FAMILIES, PROTOS, TYPES
from georouter.answers.limits import Limits
from georouter.answers.networks import of
from georouter.answers.ratelimit import Rate
from georouter.answers.tables import Snapshot
from georouter.server.bind import Address
from georouter.server.server import Server, Settings
from georouter.server.tcp import TcpLimits
from georouter.server.udp import SAMPLE_EVERY
from georouter.words.errors import SourceError
from tests.answers.ask import query
from tests.answers.build import Builder, address_answer, example

pytestmark = pytest.mark.usefixtures("packet_path")

ANYWHERE = (("127.0.0.1", 0), ("::1", 0))
Ask = Callable[..., dns.message.Message]


@contextlib.asynccontextmanager
async def running(
    listen: tuple[Address, ...] = ANYWHERE,
    snapshot: Snapshot | None = None,
    workers: int = 0,
    conduct: Conduct | None = None,
    rate: Rate | None = None,
) -> AsyncIterator[Server]:
    """A server that answers, stopped at the end."""
    settings = Settings(receive_buffer_bytes=1 << 20, conduct=conduct or Conduct(), rate=rate)
    server = Server(listen, settings, workers=workers)
    server.bind()
    server.publish(snapshot or example())
    await server.start()
    try:
        yield server
    finally:
        await server.stop(5.0)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene to its end."""
    asyncio.run(asyncio.wait_for(scene(), 60))


async def ask(
    address: Address, message: bytes, how: Ask = dns.query.udp, source: str | None = None
) -> dns.message.Message:
    """The answer over UDP or TCP, as dnspython reads it."""
    asked = dns.message.from_wire(message)
    return await asyncio.to_thread(how, asked, address[0], timeout=5, port=address[1], source=source)


def data(message: dns.message.Message) -> list[str]:
    """The addresses of the answer section."""
    return [item.address for rrset in message.answer for item in rrset]


def one_name(zone_name: str, address: str) -> Snapshot:
    """A snapshot with one zone and one address."""
    made = Builder()
    zone = made.zone(zone_name)
    made.static(f"www.{zone_name}", zone, "A", address_answer(address))
    return made.snapshot()


@pytest.mark.parametrize("how", [dns.query.udp, dns.query.tcp])
@pytest.mark.parametrize("workers", [1, 2])
def test_answers_on_every_address(how: Ask, workers: int) -> None:
    """IPv4 and IPv6, UDP and TCP, on ports the kernel chose; the transport's source steers."""

    async def scene() -> None:
        async with running(workers=workers) as server:
            assert len(server.addresses) == 2
            for address in server.addresses:
                for _ in range(4):
                    reply = await ask(address, query("www.example.com"), how)
                    assert data(reply) == ["192.0.2.10"]
                reply = await ask(address, query("www.example.com", subnet="81.2.69.160/28"), how)
                assert data(reply) == ["192.0.2.30"]
            assert server.queries_total() == 10

    play(scene)


def test_a_truncated_answer_is_whole_over_tcp() -> None:
    """As a resolver would: ask again over TCP."""

    async def scene() -> None:
        async with running() as server:
            message = query("huge.example.com", "TXT", payload=4096)
            reply = await ask(server.addresses[0], message)
            assert reply.flags & dns.flags.TC
            assert len((await ask(server.addresses[0], message, dns.query.tcp)).answer) == 1

    play(scene)


def test_wildcard_addresses() -> None:
    """Answers come from the address that was asked: dnspython takes no others."""

    async def scene() -> None:
        async with running((("0.0.0.0", 0), ("::", 0))) as server:
            (_, port4), (_, port6) = server.addresses
            for how in (dns.query.udp, dns.query.tcp):
                for address in (("127.0.0.1", port4), ("127.0.0.66", port4), ("::1", port6)):
                    assert data(await ask(address, query("mail.example.com"), how)) == ["192.0.2.60"]

    play(scene)


def test_publishing() -> None:
    """From the next query on, over both transports, without a gap."""

    async def scene() -> None:
        async with running(snapshot=one_name("example.com", "192.0.2.1")) as server:
            for number in range(2, 30):
                server.publish(one_name("example.com", f"192.0.2.{number}"))
                how = (dns.query.udp, dns.query.tcp)[number % 2]
                reply = await ask(server.addresses[number // 2 % 2], query("www.example.com"), how)
                assert data(reply) == [f"192.0.2.{number}"]

    play(scene)


def test_no_query_is_lost_while_snapshots_change() -> None:
    """Every one is answered, from one snapshot or the other."""

    async def scene() -> None:
        snapshots = [one_name("example.com", f"192.0.2.{number}") for number in (1, 2)]
        async with running(snapshot=snapshots[0]) as server:
            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect(server.addresses[0])
                sock.setblocking(False)
                seen = set()
                for number in range(1000):
                    server.publish(snapshots[number % 2])
                    sock.send(number.to_bytes(2) + query("www.example.com")[2:])
                    reply = await asyncio.wait_for(loop.sock_recv(sock, 1000), 5)
                    assert int.from_bytes(reply[:2]) == number
                    seen.add(reply[-4:])
            assert seen == {bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))}
            assert server.drops() == 0

    play(scene)


def test_counters_outlive_layouts() -> None:
    """A layout that goes leaves its counts behind; the published one comes last."""

    async def scene() -> None:
        first, second = one_name("example.com", "192.0.2.1"), one_name("example.org", "192.0.2.2")
        async with running((("127.0.0.1", 0),), first) as server:
            (address,) = server.addresses
            writers = len(server.counters())
            await ask(address, query("www.example.com"))
            await ask(address, query("www.example.com"), dns.query.tcp)
            server.publish(dataclasses.replace(first, generation=2))
            await ask(address, query("www.example.com"))
            assert len(server.counters()) == writers
            server.publish(second)
            await ask(address, query("www.example.org"))
            await ask(address, query("www.example.com"))
            counted: dict[str, int] = {}
            for layout, values in server.counters():
                for zone, name in enumerate((*layout.zones, "none")):
                    width = PROTOS * FAMILIES * TYPES
                    asked = sum(values[zone * width : (zone + 1) * width])
                    counted[name] = counted.get(name, 0) + asked
            assert counted == {"example.com": 3, "example.org": 1, "none": 1}
            assert server.counters()[-1][0].zones == ("example.org",)
            assert server.queries_total() == 5
            totals = server.queries_total
        assert totals() == 5

    play(scene)


def test_a_second_server_on_a_taken_address() -> None:
    """Refused before it takes anything, whatever the number of workers."""

    async def scene() -> None:
        async with running(workers=2) as server:
            for workers in (1, 2):
                second = Server(server.addresses, workers=workers)
                for attempt in (second.try_bind, second.bind):
                    with pytest.raises(SourceError, match="taken"):
                        attempt()
            assert data(await ask(server.addresses[0], query("mail.example.com"))) == ["192.0.2.60"]

    play(scene)


def test_the_address_is_free_again_after_stop() -> None:
    """Also right after TCP connections."""

    async def scene() -> None:
        async with running() as server:
            addresses = server.addresses
            await ask(addresses[0], query("mail.example.com"), dns.query.tcp)
        async with running(addresses) as server:
            assert server.addresses == addresses
            assert data(await ask(addresses[0], query("mail.example.com"))) == ["192.0.2.60"]

    play(scene)


def test_stopping_answers_what_waits() -> None:
    """Queries that are in the sockets when the end comes."""

    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            async with running() as server:
                sock.connect(server.addresses[0])
                for number in range(150):
                    sock.send(number.to_bytes(2) + query("mail.example.com")[2:])
            sock.settimeout(5)
            assert [int.from_bytes(sock.recv(500)[:2]) for _ in range(150)] == list(range(150))

    play(scene)


def test_order_of_life() -> None:
    """Nothing answers before it is bound and has something to say; stopping early is fine."""

    async def scene() -> None:
        server = Server(ANYWHERE)
        with pytest.raises(RuntimeError):
            await server.start()
        server.bind()
        with pytest.raises(RuntimeError):
            await server.start()
        assert server.counters() == []
        await server.stop(1.0)
        early = Server(ANYWHERE)
        early.publish(example())
        early.bind()
        await early.start()
        assert (await ask(early.addresses[0], query("example.net"))).rcode() == dns.rcode.REFUSED
        await early.stop(1.0)

    play(scene)


def test_what_it_tells_about_itself() -> None:
    """The granted buffer, drops, faults, durations."""

    async def scene() -> None:
        async with running((("127.0.0.1", 0),), workers=1) as server:
            assert server.receive_buffer_bytes == 1 << 20
            for _ in range(SAMPLE_EVERY + 1):
                await ask(server.addresses[0], query("mail.example.com"))
            assert (server.drops(), server.failures(), server.unsent()) == (0, 0, 0)
            durations = server.request_durations()
            assert durations is not None
            assert sum(durations.counts) == 1
            assert durations.sum_s > 0

    play(scene)


def test_settings_change_while_it_answers() -> None:
    """Payload, NSID, cookies, limits: from the next query on, on the sockets that are open."""

    async def scene() -> None:
        async with running((("127.0.0.1", 0),), workers=2) as server:
            (address,) = server.addresses
            plain, nsid = query("mail.example.com", cookie=True), dns.edns.GenericOption(3, b"")
            assert not (await ask(address, plain)).options
            server.adopt(
                Settings(
                    limits=Limits(512),
                    conduct=Conduct(cookies=Cookies((bytes(16),)), nsid=b"ams1"),
                    receive_buffer_bytes=1 << 19,
                    tcp=TcpLimits(1, 1, 0.2),
                )
            )
            for how in (dns.query.udp, dns.query.tcp):
                told = await ask(address, query("mail.example.com", cookie=True, extra=(nsid,)), how)
                assert {option.otype for option in told.options} == {3, 10}
                assert told.payload == 512
            assert server.receive_buffer_bytes == 1 << 19
            reader, writer = await asyncio.open_connection(*address)
            assert await asyncio.wait_for(reader.read(), 10) == b""  # idle for 0.2 s, not for 10
            writer.close()
            server.adopt(Settings())
            told = await ask(address, plain)
            assert (told.payload, told.options) == (1232, ())

    play(scene)


def test_rate_limiting_comes_and_goes() -> None:
    """Switched on, made looser, switched off; what it counted stays counted."""

    async def scene() -> None:
        async with running((("127.0.0.1", 0),), workers=2) as server:
            (address,) = server.addresses

            async def limited(times: int) -> int:
                replies = [await ask(address, query("mail.example.com")) for _ in range(times)]
                return sum(bool(reply.flags & dns.flags.TC) for reply in replies)

            assert await limited(8) == 0
            server.adopt(Settings(rate=Rate(1, slip=1, window_s=0.1)))
            assert await limited(8) >= 6
            counted = server.rate_limited()[0]
            server.adopt(Settings(rate=Rate(1, slip=1, exempt=of([ip_network("127.0.0.0/8")]))))
            assert await limited(8) == 0
            server.adopt(Settings())
            assert await limited(8) == 0
            assert server.rate_limited() == (counted, 0)

    play(scene)


def test_no_query_is_lost_while_settings_change() -> None:
    """Every one is answered, by the settings before or after."""

    async def scene() -> None:
        async with running((("127.0.0.1", 0),)) as server:
            loop = asyncio.get_running_loop()
            writers, seen = len(server.counters()), set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect(server.addresses[0])
                sock.setblocking(False)
                for number in range(1000):
                    server.adopt(Settings(limits=Limits(600 + number % 2)))
                    sock.send(number.to_bytes(2) + query("mail.example.com", edns=True)[2:])
                    reply = await asyncio.wait_for(loop.sock_recv(sock, 1000), 5)
                    assert int.from_bytes(reply[:2]) == number
                    seen.add(dns.message.from_wire(reply).payload)
            assert seen == {600, 601}
            assert server.queries_total() == 1000
            assert len(server.counters()) == writers

    play(scene)


def test_rate_limits_and_cookies_over_sockets() -> None:
    """A flood is limited, over all workers together and through a publication; cookies and TCP get past."""

    async def scene() -> None:
        secrets = Conduct(cookies=Cookies((bytes(16),)))
        async with running((("::1", 0),), workers=2, conduct=secrets, rate=Rate(10, slip=1)) as server:
            (address,) = server.addresses
            plain = query("mail.example.com")
            assert [data(await ask(address, plain)) for _ in range(10)] == [["192.0.2.60"]] * 10
            server.publish(example(2))
            flood = [await ask(address, plain) for _ in range(40)]  # seconds behind, on a slow machine too
            assert flood[-1].flags & dns.flags.TC
            assert server.rate_limited()[0] == sum(bool(told.flags & dns.flags.TC) for told in flood)
            assert data(await ask(address, plain, dns.query.tcp)) == ["192.0.2.60"]
            told = await ask(address, query("mail.example.com", cookie=True))
            assert told.rcode() == dns.rcode.BADCOOKIE
            (option,) = told.options
            told = await ask(address, query("mail.example.com", extra=(option,)))
            assert data(told) == ["192.0.2.60"]

    play(scene)
