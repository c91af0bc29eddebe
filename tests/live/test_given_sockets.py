"""Sockets that a supervisor keeps open: a restart under load loses nothing."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import pytest

from benchmarks.harness.ask import question
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load, first_address
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.processes import alive
from benchmarks.harness.wait import until
from georouter.server.channel import BATCH

pytestmark = pytest.mark.live

RATE = 1000
RESTARTS = 3
SO_RCVBUFFORCE = 33
BUFFER = 4 << 20
"""As deploy/systemd/georouter.socket has it: more than comes while nobody is there."""
QUERY = question("www.example.com", "A", LONDON).to_wire()
FRAMED = len(QUERY).to_bytes(2, "big") + QUERY


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that was given UDP and TCP sockets of 127.0.0.1 and ::1."""
    with ExitStack() as stack:
        daemon = Daemon(tmp_path, three_regions())
        port = daemon.address[1]
        daemon.given = tuple(
            stack.enter_context(opened(family, kind, (host, port)))
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
        )
        with daemon:
            yield daemon
        assert "Traceback" not in daemon.output()


def opened(family: socket.AddressFamily, kind: socket.SocketKind, address: tuple[str, int]) -> socket.socket:
    """As systemd opens it."""
    sock = socket.socket(family, kind)
    if kind is socket.SOCK_STREAM:
        sock.bind(address)
        sock.listen(1024)
        return sock
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    except PermissionError:
        sock.close()
        pytest.skip("only root gives a socket the receive buffer that a restart needs")
    sock.bind(address)
    return sock


def test_they_are_used(daemon: Daemon) -> None:
    """All four, beside no others; the address in `server.listen` is one of them."""
    assert "given=4" in daemon.output()
    assert daemon.status()["server"]["listen"] == [
        f"127.0.0.1:{daemon.address[1]}",
        f"[::1]:{daemon.address[1]}",
    ]
    for host in ("127.0.0.1", "::1"):
        for tcp in (False, True):
            address, daemon.address = daemon.address, (host, daemon.address[1])
            assert daemon.ask("www.example.com", client=LONDON, tcp=tcp).addresses == (EU_WEST,)
            daemon.address = address


def test_restarts_lose_nothing(daemon: Daemon) -> None:
    """At 1,000 q/s over UDP, and for who connects over TCP while nobody is there."""
    with Load(daemon.address, [("www.example.com", LONDON)], RATE) as load:
        for _ in range(RESTARTS):
            time.sleep(0.3)
            assert daemon.stop() == 0
            with socket.create_connection(daemon.address, 10) as client:
                client.sendall(FRAMED)
                daemon.launch()
                with client.makefile("rb") as answers:
                    answer = answers.read(int.from_bytes(answers.read(2), "big"))
                assert first_address(answer) == EU_WEST
        time.sleep(0.3)
    outcomes = load.outcomes()
    assert load.lost == 0
    assert {(outcome.rcode, outcome.address) for outcome in outcomes} == {(0, EU_WEST)}
    assert len(outcomes) > RESTARTS * 0.3 * RATE


def test_a_kill_loses_a_batch_at_most(daemon: Daemon) -> None:
    """What it had taken and not answered yet."""
    until((daemon.state_dir / "state.json").exists, "the state to be saved")
    with Load(daemon.address, [("www.example.com", LONDON)], RATE) as load:
        time.sleep(0.3)
        daemon.signal(SIGKILL)
        until(lambda: not alive(daemon.pid), "its end")
        daemon.stop()
        daemon.launch()
        daemon.wait_ready()
        time.sleep(0.3)
    assert load.lost <= BATCH
    assert {(outcome.rcode, outcome.address) for outcome in load.outcomes()} == {(0, EU_WEST)}


def test_what_was_given_wrongly(tmp_path: Path) -> None:
    """A descriptor that is no socket for DNS ends the start with a sentence."""
    with socket.socket(socket.AF_UNIX) as wrong:
        daemon = Daemon(tmp_path, three_regions())
        daemon.given = (wrong,)
        daemon.launch()
        with pytest.raises(RuntimeError, match="ended with 1"):
            daemon.wait_ready()
    assert "neither a UDP socket nor a TCP listener" in daemon.output()
    assert "Traceback" not in daemon.output()
