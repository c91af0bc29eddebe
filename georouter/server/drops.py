"""Datagrams that the kernel dropped because a socket's receive buffer was full."""

import os
import socket
import struct
from pathlib import Path

_SO_MEMINFO = 55
_MEMINFO_WORDS = 16
_MEMINFO_DROPS = 8
"""SK_MEMINFO_DROPS of <linux/sock_diag.h>, Linux 4.12 and later."""
_INODE_COLUMN, _DROPS_COLUMN = 9, 12
"""Of /proc/net/udp, which tells the same on older kernels."""


def socket_drops(sock: socket.socket) -> int:
    """The drops of an open UDP socket since it was opened; 0 where the kernel does not tell."""
    try:
        words = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * _MEMINFO_WORDS)
    except OSError:
        return _listed_drops(sock)
    if len(words) < 4 * (_MEMINFO_DROPS + 1):
        return _listed_drops(sock)
    drops: int = struct.unpack_from("=I", words, 4 * _MEMINFO_DROPS)[0]
    return drops


def _listed_drops(sock: socket.socket) -> int:
    table = Path("/proc/net/udp6" if sock.family == socket.AF_INET6 else "/proc/net/udp")
    try:
        return drops_in(table.read_text(encoding="ascii"), os.fstat(sock.fileno()).st_ino)
    except OSError:
        return 0


def drops_in(table: str, inode: int) -> int:
    """The drops that /proc/net/udp lists for a socket; 0 when it is not in there."""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) > _DROPS_COLUMN and columns[_INODE_COLUMN] == str(inode):
            return int(columns[_DROPS_COLUMN])
    return 0
