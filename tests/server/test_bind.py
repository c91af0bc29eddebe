"""Bind: our workers share an address, nobody else does."""

import socket

import pytest

from georouter.server.bind import (
    IP_MTU_DISCOVER,
    IPV6_MTU_DISCOVER,
    PMTUDISC_OMIT,
    Bound,
    bind_all,
    is_wildcard,
    receive_buffer,
    try_bind,
)
from georouter.words.errors import SourceError

HOST = "127.0.0.1"


def bind_one(host: str = HOST, port: int = 0, workers: int = 1) -> Bound:
    """One address with a small buffer."""
    (bound,) = bind_all([(host, port)], workers, 65536)
    return bound


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
@pytest.mark.parametrize("workers", [1, 3])
def test_one_port_for_everything(host: str, workers: int) -> None:
    """UDP of every worker and TCP, on a port that the kernel chose."""
    bound = bind_one(host, workers=workers)
    try:
        ports = {sock.getsockname()[1] for sock in (*(own for (own,) in bound.udp), *bound.tcp)}
        assert ports == {bound.address[1]}
        assert len(bound.udp) == workers
    finally:
        bound.close()


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("second", [1, 2])
def test_a_second_instance_is_refused(first: int, second: int) -> None:
    """Also where both would share the address among workers of their own."""
    bound = bind_one(workers=first)
    try:
        for attempt in (lambda: try_bind([bound.address]), lambda: bind_one(*bound.address, workers=second)):
            with pytest.raises(
                SourceError, match=rf"{HOST}:{bound.address[1]} \(UDP\).*taken.*server\.listen"
            ):
                attempt()
    finally:
        bound.close()


def test_an_address_inside_a_wildcard_is_taken_too() -> None:
    """The other way round as well: one of them would get the other's queries."""
    bound = bind_one("0.0.0.0", workers=2)
    try:
        with pytest.raises(SourceError, match="taken"):
            try_bind([(HOST, bound.address[1])])
    finally:
        bound.close()


def test_a_taken_tcp_port_is_found() -> None:
    """Somebody else's listener, though UDP is free."""
    with socket.create_server((HOST, 0)) as other:
        address = other.getsockname()
        with pytest.raises(SourceError, match=r"\(TCP\).*taken"):
            try_bind([address])
        with pytest.raises(SourceError, match=r"\(TCP\).*taken"):
            bind_one(*address)


def test_old_connections_do_not_count() -> None:
    """A restart need not wait for TIME_WAIT."""
    bound = bind_one()
    with socket.create_connection(bound.address) as client:
        server_side, _ = accept(bound.tcp[0])
        server_side.close()
        assert client.recv(1) == b""
    bound.close()
    again = bind_one(*bound.address)
    again.close()


def accept(listener: socket.socket) -> tuple[socket.socket, object]:
    """Accept on a listener that does not block by itself."""
    listener.setblocking(True)
    return listener.accept()


def test_nothing_stays_open_when_one_address_is_taken() -> None:
    """All or none."""
    taken = bind_one()
    free = bind_one()
    free.close()
    try:
        with pytest.raises(SourceError):
            bind_all([free.address, taken.address], 1, 65536)
        again = bind_one(*free.address)
        again.close()
    finally:
        taken.close()


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192.0.2.1", "no such address"), ("2001:db8::1", "no such address"), ("nonsense", "")],
)
def test_addresses_that_are_not_ours(host: str, reason: str) -> None:
    """Named, with what to do about it."""
    with pytest.raises(SourceError, match=f"cannot listen on .*{host}.*{reason}"):
        try_bind([(host, 5300)])


def test_ipv6_takes_no_ipv4() -> None:
    """A wildcard of each family on one port."""
    both = bind_all([("::", 0)], 1, 65536)
    try:
        beside = bind_one("0.0.0.0", both[0].address[1])
        beside.close()
    finally:
        both[0].close()


def test_the_receive_buffer_is_what_the_kernel_grants() -> None:
    """In the unit it was asked for."""
    bound = bind_one()
    try:
        assert receive_buffer(bound.udp[0][0]) == 65536
    finally:
        bound.close()


def test_wildcards() -> None:
    """The two addresses that stand for all."""
    assert [is_wildcard(host) for host in ("0.0.0.0", "::", "127.0.0.1", "fe80::1%lo")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
@pytest.mark.parametrize("given", [False, True])
def test_no_path_mtu_is_believed(host: str, given: bool) -> None:
    """Whoever opened the socket: no DF, and no size that ICMP tells."""
    bound = bind_one(host)
    try:
        sock = bound.udp[0][0]
        if given:
            with socket.socket(sock.family, socket.SOCK_DGRAM) as plain:
                plain.bind((host, 0))
                (handed, own) = bind_all([(host, plain.getsockname()[1])], 1, 65536, [plain.dup()])
                own.close()
            bound.close()
            bound, sock = handed, handed.udp[0][0]
        if ":" in host:
            assert sock.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) == PMTUDISC_OMIT
        else:
            assert sock.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER) == PMTUDISC_OMIT
    finally:
        bound.close()
