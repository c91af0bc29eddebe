"""Every datagram sent back as it came: the ceiling of the socket API, with nothing decided."""

import sys
from dataclasses import replace

from benchmarks.peers.native import compiler, program
from benchmarks.peers.peer import Peer
from benchmarks.peers.world import Site


def prepare(site: Site) -> list[str]:
    """The compiled program and its port."""
    return [str(program("echo")), str(site.port)]


def prepare_two(site: Site) -> list[str]:
    """The same with two workers."""
    return [*prepare(site), "2"]


PEER = Peer(
    name="bare echo",
    program=sys.executable,  # what is needed is a compiler, of any name
    prepare=prepare,
    missing=lambda: None if compiler() else "apt-get install --no-install-recommends gcc libc6-dev",
    decides=False,
)
TWO_WORKERS = replace(PEER, name="bare echo, two workers", prepare=prepare_two)
"""For a processor more, see workers.py."""
