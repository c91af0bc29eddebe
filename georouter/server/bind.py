"""Opening the sockets: our own workers share an address, nobody else does.

`SO_REUSEPORT` lets several sockets of one user share an address, which is what workers want and what
would let a second instance take half of the queries unseen. So every address is first bound without
it: that fails when anybody else is there, with or without the option on their side.
"""

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from georouter.words.errors import SourceError

Address = tuple[str, int]
"""(numeric host, port); port 0 lets the kernel choose one for UDP and TCP together."""

TCP_BACKLOG = 1024
_PORT_ATTEMPTS = 16
"""How often a port the kernel chose for UDP may turn out to be taken for TCP."""

# Linux numbers that the socket module does not name on every version.
_SO_RCVBUFFORCE = 33
_IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT = 10, 5
_IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_OMIT = 23, 5
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50

_HINTS = {
    errno.EADDRINUSE: "the address is taken: stop the program that listens there, or choose another address",
    errno.EADDRNOTAVAIL: "this machine has no such address: add it to an interface, or choose another one",
    errno.EACCES: (
        "not permitted: ports below 1024 need CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=), "
        "or choose a higher port"
    ),
    errno.EAFNOSUPPORT: "this machine does not speak that address family",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """One listening address: a UDP socket per worker, and a TCP listener."""

    address: Address
    udp: tuple[socket.socket, ...]
    tcp: socket.socket

    def close(self) -> None:
        """Give the address back."""
        for sock in (*self.udp, self.tcp):
            sock.close()


def try_bind(listen: Sequence[Address]) -> None:
    """Bind every address and let go again. SourceError names the first that is not to be had."""
    for address in listen:
        if address[1] == 0:
            continue
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sock = _open(address, kind)
            try:
                _bind(sock, address)
                if kind == socket.SOCK_STREAM:
                    _listen(sock, address)
            finally:
                sock.close()


def bind_all(listen: Sequence[Address], workers: int, receive_buffer_bytes: int) -> tuple[Bound, ...]:
    """Bind all addresses for `workers` UDP workers. SourceError, and nothing left open, otherwise."""
    try_bind(listen)
    with contextlib.ExitStack() as undo:
        bound: list[Bound] = []
        for address in listen:
            bound.append(_bind_one(address, workers, receive_buffer_bytes))
            undo.callback(bound[-1].close)
        undo.pop_all()
    return tuple(bound)


def is_wildcard(host: str) -> bool:
    """True for the address that stands for all of the machine's addresses."""
    return ip_address(host.partition("%")[0]).is_unspecified


def receive_buffer(sock: socket.socket) -> int:
    """The receive buffer the kernel granted, in the unit it was asked for (it doubles what it keeps)."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def ask_receive_buffer(sock: socket.socket, size: int) -> None:
    """The receive buffer asked for, past the system's limit where we may (CAP_NET_ADMIN)."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    if receive_buffer(sock) < size:
        _try_option(sock, socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)


def _bind_one(address: Address, workers: int, receive_buffer_bytes: int) -> Bound:
    for attempt in range(_PORT_ATTEMPTS):
        with contextlib.ExitStack() as undo:
            udp: list[socket.socket] = []
            wanted = address
            for _ in range(workers):
                udp.append(undo.enter_context(_open_udp(wanted, workers, receive_buffer_bytes)))
                wanted = (address[0], udp[0].getsockname()[1])
            tcp = undo.enter_context(_open(wanted, socket.SOCK_STREAM))
            try:
                _bind(tcp, wanted)
                _listen(tcp, wanted)
            except SourceError:
                if address[1] == 0 and attempt + 1 < _PORT_ATTEMPTS:
                    continue
                raise
            tcp.setblocking(False)
            undo.pop_all()
            return Bound(wanted, tuple(udp), tcp)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _open_udp(address: Address, workers: int, receive_buffer_bytes: int) -> socket.socket:
    sock = _open(address, socket.SOCK_DGRAM)
    try:
        if workers > 1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ask_receive_buffer(sock, receive_buffer_bytes)
        if sock.family == socket.AF_INET6:
            # Answers are small by design and never worth a path MTU guessed from forged ICMP.
            _try_option(sock, socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_OMIT)
        else:
            _try_option(sock, socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT)
        if is_wildcard(address[0]):
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        _bind(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _open(address: Address, kind: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        sock = socket.socket(family, kind)
    except OSError as error:
        raise _refused(address, kind, error) from error
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_STREAM:
        # Connections that an earlier run left behind do not count as taken; a listener does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def _bind(sock: socket.socket, address: Address) -> None:
    try:
        resolved = socket.getaddrinfo(*address, sock.family, sock.type, flags=socket.AI_NUMERICHOST)
        sock.bind(resolved[0][4])
    except OSError as error:
        raise _refused(address, sock.type, error) from error


def _listen(sock: socket.socket, address: Address) -> None:
    try:
        sock.listen(TCP_BACKLOG)
    except OSError as error:
        raise _refused(address, sock.type, error) from error


def _try_option(sock: socket.socket, level: int, option: int, value: int) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(level, option, value)


def _refused(address: Address, kind: int, error: OSError) -> SourceError:
    host, port = address
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    transport = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    reason = _HINTS.get(error.errno or 0, error.strerror or str(error))
    return SourceError(f"cannot listen on {where} ({transport}): {reason} (server.listen)")
