"""Opening the sockets: our own workers share an address, nobody else does.

`SO_REUSEPORT` lets several sockets of one user share an address, which is what workers want and what
would let a second instance take half of the queries unseen. So every address is first bound without
it: that fails when anybody else is there, with or without the option on their side.

Sockets that a supervisor gave us (`given`) are used as they are; addresses they cover are not bound again.
"""

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from georouter.server.given import is_listener, takes_both
from georouter.words.errors import SourceError

Address = tuple[str, int]
"""(numeric host, port); port 0 lets the kernel choose one for UDP and TCP together."""

TCP_BACKLOG = 1024
_PORT_ATTEMPTS = 16
"""How often a port the kernel chose for UDP may turn out to be taken for TCP."""

# Linux numbers that the socket module does not name on every version.
_SO_RCVBUFFORCE = 33
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_OMIT = 10, 23, 5
IPV6_MTU, IPV6_LEAST_MTU = 24, 1280
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
    """One listening address: UDP sockets for each worker, and TCP listeners.

    `given` ones belong to a supervisor: what comes to them when we have gone is the next one's.
    """

    address: Address
    udp: tuple[tuple[socket.socket, ...], ...]
    tcp: tuple[socket.socket, ...]
    given: bool = False

    def close(self) -> None:
        """Give the address back."""
        for sock in (*(each for worker in self.udp for each in worker), *self.tcp):
            sock.close()


def try_bind(listen: Sequence[Address], given: Sequence[socket.socket] = ()) -> None:
    """Bind every address that `given` does not cover and let go again. SourceError names the first that is
    not to be had.
    """
    for address in listen:
        if address[1] == 0:
            continue
        for kind in _uncovered(address, given):
            sock = _open(address, kind)
            try:
                _bind(sock, address)
                if kind == socket.SOCK_STREAM:
                    _listen(sock, address)
            finally:
                sock.close()


def bind_all(
    listen: Sequence[Address],
    workers: int,
    receive_buffer_bytes: int,
    given: Sequence[socket.socket] = (),
) -> tuple[Bound, ...]:
    """Bind all addresses for `workers` UDP workers, but those that `given` covers; all of `given` are used.

    SourceError, and nothing left open (of `given` neither), otherwise.
    """
    with contextlib.ExitStack() as undo:
        for sock in given:
            undo.callback(sock.close)
        try_bind(listen, given)
        bound = _adopt(given, workers, receive_buffer_bytes)
        for each in bound:
            undo.callback(each.close)
        for address in listen:
            kinds = _uncovered(address, given)
            if kinds:
                bound.append(_bind_one(address, workers, receive_buffer_bytes, kinds))
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


def _uncovered(address: Address, given: Sequence[socket.socket]) -> tuple[int, ...]:
    """Of UDP and TCP, what nobody gave us for `address`."""
    return tuple(
        kind
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
        if not any(_covers(sock, kind, address) for sock in given)
    )


def _covers(sock: socket.socket, kind: int, address: Address) -> bool:
    host, port = sock.getsockname()[:2]
    if sock.type != kind or port != address[1]:
        return False
    wanted = ip_address(address[0].partition("%")[0])
    if is_wildcard(host):
        return takes_both(sock) or (sock.family == socket.AF_INET6) == (wanted.version == 6)
    return ip_address(host.partition("%")[0]) == wanted


def _adopt(given: Sequence[socket.socket], workers: int, receive_buffer_bytes: int) -> list[Bound]:
    """The sockets by address, those for UDP shared out among the workers."""
    addresses = dict.fromkeys(sock.getsockname()[:2] for sock in given)
    found: list[Bound] = []
    for address in addresses:
        here = [sock for sock in given if sock.getsockname()[:2] == address]
        udp = [sock for sock in here if not is_listener(sock)]
        for sock in udp:
            if receive_buffer(sock) < receive_buffer_bytes:
                ask_receive_buffer(sock, receive_buffer_bytes)
            _prepare_udp(sock, address)
        shared = [tuple(udp[number::workers]) for number in range(workers)]
        # where there are fewer than workers, some have the same one
        each = tuple(own or tuple(sock.dup() for sock in udp[:1]) for own in shared)
        found.append(Bound(address, each, tuple(sock for sock in here if is_listener(sock)), given=True))
    return found


def _bind_one(
    address: Address,
    workers: int,
    receive_buffer_bytes: int,
    kinds: Sequence[int] = (socket.SOCK_DGRAM, socket.SOCK_STREAM),
) -> Bound:
    for attempt in range(_PORT_ATTEMPTS):
        with contextlib.ExitStack() as undo:
            udp: list[socket.socket] = []
            wanted = address
            for _ in range(workers if socket.SOCK_DGRAM in kinds else 0):
                udp.append(undo.enter_context(_open_udp(wanted, workers, receive_buffer_bytes)))
                wanted = (address[0], udp[0].getsockname()[1])
            each = tuple((sock,) for sock in udp) or ((),) * workers
            if socket.SOCK_STREAM not in kinds:
                undo.pop_all()
                return Bound(wanted, each, ())
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
            return Bound(wanted, each, (tcp,))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _open_udp(address: Address, workers: int, receive_buffer_bytes: int) -> socket.socket:
    sock = _open(address, socket.SOCK_DGRAM)
    try:
        if workers > 1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ask_receive_buffer(sock, receive_buffer_bytes)
        _prepare_udp(sock, address)
        _bind(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _prepare_udp(sock: socket.socket, address: Address) -> None:
    ipv6 = sock.family == socket.AF_INET6
    # Answers are small by design and never worth a path MTU guessed from forged ICMP. Where the policy
    # allows larger ones, IPv6 fragments fit every path (NSD and Unbound set the same).
    if ipv6:
        _try_option(sock, socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_OMIT)
        _try_option(sock, socket.IPPROTO_IPV6, IPV6_MTU, IPV6_LEAST_MTU)
    if not ipv6 or takes_both(sock):
        _try_option(sock, socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_OMIT)
    if is_wildcard(address[0]):
        if ipv6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


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
