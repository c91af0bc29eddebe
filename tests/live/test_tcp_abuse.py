"""Clients that take more of TCP than is theirs: limits hold, and a good client is answered meanwhile."""

import contextlib
import errno
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from benchmarks.harness.ask import question
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import first_address
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.processes import open_files, resident_mib
from benchmarks.harness.wait import until
from benchmarks.tcp import Crowd, look, percentile_ms
from georouter.server.accept import TURN

pytestmark = pytest.mark.live

CONNECTIONS, PER_CLIENT, IDLE_S = 60, 20, 1.0
SLACK_S = 1.5
"""A connection is cut at the first sweep after its time, on a machine that may be busy."""
ATTEMPTS = 2000
PAUSE_S = 0.05
ANSWER_S = 5.0
FLOOD_BYTES = 64 << 20
"""More than the kernel's buffers of both sides hold."""
FLOOD_COST_MIB = 4.0
IDLE, SLOW, CROWD_MIB = 1000, 100, 16.0
NOTICED_MS = 500.0
"""Generous: others have the processor, too. The benchmark is strict."""
QUERY = question("www.example.com", "A", LONDON).to_wire()
FRAMED = len(QUERY).to_bytes(2, "big") + QUERY


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with limits that are reached quickly."""
    limits = (
        f", limits: {{tcp_connections: {CONNECTIONS}, tcp_connections_per_client: {PER_CLIENT}"
        f", tcp_idle_timeout: {IDLE_S:g}s}}"
    )
    with Daemon(tmp_path_factory.mktemp("tcp"), three_regions(), server=limits) as daemon:
        good_client(daemon)
        yield daemon
        assert "Traceback" not in daemon.output()


def test_thousands_of_connections(small: Daemon) -> None:
    """From many clients: no more than the limit stay, however many come, and all are gone in the end."""
    before = open_files(small.pid)
    with contextlib.ExitStack() as stack:
        most = 0
        for number in range(ATTEMPTS):
            stack.enter_context(connect(small, f"127.0.{1 + number // 200 % 50}.{1 + number % 200}"))
            if number % 200 == 199:
                most = max(most, open_files(small.pid) - before)
                good_client(small)
        assert CONNECTIONS // 2 <= most <= CONNECTIONS + 3 * TURN  # those cut are closed a turn later
    until(lambda: open_files(small.pid) <= before, "the connections to be closed")


def test_one_client_gets_its_share(small: Daemon) -> None:
    """The first connections of an address live on, the one too many is closed; others are not affected."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(small, "127.0.0.9")) for _ in range(PER_CLIENT)]
        for sock in held:
            assert exchange(sock) == EU_WEST
        surplus = stack.enter_context(connect(small, "127.0.0.9"))
        assert ended_within(surplus, SLACK_S)
        good_client(small)
        assert exchange(held[0]) == EU_WEST


@pytest.mark.alone
def test_idle_and_slow_ones_delay_nobody(tmp_path: Path) -> None:
    """benchmarks/tcp.py in small: a thousand idle, a hundred that send an octet a second, none cut."""
    limits = f", limits: {{tcp_connections: {IDLE + SLOW + 200}, tcp_connections_per_client: 100}}"
    with Daemon(tmp_path, three_regions(), server=limits) as daemon:
        look(daemon, 0.5)
        before, before_mib = open_files(daemon.pid), resident_mib(daemon.pid)
        with Crowd(daemon, IDLE, SLOW):
            seen = look(daemon, 3.0)
            assert open_files(daemon.pid) - before >= IDLE + SLOW
            assert resident_mib(daemon.pid) - before_mib < CROWD_MIB
        assert (seen.lost, seen.tcp_failed) == (0, 0)
        assert percentile_ms(seen.udp_s, 0.99) < NOTICED_MS
        assert percentile_ms(seen.tcp_s, 0.95) < NOTICED_MS
        until(lambda: open_files(daemon.pid) <= before, "the crowd to be gone")
        assert "Traceback" not in daemon.output()


@pytest.mark.parametrize(
    "start",
    [b"", b"\0", b"\0\x40", FRAMED[:-1], b"\xff\xff" + bytes(1000)],
    ids=["nothing", "half a length", "a length", "almost a query", "a long message, not all of it"],
)
def test_what_never_becomes_a_message(small: Daemon, start: bytes) -> None:
    """Its time is over when no whole query came, however promising it looked."""
    with connect(small) as sock:
        sock.sendall(start)
        assert not ended_within(sock, IDLE_S / 2)
        good_client(small)
        assert ended_within(sock, IDLE_S / 2 + SLACK_S)


@pytest.mark.parametrize(
    "octets",
    [b"\0\0", b"\0\x01x", b"\0\x0b" + bytes(11), FRAMED[:4] + b"\x80" + FRAMED[5:]],
    ids=["nothing", "an octet", "half a header", "an answer"],
)
def test_what_is_no_query(small: Daemon, octets: bytes) -> None:
    """A length of 0, less than a header, a response: no answer, and the connection ends at once."""
    with connect(small) as sock:
        sock.sendall(octets)
        assert ended_within(sock, IDLE_S / 2)


def test_junk_behind_good_queries(small: Daemon) -> None:
    """What came before the junk is answered, what comes after it is not read."""
    with connect(small) as sock, sock.makefile("rb") as answers:
        sock.sendall(FRAMED * 3 + b"\0\0" + FRAMED * 3)
        for _ in range(3):
            assert read(answers) == EU_WEST
        with contextlib.suppress(ConnectionResetError):
            assert answers.read() == b""


def test_a_slow_writer(small: Daemon) -> None:
    """An octet now and then keeps nothing open; a query now and then does."""
    with connect(small) as slow, connect(small) as steady:
        began = time.monotonic()
        for octet in FRAMED:
            with contextlib.suppress(OSError):
                slow.send(bytes([octet]))
            assert exchange(steady) == EU_WEST
            if ended_within(slow, PAUSE_S):
                break
        assert time.monotonic() - began < IDLE_S + SLACK_S
        assert exchange(steady) == EU_WEST


def test_a_client_that_never_reads(small: Daemon) -> None:
    """It is no longer read from, costs little memory, and is cut when its time is over."""
    before = resident_mib(small.pid)
    with connect(small) as sock:
        sock.settimeout(IDLE_S / 2)
        block = FRAMED * 1000
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < FLOOD_BYTES:
                sent += sock.send(block)
        assert sent < FLOOD_BYTES, "everything was taken from a client that takes nothing"
        assert resident_mib(small.pid) - before < FLOOD_COST_MIB
        good_client(small)
        until(lambda: was_reset(sock), "the connection to be cut", IDLE_S + SLACK_S)


def connect(daemon: Daemon, source: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine."""
    return socket.create_connection(daemon.address, ANSWER_S, source_address=(source, 0))


def exchange(sock: socket.socket) -> str:
    """Ask and read the first address of the answer."""
    sock.sendall(FRAMED)
    with sock.makefile("rb") as answers:
        return read(answers)


def read(answers: BinaryIO) -> str:
    """The first address of the next answer."""
    return first_address(answers.read(int.from_bytes(answers.read(2), "big")))


def good_client(daemon: Daemon) -> None:
    """Somebody else asks over TCP and UDP and is answered."""
    with connect(daemon, "127.0.0.200") as sock:
        assert exchange(sock) == EU_WEST
    assert daemon.ask("www.example.com", client=LONDON).addresses == (EU_WEST,)


def ended_within(sock: socket.socket, wait_s: float) -> bool:
    """Whether the other side closes within the time."""
    if not select.select([sock], [], [], wait_s)[0]:
        return False
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def was_reset(sock: socket.socket) -> bool:
    """Whether the kernel knows that the other side has cut the connection."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
