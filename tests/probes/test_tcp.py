"""TCP checks."""

import socket

from georouter.policy.model import CheckType
from tests.probes.servers import OK, TIMEOUT_S, probe, resets, says, silent, unused_port

TCP = CheckType.TCP


def test_a_connection_is_enough() -> None:
    """Whatever the other side does with it."""
    for handler in (silent, resets, says(OK)):
        result = probe(handler, TCP)
        assert result.ok
        assert result.rtt_s is not None


def test_a_refused_connection_fails() -> None:
    """Nobody listens there."""
    assert probe(silent, TCP, port=unused_port()).reason == "connection refused"


def test_a_swallowed_connection_is_a_timeout() -> None:
    """A listener whose queue is full lets the kernel drop every further SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            result = probe(silent, TCP, port=listener.getsockname()[1], timeout_s=TIMEOUT_S)
        finally:
            for filler in fillers:
                filler.close()
    assert result.reason == f"timeout after {TIMEOUT_S:g} s while connecting"
    assert result.rtt_s is None


def test_ipv6_is_asked_like_ipv4() -> None:
    """The address decides the family."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen()
        assert probe(silent, TCP, address="::1", port=listener.getsockname()[1]).ok
