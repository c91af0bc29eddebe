"""Sockets that a supervisor opened for us (sd_listen_fds(3)), and kept open while we were not there.

A restart then loses nothing: what comes meanwhile waits in them. Descriptors 3 and up are ours if
`$LISTEN_PID` names this process; `$LISTEN_FDNAMES` says what to call them when something is wrong.
"""

import socket
from collections.abc import MutableMapping

from georouter.words.errors import SourceError

FIRST = 3
"""SD_LISTEN_FDS_START."""
MOST = 1024
"""More than anybody lists addresses; bounds what a wrong variable has us look at."""
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def given_sockets(
    environ: MutableMapping[str, str], pid: int, first: int = FIRST
) -> tuple[socket.socket, ...]:
    """The sockets that `environ` promises to process `pid`; the variables are removed.

    SourceError for a descriptor that is not there, or is neither a UDP socket nor a TCP listener.
    """
    meant, count, names = (environ.pop(name, "") for name in _VARIABLES)
    if meant != str(pid) or not count.isascii() or not count.isdigit() or not 0 < int(count) <= MOST:
        return ()
    called = names.split(":") if names else []
    found: list[socket.socket] = []
    try:
        for number in range(int(count)):
            name = called[number] if number < len(called) else "unknown"
            found.append(_adopt(first + number, name))
    except BaseException:
        for sock in found:
            sock.close()
        raise
    return tuple(found)


def is_listener(sock: socket.socket) -> bool:
    """True for TCP that listens."""
    return sock.type == socket.SOCK_STREAM


def takes_both(sock: socket.socket) -> bool:
    """True for IPv6 sockets that IPv4 clients reach too."""
    return sock.family == socket.AF_INET6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def _adopt(descriptor: int, name: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(
            f"descriptor {descriptor} ({name!r}), given by the supervisor, is no socket: {reason}"
        ) from error
    udp = sock.type == socket.SOCK_DGRAM
    tcp = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if sock.family not in _FAMILIES or not (udp or tcp):
        sock.close()
        raise SourceError(
            f"descriptor {descriptor} ({name!r}), given by the supervisor, is neither a UDP socket nor a TCP "
            "listener (a socket unit for us has ListenDatagram= and ListenStream=, and Accept=no)"
        )
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock
