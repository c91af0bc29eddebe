"""The native worker by itself: what it receives, sends, leaves to Python, and how tables change under it."""

import os
import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.tables import SLOT_A, Snapshot
from georouter.server.bind import Bound, bind_all, is_wildcard
from georouter.server.path import NATIVE, available
from tests.answers.ask import query
from tests.answers.build import Builder, address_answer, example, one_each

if not available():
    pytest.skip("the native packet path was not built", allow_module_level=True)

from georouter.answers.native import Tables
from georouter.server import _loop, native_path
from georouter.server.native_path import NativePath

SWAPS = 3000
STEERED = query("www.example.com")
MAIL = query("mail.example.com")
ODD = MAIL[:-2] + b"\0\3"
"""A query of class CH, which is left to Python."""


@dataclass
class Native:
    """A worker on an address of its own."""

    host: str = "127.0.0.1"
    limit: int = 8
    snapshot: Snapshot = field(default_factory=example)
    sockets: int = 1

    def __enter__(self) -> Self:
        self.bounds = bind_all([(self.host, 0)] * self.sockets, 1, 1 << 20)
        self.loop = _loop.Loop([each.udp[0][0] for each in self.bounds], places=8, limit=self.limit)
        self.punts = _loop.Punts(self.loop)
        self.thread = threading.Thread(target=self.loop.run)
        self.publish(self.snapshot)
        return self

    def publish(self, snapshot: Snapshot) -> "array[int]":
        """Answer from this; its counters."""
        counters = array("q", bytes(8 * snapshot.directory.layout.extent))
        self.loop.publish(_loop.Publication(Tables(snapshot, Limits(), Conduct()), counters))
        return counters

    def start(self) -> Self:
        """Begin to answer."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.stop(5.0)
        if self.thread.ident:
            self.thread.join()
        for bound in self.bounds:
            bound.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.bounds[0].address


def client(host: str = "127.0.0.1") -> socket.socket:
    """A bound client socket that gives up after a while."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(5)
    return sock


def wait_until(condition: Callable[[], bool]) -> None:
    """Give the other thread time, five seconds at most."""
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def numbered(number: int, message: bytes = MAIL) -> bytes:
    """The same with another id."""
    return number.to_bytes(2) + message[2:]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_waits_is_answered_in_order_and_before_the_end(host: str) -> None:
    """Whole batches and a part of one; the counters have all of them."""
    with Native(host) as native, client(host) as asker:
        counters = native.publish(example())
        for number in range(150):
            asker.sendto(numbered(number), native.address)
        native.loop.stop(5.0)
        native.start()
        native.thread.join()
        assert [int.from_bytes(asker.recv(500)[:2]) for _ in range(150)] == list(range(150))
        assert sum(counters[: example().directory.layout.responses_base]) == 150


@pytest.mark.parametrize(
    ("wildcard", "mine", "asked"),
    [("0.0.0.0", "127.0.0.1", "127.0.0.77"), ("0.0.0.0", "127.0.0.9", "127.0.0.1"), ("::", "::1", "::1")],
)
@pytest.mark.parametrize("message", [MAIL, ODD])
def test_answers_come_from_the_address_that_was_asked(
    wildcard: str, mine: str, asked: str, message: bytes
) -> None:
    """A connected client takes nothing else; those of Python too."""
    with Native(wildcard) as native, client(mine) as asker:
        native.start()
        asker.connect((asked, native.address[1]))
        for number in (1, 2, 3):
            asker.send(numbered(number, message))
        if message == ODD:
            wait_until(lambda: native.loop.punted == 3)
            assert native.punts.turn(lambda message, *_: message, 0.0) == 3
        assert [int.from_bytes(asker.recv(100)[:2]) for _ in range(3)] == [1, 2, 3]


def test_what_is_left_to_python_comes_with_its_sender() -> None:
    """In order; silence and failures in between."""
    seen = []

    def respond(message: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
        seen.append((message, source, family, proto, now))
        if len(seen) == 2:
            raise RuntimeError("a fault of ours")
        return None if len(seen) == 3 else message

    with Native("::1") as native, client("::1") as asker:
        native.start()
        for number in range(4):
            asker.sendto(numbered(number, ODD), native.address)
        wait_until(lambda: native.loop.punted == 4)
        assert native.punts.turn(respond, 7.0) == 4
        assert native.punts.turn(respond, 7.0) == 0
        assert seen == [(numbered(number, ODD), 1, 6, Proto.UDP, 7.0) for number in range(4)]
        assert asker.recv(500) == numbered(0, ODD)
        assert asker.recv(500) == struct.pack("!HHQ", 1, 0x8102, 0)
        assert asker.recv(500) == numbered(3, ODD)
        assert (native.punts.failed, native.punts.unsent) == (1, 0)
        assert "a fault of ours" in str(native.punts.failure)


def test_python_can_answer_later() -> None:
    """What `take` is given sends from another thread, and says so when it cannot."""
    later = []
    with Native() as native, client() as asker:
        native.punts.take = lambda *args: bool(later.append(args)) or True
        native.start()
        asker.sendto(ODD, native.address)
        wait_until(lambda: native.loop.punted == 1)
        native.punts.turn(lambda *_: None, 0.0)
        message, source, family, proto, send = later[0]
        assert (message, source, family, proto) == (ODD, 0x7F000001, 4, Proto.UDP)
        send(b"later")
        assert asker.recv(100) == b"later"
    with pytest.raises(OSError, match="descriptor"):
        send(b"too late")


def test_no_more_than_the_limit_waits_for_python() -> None:
    """The others are told to come over TCP, and counted; there is room again once some were answered."""
    with Native(limit=2) as native, client() as asker:
        native.start()
        for number in range(5):
            asker.sendto(numbered(number, ODD), native.address)
        for number in (2, 3, 4):
            told = asker.recv(500)
            assert told[:4] == struct.pack("!HH", number, 0x8300)
            assert len(told) == len(ODD)
        assert (native.loop.punted, native.loop.overflowed) == (2, 3)
        assert native.punts.turn(lambda message, *_: message, 0.0) == 2
        assert [asker.recv(500) for _ in range(2)] == [numbered(number, ODD) for number in (0, 1)]
        native.loop.set_limit(1)
        for number in (5, 6):
            asker.sendto(numbered(number, ODD), native.address)
        assert asker.recv(500)[:2] == b"\0\6"
        assert (native.loop.punted, native.loop.overflowed) == (3, 4)


def test_mapped_addresses_are_ipv4() -> None:
    """Where one socket takes both families."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock, client() as asker:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, 49, 1)
        sock.bind(("::", 0))
        loop = _loop.Loop([sock], places=4, limit=4)
        punts = _loop.Punts(loop)
        counters = array("q", bytes(8 * example().directory.layout.extent))
        loop.publish(_loop.Publication(Tables(example(), Limits(), Conduct()), counters))
        asker.connect(("127.0.0.5", sock.getsockname()[1]))
        for message in (MAIL, ODD):
            asker.send(message)
        loop.stop(1.0)
        loop.run()
        seen = []
        punts.turn(lambda message, *args: seen.append(args[:2]) or message, 0.0)
        assert seen == [(0x7F000001, 4)]
        assert [len(asker.recv(500)) > 12 for _ in range(2)] == [True, True]


def test_nobody_is_at_port_0() -> None:
    """A datagram from there is left alone, its neighbours are answered. Such senders need a raw socket."""
    with (
        Native() as native,
        client() as asker,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw,
    ):
        asker.sendto(numbered(1), native.address)
        port = native.address[1]
        raw.sendto(struct.pack("!4H", 0, port, 8 + len(MAIL), 0) + numbered(2), ("127.0.0.1", 0))
        asker.sendto(numbered(3), native.address)
        native.start()
        assert [int.from_bytes(asker.recv(500)[:2]) for _ in range(2)] == [1, 3]
        assert native.loop.unsent == 0


def test_long_datagrams_are_cut() -> None:
    """To a size no query that we understand has; the next one is read as it is."""
    with Native() as native, client() as asker:
        native.start()
        asker.sendto(MAIL.ljust(9000, b"\0"), native.address)
        asker.sendto(numbered(7), native.address)
        assert asker.recv(5000)[3] & 0xF == 1  # format error
        assert asker.recv(5000)[:4] == b"\0\x07\x85\0"


def test_one_busy_socket_does_not_starve_another() -> None:
    """While one always has more, the other is looked at every few batches."""
    with Native(sockets=2) as native, client() as flood, client() as asker:
        stop = threading.Event()

        def pour() -> None:
            while not stop.is_set():
                flood.sendto(MAIL, native.bounds[0].address)

        pouring = threading.Thread(target=pour)
        native.start()
        pouring.start()
        try:
            for number in range(100):
                asker.sendto(numbered(number), native.bounds[1].address)
                assert int.from_bytes(asker.recv(500)[:2]) == number
        finally:
            stop.set()
            pouring.join()


RECORDS = 20


def telling(generation: int) -> Snapshot:
    """Every record of a static and of a steered name tells the generation, so that a mixed answer shows."""
    made = Builder(services=[("web", ("here",))])
    zone = made.zone("example.com")
    high, low = divmod(generation, 250)
    answer = address_answer(*[f"192.{record}.{high}.{low}" for record in range(RECORDS)])
    made.static("mail.example.com", zone, "A", answer)
    group = made.group([("0.0.0.0", 0)], [("::", 0)], {SLOT_A: one_each(1)})
    made.steered("www.example.com", zone, group, "web", {"A": [answer]})
    return made.snapshot(generation)


def told_in(reply: bytes, question: bytes) -> int:
    """The generation that all records of a reply tell."""
    ends = range(len(question) + 16, len(question) + 16 * (RECORDS + 1), 16)
    (number,) = {reply[end - 2 : end] for end in ends}
    return number[0] * 250 + number[1]


class Load(threading.Thread):
    """Asks until `finish`, some queries at a time, each of which must be answered."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        self.address = address
        self.done = threading.Event()
        self.answered = 0
        self.problem: BaseException | None = None

    def run(self) -> None:
        """The thread."""
        try:
            with client() as asker:
                asker.connect(self.address)
                last = 0
                while not self.done.is_set():
                    last = self._burst(asker, last)
        except BaseException as error:  # noqa: BLE001 - for the test to raise
            self.problem = error

    def _burst(self, asker: socket.socket, last: int) -> int:
        questions = [numbered(number, STEERED if number % 2 else MAIL) for number in range(32)]
        for question in questions:
            asker.send(question)
        for question in questions:
            reply = asker.recv(1000)
            assert reply[:2] == question[:2]
            told = told_in(reply, question)
            assert told >= last, "an answer from tables that had been left"
            last = told
            self.answered += 1
        return last

    def finish(self) -> int:
        """How many were answered."""
        self.done.set()
        self.join()
        if self.problem is not None:
            raise self.problem
        return self.answered


def test_tables_change_under_load() -> None:
    """Thousands of publications: every query is answered by a single one of them, none older than the one
    before; what the worker has left is let go, and every query was counted once.
    """
    with Native(snapshot=telling(0)) as native:
        published = [native.publish(telling(0))]
        native.start()
        load = Load(native.address)
        load.start()
        waiting = 0
        try:
            for generation in range(1, SWAPS):
                published.append(native.publish(telling(generation)))
                waiting = max(waiting, native.loop.settle())
        finally:
            answered = load.finish()
        wait_until(lambda: native.loop.settle() == 0)
        assert answered > SWAPS // 10
        assert sum(sum(counters[: layout_of(0)]) for counters in published) == answered
        assert waiting <= SWAPS // 10, "tables pile up"
        assert native.loop.counters == published[-1:]


def test_a_worker_that_waits_keeps_nothing() -> None:
    """While no query comes it counts as having left whatever was published."""
    with Native() as native:
        native.start()
        wait_until(lambda: native.loop.round % 2 == 0)
        for _ in range(3):
            native.publish(example())
            assert native.loop.settle() == 0


def layout_of(generation: int) -> int:
    """Where the counters of queries end."""
    return telling(generation).directory.layout.responses_base


# The path as a server uses it.


def opened(workers: int = 2, waiting: int = 64) -> tuple[NativePath, tuple[Bound, ...]]:
    """On an address of its own."""
    packet_path = NativePath(workers, waiting)
    bounds = bind_all([("127.0.0.1", 0)], packet_path.workers, 1 << 20)
    ports = [
        [(sock, is_wildcard(bound.address[0])) for bound in bounds for sock in bound.udp[number]]
        for number in range(packet_path.workers)
    ]
    packet_path.open(ports, None)
    return packet_path, bounds


def test_auto_is_one_worker_for_each_core() -> None:
    """Of those that this process may use."""
    packet_path = NativePath(0, 1)
    assert (packet_path.name, packet_path.workers) == (NATIVE, len(os.sched_getaffinity(0)))
    assert NativePath(3, 1).workers == 3


def test_a_dead_worker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ended by itself, or has been at work on one batch for long; not one that was told to end."""
    packet_path, bounds = opened()
    packet_path.publish(example(), Limits(), [Conduct()])
    assert packet_path.dead() == []
    packet_path.start()
    assert (packet_path.dead(), packet_path.living()) == ([], 2)
    packet_path._natives[1].loop.stop(0.0)
    packet_path._natives[1].thread.join()
    assert (packet_path.dead(), packet_path.living()) == (["udp-1"], 1)
    packet_path.stop(1.0)
    packet_path.join()
    assert (packet_path.dead(), packet_path.living()) == ([], 0)
    for bound in bounds:
        bound.close()


@dataclass
class Still:
    """A loop that is always in the same round."""

    round: int


def test_a_worker_that_stands_still_is_named() -> None:
    """Once it has been in one round for long; waiting for queries is no standing still."""
    packet_path, bounds = opened(1)
    (native,) = packet_path._natives
    packet_path.publish(example(), Limits(), [Conduct()])
    packet_path.start()
    loop = native.loop
    for number, stuck in ((7, True), (8, False)):
        native.loop = Still(number)  # type: ignore[assignment]
        assert not native.dead(100.0)
        assert not native.dead(100.0 + native_path.STILL_S)
        assert native.dead(101.0 + native_path.STILL_S) == stuck
    native.loop = loop
    packet_path.stop(1.0)
    packet_path.join()
    for bound in bounds:
        bound.close()


def test_what_was_left_to_python_is_answered_before_the_end() -> None:
    """The threads end first, then Python with what they left."""
    packet_path, bounds = opened(1)
    packet_path.publish(example(), Limits(), [Conduct()])
    with client() as asker:
        for number in range(20):
            asker.sendto(numbered(number, ODD), bounds[0].address)
        packet_path.start()
        packet_path.stop(5.0)
        packet_path.join()
        assert [int.from_bytes(asker.recv(500)[:2]) for _ in range(20)] == list(range(20))
    assert packet_path.punted().taken == 20
    assert sum(sum(counted) for books in packet_path.settle() for _, counted in books.counters()) > 0
    for bound in bounds:
        bound.close()


def test_a_path_that_was_never_used_can_be_stopped() -> None:
    """When start-up fails between binding and answering."""
    packet_path, bounds = opened()
    packet_path.stop(0.0)
    packet_path.join()
    for bound in bounds:
        bound.close()
