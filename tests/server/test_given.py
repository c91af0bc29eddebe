"""Sockets that a supervisor opened."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.harness.wait import free_port
from georouter.server.bind import bind_all, try_bind
from georouter.server.given import given_sockets, is_listener, takes_both
from georouter.server.mmsg import MmsgChannel, open_channel
from georouter.words.errors import SourceError

PID = 4711


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as held:
        yield held


def udp(stack: ExitStack, host: str = "127.0.0.1", port: int = 0, *, share: bool = False) -> socket.socket:
    """A bound UDP socket."""
    sock = stack.enter_context(
        socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    )
    if share:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # not a port that the kernel gives to outgoing connections, of which TCP may be using it
    sock.bind((host, port or free_port(host)))
    return sock


def pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """UDP and a TCP listener on one port."""
    while True:
        first = udp(stack)
        try:
            return first, stack.enter_context(socket.create_server(first.getsockname()))
        except OSError:
            continue


def passed(stack: ExitStack, *sockets: socket.socket) -> int:
    """Copies of them as consecutive descriptors, like a supervisor's; the first one."""
    first = os.dup(0)
    os.close(first)
    first += 50
    for number, sock in enumerate(sockets):
        os.dup2(sock.fileno(), first + number)
    return first


def environment(count: int, names: str = "") -> dict[str, str]:
    """What sd_listen_fds(3) looks at, and something else."""
    return {"LISTEN_PID": str(PID), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names, "OTHER": "stays"}


def test_udp_and_tcp(stack: ExitStack) -> None:
    """In their order, not blocking, not for children; the variables are gone."""
    both = pair(stack)
    first = passed(stack, *both)
    variables = environment(2, "dns:dns")
    found = given_sockets(variables, PID, first)
    for sock in found:
        stack.enter_context(sock)
    assert variables == {"OTHER": "stays"}
    assert [sock.getsockname() for sock in found] == [sock.getsockname() for sock in both]
    assert [is_listener(sock) for sock in found] == [False, True]
    assert not any(sock.getblocking() or sock.get_inheritable() for sock in found)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": str(PID)},
        {"LISTEN_PID": str(PID + 1), "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(PID), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(PID), "LISTEN_FDS": "-1"},
        {"LISTEN_PID": str(PID), "LISTEN_FDS": "many"},
        {"LISTEN_PID": str(PID), "LISTEN_FDS": "9" * 30},
        {"LISTEN_PID": "", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "dns"},
    ],
)
def test_nothing_for_us(variables: dict[str, str]) -> None:
    """Not a word, or not to this process."""
    assert given_sockets(variables, PID) == ()
    assert variables == {}


def test_what_is_no_socket_for_dns(stack: ExitStack) -> None:
    """It is named, and says what it should have been; what was good is closed."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    client = stack.enter_context(socket.create_connection(listener.getsockname()))
    unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    for bad in (client, unix):
        first = passed(stack, listener, bad)
        with pytest.raises(SourceError, match=r"'wrong'.*neither.*ListenDatagram"):
            given_sockets(environment(2, "dns:wrong"), PID, first)
        with pytest.raises(OSError, match=r"."):
            os.fstat(first)
    with pytest.raises(SourceError, match=r"'unknown'.*no socket"):
        given_sockets(environment(1), PID, 900)


def test_they_stand_in_for_addresses(stack: ExitStack) -> None:
    """What they cover is not bound again; what they do not is."""
    both = pair(stack)
    address = both[0].getsockname()
    with pytest.raises(SourceError, match="taken"):
        try_bind([address])
    try_bind([address], both)
    given, other = bind_all([address, ("127.0.0.2", 0)], 1, 65536, [sock.dup() for sock in both])
    for bound in (given, other):
        stack.callback(bound.close)
    assert (given.address, given.given, other.given) == (address, True, False)
    assert [sock.getsockname() for sock in (*given.udp[0], *given.tcp)] == [address, address]
    assert other.address[0] == "127.0.0.2"


def test_half_an_address(stack: ExitStack) -> None:
    """UDP was given, TCP is bound beside it."""
    sock = udp(stack)
    address = sock.getsockname()
    given, own = bind_all([address], 1, 65536, [sock.dup()])
    for bound in (given, own):
        stack.callback(bound.close)
    assert [len(given.udp[0]), len(given.tcp), len(own.udp[0]), len(own.tcp)] == [1, 0, 0, 1]
    assert own.tcp[0].getsockname() == address


@pytest.mark.parametrize(("wildcard", "host"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_a_wildcard_covers_its_addresses(stack: ExitStack, wildcard: str, host: str) -> None:
    """And one for both families covers IPv4, too."""
    sock = socket.socket(socket.AF_INET6 if ":" in wildcard else socket.AF_INET, socket.SOCK_DGRAM)
    stack.enter_context(sock)
    if ":" in wildcard:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((wildcard, 0))
    assert takes_both(sock) == (":" in wildcard)
    given, own = bind_all([(host, sock.getsockname()[1])], 1, 65536, [sock.dup()])
    for bound in (given, own):
        stack.callback(bound.close)
    assert (len(given.udp[0]), own.udp) == (1, ((),))


@pytest.mark.parametrize(("count", "workers"), [(1, 1), (1, 3), (3, 1), (3, 2), (2, 3)])
def test_every_socket_has_a_worker_and_every_worker_a_socket(
    stack: ExitStack, count: int, workers: int
) -> None:
    """However many of each there are: a socket that nobody reads would swallow queries."""
    first = udp(stack, share=True)
    address = first.getsockname()
    sockets = [first, *(udp(stack, *address, share=True) for _ in range(count - 1))]
    bounds = bind_all([address], workers, 65536, [sock.dup() for sock in sockets])
    for bound in bounds:
        stack.callback(bound.close)
    shares = bounds[0].udp
    assert len(shares) == workers
    assert all(shares)
    inodes = {os.fstat(sock.fileno()).st_ino for own in shares for sock in own}
    assert inodes == {os.fstat(sock.fileno()).st_ino for sock in sockets}


def test_one_socket_for_both_families(stack: ExitStack) -> None:
    """IPv4 clients get their answers from the address they asked, and are seen as IPv4."""
    sock = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))
    port = sock.getsockname()[1]
    given, own = bind_all([("::", port)], 1, 65536, [sock.dup()])
    stack.callback(given.close)
    stack.callback(own.close)
    channel = open_channel(given.udp[0][0], wildcard=True)
    assert not isinstance(channel, MmsgChannel)
    seen: list[tuple[int, int]] = []

    def respond(query: bytes, source: int, family: int, *_: object) -> bytes:
        seen.append((source, family))
        return query

    for host, family in (("127.0.0.5", socket.AF_INET), ("::1", socket.AF_INET6)):
        client = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        client.settimeout(5)
        client.sendto(bytes(12), (host, port))
        while channel.turn(respond, 0.0) == 0:
            pass
        assert client.recvfrom(100)[1][:2] == (host, port)
    assert seen == [(0x7F000001, 4), (1, 6)]
