"""Drops: what the kernel threw away."""

import socket

import pytest

from georouter.server.drops import _listed_drops, drops_in, socket_drops

TABLE = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retr uid timeout inode ref pointer drops
  123: 0100007F:14B4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 00000000 17
  124: 0100007F:14B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 00000000 0
 short
"""


@pytest.mark.parametrize(("inode", "drops"), [(4711, 17), (4712, 0), (1, 0)])
def test_the_kernels_table(inode: int, drops: int) -> None:
    """Found by the socket's inode; an unknown one has none."""
    assert drops_in(TABLE, inode) == drops


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_full_buffer_is_counted(family: socket.AddressFamily) -> None:
    """Both ways of asking agree on a socket that nobody reads."""
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.socket(family, socket.SOCK_DGRAM) as deaf, socket.socket(family, socket.SOCK_DGRAM) as sender:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind((host, 0))
        assert socket_drops(deaf) == 0
        for _ in range(50):
            sender.sendto(bytes(1000), deaf.getsockname())
        assert 0 < socket_drops(deaf) < 50
        assert _listed_drops(deaf) == socket_drops(deaf)
