"""Secondaries that are told, that do not listen, and that lie."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from georouter.server.notifier import WAITS_S, Address, News, Notifier, Told, source_for
from georouter.wire.names import parse_name
from georouter.wire.rdata import soa_rdata
from georouter.wire.signing import made
from georouter.wire.tsig import Key
from tests.server.streams import wait_until

KEY = Key(parse_name("key.example"), "hmac-sha256", b"s" * 32)
LISTEN = (("127.0.0.1", 53), ("::1", 53))


def news(serial: int = 7, zone: str = "example.com") -> News:
    """Of a zone."""
    apex = parse_name(zone)
    return News(apex, serial, soa_rdata(b"\0", b"\0", serial, 1, 2, 3, 4), 60)


class Secondary(asyncio.DatagramProtocol):
    """Answers as `answer` says; remembers what it was told."""

    def __init__(self, host: str = "127.0.0.1", key: Key | None = None) -> None:
        self.host, self.key = host, key
        self.told: list[dns.message.Message] = []
        self.senders: list[Address] = []
        self.answer: Callable[[dns.message.Message], list[bytes]] = lambda query: [
            dns.message.make_response(query).to_wire()
        ]

    async def open(self) -> Address:
        """Where it is."""
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Told something."""
        query = dns.message.from_wire(data, keyring=made(self.key) if self.key else None)
        self.told.append(query)
        self.senders.append(addr)
        for answer in self.answer(query):
            self.transport.sendto(answer, addr)


def run(
    scene: Callable[[Notifier, list[Told]], Awaitable[None]], waits_s: tuple[float, ...] = (5.0,)
) -> None:
    """Play a scene with a notifier, and what it says."""

    async def play() -> None:
        heard: list[Told] = []
        notifier = Notifier(LISTEN, heard.append, waits_s=waits_s)
        async with asyncio.timeout(30):
            try:
                await scene(notifier, heard)
            finally:
                await notifier.stop()

    asyncio.run(play())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("key", [None, KEY])
def test_telling(host: str, key: Key | None) -> None:
    """One message: NOTIFY, AA, the zone's SOA as question and as hint; signed where there is a key."""

    async def scene(notifier: Notifier, heard: list[Told]) -> None:
        secondary = Secondary(host, key)
        address = await secondary.open()
        notifier.announce(news(), [(address, key)])
        await wait_until(lambda: bool(heard))
        assert heard == [Told("example.com", address, 7, "acknowledged", 1)]
        assert notifier.told[heard[0].zone, address] == heard[0]
        (query,) = secondary.told
        assert query.opcode() == dns.opcode.NOTIFY
        assert query.flags & (dns.flags.AA | dns.flags.RD | dns.flags.QR) == dns.flags.AA
        assert query.question[0].to_text() == "example.com. IN SOA"
        assert query.answer[0].to_text() == "example.com. 60 IN SOA . . 7 1 2 3 4"
        assert query.had_tsig == (key is not None)
        assert secondary.senders[0][0] == host
        secondary.transport.close()

    run(scene)


def test_a_refusal() -> None:
    """It is an answer: nobody asks again."""

    async def scene(notifier: Notifier, heard: list[Told]) -> None:
        secondary = Secondary()

        def refuse(query: dns.message.Message) -> list[bytes]:
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.NOTAUTH)
            return [response.to_wire()]

        secondary.answer = refuse
        address = await secondary.open()
        notifier.announce(news(), [(address, None)])
        await wait_until(lambda: bool(heard))
        assert heard == [Told("example.com", address, 7, "refused", 1, "NOTAUTH")]
        secondary.transport.close()

    run(scene)


def test_asking_again() -> None:
    """Until there is an answer, each time as long as said; then it is given up."""

    async def scene(notifier: Notifier, heard: list[Told]) -> None:
        secondary = Secondary()
        patient = secondary.answer
        secondary.answer = lambda query: patient(query) if len(secondary.told) == 3 else []
        address = await secondary.open()
        nobody = ("127.0.0.1", _closed_port())
        notifier.announce(news(), [(address, None), (nobody, None)])
        await wait_until(lambda: len(heard) == 2)
        states = {item.address: (item.state, item.attempts) for item in heard}
        assert states == {address: ("acknowledged", 3), nobody: ("unanswered", 4)}
        assert notifier.told["example.com", nobody].reason == "Connection refused"
        assert len({query.id for query in secondary.told}) == 3
        assert len({port for _, port in secondary.senders}) == 3
        secondary.transport.close()

    run(scene, (0.02, 0.04, 0.08, 0.01))


def test_waits_grow() -> None:
    """Minutes altogether, and no flood."""
    assert list(WAITS_S) == sorted(WAITS_S)
    assert WAITS_S[0] >= 1.0
    assert 60.0 <= sum(WAITS_S) <= 600.0


def _closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_answers_that_are_none() -> None:
    """Junk, another id, a query, another question, an unsigned one to a signed one: the wait goes on."""

    async def scene(notifier: Notifier, heard: list[Told]) -> None:
        secondary = Secondary(key=KEY)

        def lie(query: dns.message.Message) -> list[bytes]:
            right = dns.message.make_response(query).to_wire()
            bare = dns.message.make_query("example.com", "SOA", id=query.id)
            bare.set_opcode(dns.opcode.NOTIFY)
            bare.flags |= dns.flags.QR
            wrong = bytearray(right)
            wrong[-10] ^= 1
            other = dns.message.make_query("example.net", "SOA", id=query.id)
            other.set_opcode(dns.opcode.NOTIFY)
            other.flags |= dns.flags.QR
            return [b"", b"junk", bytes(12), bare.to_wire(), bytes(wrong), other.to_wire(), right]

        secondary.answer = lie
        address = await secondary.open()
        notifier.announce(news(), [(address, KEY)])
        await wait_until(lambda: bool(heard))
        assert (heard[0].state, heard[0].attempts) == ("acknowledged", 1)
        secondary.transport.close()

    run(scene)


def test_a_newer_serial_begins_anew() -> None:
    """What was being told of the zone before ends; who is a secondary no more is forgotten."""

    async def scene(notifier: Notifier, heard: list[Told]) -> None:
        silent, there = Secondary(), Secondary()
        silent.answer = lambda query: []
        first, second = await silent.open(), await there.open()
        notifier.announce(news(), [(first, None)])
        notifier.announce(news(zone="example.net"), [(first, None)])
        await wait_until(lambda: len(silent.told) == 2)
        notifier.announce(news(8), [(second, None)])
        await wait_until(lambda: bool(heard))
        assert heard == [Told("example.com", second, 8, "acknowledged", 1)]
        assert set(notifier.told) == {("example.com", second), ("example.net", first)}
        assert notifier.told["example.net", first].state == "asking"
        notifier.forget(lambda zone, _: zone == "example.net")
        assert set(notifier.told) == {("example.com", second)}
        for secondary in (silent, there):
            secondary.transport.close()

    run(scene)


@pytest.mark.parametrize(
    ("target", "listen", "expected"),
    [
        ("192.0.2.9", [("0.0.0.0", 53)], None),
        ("192.0.2.9", [("127.0.0.1", 53), ("192.0.2.1", 53), ("192.0.2.2", 53)], ("192.0.2.1", 0)),
        ("127.0.0.9", [("192.0.2.1", 53), ("127.0.0.1", 53)], ("127.0.0.1", 0)),
        ("2001:db8::9", [("192.0.2.1", 53), ("2001:db8::1", 53)], ("2001:db8::1", 0)),
        ("2001:db8::9", [("192.0.2.1", 53)], None),
        ("192.0.2.9", [("127.0.0.1", 53)], None),
    ],
)
def test_whom_a_secondary_sees(target: str, listen: list[Address], expected: Address | None) -> None:
    """An address that it knows us by, if one reaches it."""
    assert source_for((target, 53), listen) == expected
