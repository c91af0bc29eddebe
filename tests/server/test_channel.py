"""Channels: batches and single datagrams behave alike."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from georouter.answers.layout import Proto
from georouter.server.bind import Bound, bind_all, is_wildcard
from georouter.server.channel import BATCH, Channel, PlainChannel
from georouter.server.mmsg import MmsgChannel, open_channel
from georouter.server.source import source_of

Make = Callable[[str], tuple[Channel, Bound]]


def query(number: int, octets: int = 12) -> bytes:
    """Enough of a query for a responder that looks at the id only."""
    return struct.pack("!HH", number, 0x0100).ljust(octets, b"\0")


def echo(message: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
    """Silent to every id divisible by seven, raising at every one divisible by five; else the octets."""
    number = int.from_bytes(message[:2])
    if number % 7 == 0:
        return None
    if number % 5 == 0:
        raise RuntimeError(f"five in {number}")
    return message + struct.pack("!QBB", source, family, proto)


@pytest.fixture(params=["mmsg", "plain"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Opens a channel on a host; all are closed at the end."""
    opened: list[Bound] = []

    def open_one(host: str) -> tuple[Channel, Bound]:
        (bound,) = bind_all([(host, 0)], 1, 1 << 20)
        opened.append(bound)
        if request.param == "plain":
            return PlainChannel(bound.udp[0][0], wildcard=is_wildcard(host)), bound
        channel = open_channel(bound.udp[0][0], wildcard=is_wildcard(host))
        assert isinstance(channel, MmsgChannel)
        return channel, bound

    yield open_one
    for bound in opened:
        bound.close()


def client(host: str) -> socket.socket:
    """A bound client socket that gives up after a while."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(5)
    return sock


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_every_query_gets_its_own_answer(make: Make, host: str) -> None:
    """In order, from one batch to the next, with the sender's address; silence and failures in between."""
    channel, bound = make(host)
    numbers = range(1, 2 * BATCH + 20)
    family, address = source_of(host)
    with client(host) as asker:
        for number in numbers:
            asker.sendto(query(number, 12 + number), bound.address)
        turns = []
        while count := channel.turn(echo, 0.0):
            turns.append(count)
        assert turns == [BATCH, BATCH, 19]
        for number in (number for number in numbers if number % 7):
            reply = asker.recv(2000)
            if number % 5 == 0:
                assert reply == struct.pack("!HHQ", number, 0x8102, 0)
            else:
                assert reply == query(number, 12 + number) + struct.pack("!QBB", address, family, Proto.UDP)
    assert channel.failed == sum(number % 5 == 0 and number % 7 != 0 for number in numbers)
    assert "five in" in str(channel.failure)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_go_to_whoever_asked(make: Make, host: str) -> None:
    """Senders are not mixed up within a batch."""
    channel, bound = make(host)
    askers = [client(host) for _ in range(8)]
    try:
        for index, asker in enumerate(askers * 3):
            asker.sendto(query(7 * index + 1), bound.address)
        while channel.turn(lambda message, *_: message, 0.0):
            pass
        for index, asker in enumerate(askers):
            got = [int.from_bytes(asker.recv(100)[:2]) for _ in range(3)]
            assert got == [7 * (index + 8 * again) + 1 for again in range(3)]
    finally:
        for asker in askers:
            asker.close()


@pytest.mark.parametrize(
    ("wildcard", "mine", "asked"),
    [("0.0.0.0", "127.0.0.1", "127.0.0.77"), ("0.0.0.0", "127.0.0.9", "127.0.0.1"), ("::", "::1", "::1")],
)
def test_a_wildcard_socket_answers_from_the_address_that_was_asked(
    make: Make, wildcard: str, mine: str, asked: str
) -> None:
    """A connected client takes nothing else."""
    channel, bound = make(wildcard)
    with client(mine) as asker:
        asker.connect((asked, bound.address[1]))
        for number in (1, 2, 3):
            asker.send(query(number))
        assert channel.turn(lambda message, *_: message, 0.0) == 3
        assert [asker.recv(100) for _ in range(3)] == [query(1), query(2), query(3)]


def test_nothing_to_do(make: Make) -> None:
    """No wait, no answer."""
    channel, _ = make("127.0.0.1")
    assert channel.turn(echo, 0.0) == 0


def test_nobody_is_at_port_0(make: Make) -> None:
    """A datagram from there is left alone, its neighbours are answered. Such senders need a raw socket."""
    channel, bound = make("127.0.0.1")
    seen: list[bytes] = []

    def note(message: bytes, *_: object) -> bytes:
        seen.append(message)
        return message

    with (
        client("127.0.0.1") as asker,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw,
    ):
        asker.sendto(query(1), bound.address)
        port = bound.address[1]
        raw.sendto(struct.pack("!4H", 0, port, 8 + len(query(2)), 0) + query(2), ("127.0.0.1", 0))
        asker.sendto(query(3), bound.address)
        turned = 0
        while turned < 3:
            turned += channel.turn(note, 0.0)
        assert seen == [query(1), query(3)]
        assert [asker.recv(100) for _ in range(2)] == [query(1), query(3)]
    assert channel.unsent == 0


def test_an_answer_that_cannot_be_sent_stops_no_other() -> None:
    """A query that claims to come from port 0, between two others."""
    (bound,) = bind_all([("127.0.0.1", 0)], 1, 1 << 20)
    channel = open_channel(bound.udp[0][0], wildcard=False)
    assert isinstance(channel, MmsgChannel)

    def forge(message: bytes, *_: object) -> bytes:
        if message == query(2):
            channel._senders[16 + 2 : 16 + 4] = b"\0\0"  # the port in the second sockaddr_in
        return message

    try:
        with client("127.0.0.1") as asker:
            for number in (1, 2, 3):
                asker.sendto(query(number), bound.address)
            assert channel.turn(forge, 0.0) == 3
            assert [asker.recv(100) for _ in range(2)] == [query(1), query(3)]
    finally:
        bound.close()
    assert channel.unsent == 1


def test_single_answers_that_cannot_be_sent() -> None:
    """The same without batches."""

    class FromEverybody(socket.socket):
        """Says that every datagram came from everybody."""

        def recvmsg(self, *args: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, tuple[str, int]]:  # type: ignore[override]
            message, ancillary, flags, sender = super().recvmsg(*args)
            return message, ancillary, flags, ("255.255.255.255", sender[1])

    with FromEverybody(socket.AF_INET, socket.SOCK_DGRAM) as sock, client("127.0.0.1") as asker:
        sock.bind(("127.0.0.1", 0))
        channel = PlainChannel(sock, wildcard=False)
        asker.sendto(query(1), sock.getsockname())
        assert channel.turn(echo, 0.0) == 1
    assert channel.unsent == 1


def test_long_datagrams_are_cut(make: Make) -> None:
    """To a size no query that we understand has."""
    channel, bound = make("127.0.0.1")
    seen: list[int] = []
    with client("127.0.0.1") as asker:
        asker.sendto(query(1, 9000), bound.address)

        def note(message: bytes, *_: object) -> None:
            seen.append(len(message))

        assert channel.turn(note, 0.0) == 1
    assert seen == [4096]


def test_batches_need_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its calls, or where the kernel forbids them, single datagrams do."""
    (bound,) = bind_all([("127.0.0.1", 0)], 1, 65536)
    try:
        monkeypatch.setattr("georouter.server.mmsg._calls", lambda: None)
        assert isinstance(open_channel(bound.udp[0][0], wildcard=False), PlainChannel)
        monkeypatch.setattr("georouter.server.mmsg._calls", lambda: (lambda *_: -1, forbidden))
        assert isinstance(open_channel(bound.udp[0][0], wildcard=False), PlainChannel)
    finally:
        bound.close()


def forbidden(*_: object) -> int:
    """A system call that a sandbox does not let through."""
    import ctypes
    import errno

    ctypes.set_errno(errno.ENOSYS)
    return -1
