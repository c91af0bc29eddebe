"""UDP workers: wait, look at what is published, answer; and live on."""

import logging
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from georouter.server.bind import Bound, bind_all
from georouter.server.channel import Channel, Respond
from georouter.server.mmsg import open_channel
from georouter.server.udp import SAMPLE_EVERY, Publication, Worker

QUERY = b"\x12\x34\1\0".ljust(12, b"\0")
Start = Callable[..., Worker]


class Broken:
    """A channel on which every turn fails."""

    failed, failure, unsent = 0, None, 0

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.turns = 0

    def fileno(self) -> int:
        """Readable once poked."""
        return self.ours.fileno()

    def turn(self, respond: Respond, now: float) -> int:
        """Takes what is there, and fails."""
        self.turns += 1
        self.ours.recv(100)
        raise OSError("the card is on fire")


@pytest.fixture
def bounds() -> Iterator[tuple[Bound, ...]]:
    """Two addresses."""
    bounds = bind_all([("127.0.0.1", 0), ("::1", 0)], 1, 1 << 20)
    yield bounds
    for bound in bounds:
        bound.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts workers; they are stopped at the end."""
    workers: list[Worker] = []

    def start_one(channels: list[Channel], respond: Respond) -> Worker:
        worker = Worker("udp-test", channels)
        worker.published = Publication(respond, [])
        worker.start()
        workers.append(worker)
        return worker

    yield start_one
    for worker in workers:
        worker.stop(1.0)
        worker.join()


def channels_of(bounds: tuple[Bound, ...]) -> list[Channel]:
    """One channel per address."""
    return [open_channel(bound.udp[0][0], wildcard=False) for bound in bounds]


def ask(bound: Bound, message: bytes = QUERY) -> bytes:
    """The answer to one datagram."""
    family = socket.AF_INET6 if ":" in bound.address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(message, bound.address)
        return sock.recv(5000)


def wait_until(condition: Callable[[], bool]) -> None:
    """Give the other thread time, five seconds at most."""
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def say(word: bytes) -> Respond:
    """A responder that always says this."""
    return lambda *_: word


def test_one_worker_answers_on_all_addresses(bounds: tuple[Bound, ...], start: Start) -> None:
    """IPv4 and IPv6."""
    start(channels_of(bounds), say(b"here"))
    assert [ask(bound) for bound in bounds] == [b"here", b"here"]


def test_a_publication_is_used_from_the_next_batch_on(bounds: tuple[Bound, ...], start: Start) -> None:
    """One attribute store; and `using` tells that the old one can go, even without a query."""
    worker = start(channels_of(bounds), say(b"old"))
    assert ask(bounds[0]) == b"old"
    worker.published = published = Publication(say(b"new"), [])
    assert ask(bounds[0]) == b"new"
    worker.published = published = Publication(say(b"newer"), [])
    worker.wake()
    wait_until(lambda: worker.using is published)


def test_a_failing_responder_is_served_servfail_and_reported_once(
    bounds: tuple[Bound, ...], start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a log record per query."""

    def fail(*_: object) -> bytes:
        raise ZeroDivisionError("a fault of ours")

    with caplog.at_level(logging.ERROR):
        worker = start(channels_of(bounds), fail)
        for _ in range(5):
            assert ask(bounds[0]) == b"\x12\x34\x81\x02".ljust(12, b"\0")
    assert worker.failed == 5
    assert len(caplog.records) == 1
    assert "a fault of ours" in caplog.text


def test_a_broken_socket_does_not_end_the_worker(
    bounds: tuple[Bound, ...], start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """The other sockets are answered, the fault is logged."""
    broken = Broken()
    with caplog.at_level(logging.ERROR):
        start([broken, *channels_of(bounds)], say(b"alive"))
        broken.theirs.send(b"!")
        wait_until(lambda: broken.turns > 0)
        assert ask(bounds[1]) == b"alive"
    assert "the card is on fire" in caplog.text
    broken.ours.close()
    broken.theirs.close()


def test_what_waits_is_answered_before_the_end(bounds: tuple[Bound, ...]) -> None:
    """Queries in the socket when `stop` is called are not lost."""
    worker = Worker("udp-test", channels_of(bounds))
    worker.published = Publication(say(b"late"), [])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        for _ in range(150):
            sock.sendto(QUERY, bounds[0].address)
        worker.stop(5.0)
        worker.start()
        worker.join()
        assert [sock.recv(100) for _ in range(150)] == [b"late"] * 150


def test_a_worker_that_never_ran_can_be_stopped(bounds: tuple[Bound, ...]) -> None:
    """When start-up fails between binding and answering."""
    worker = Worker("udp-test", channels_of(bounds))
    worker.stop(0.0)
    worker.join()


def test_batches_are_sampled(bounds: tuple[Bound, ...], start: Start) -> None:
    """Some batches are timed, and their queries counted."""
    worker = start(channels_of(bounds), say(b"here"))
    for _ in range(3 * SAMPLE_EVERY + 1):
        ask(bounds[0])
    assert sum(worker.sampled) == 3
    assert worker.sampled_sum_s > 0
