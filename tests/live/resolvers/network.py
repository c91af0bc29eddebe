"""A network of our own with nothing but a loopback: there, port 53 is free and no query leaves the machine.

Unlike `tests.live.machine`, it is this process that goes there and comes back, so that whatever it starts
and asks meanwhile is there too. Needs root.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""linux/sched.h; Python has `os.unshare` and `os.setns` only from 3.12 on."""
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def why_not() -> str | None:
    """What keeps us from having one; None when nothing does."""
    if os.geteuid() != 0:
        return "only root can make a network"
    if shutil.which("ip", path=PATH) is None:
        return "a network of our own needs ip (iproute2)"
    try_it = ["unshare", "--net", "true"]
    done = subprocess.run(try_it, capture_output=True, text=True, timeout=20, check=False)
    return f"this system lets nobody make networks: {done.stderr.strip()}" if done.returncode else None


@contextlib.contextmanager
def own_network(addresses: Sequence[str]) -> Iterator[None]:
    """Be in one, whose loopback has `addresses` besides its own; then back again.

    Meant for the main thread: another one would go alone.
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as home:
        _must(kernel.unshare(CLONE_NEWNET))
        try:
            lines = [
                "link set lo up",
                *(f"address add {address}/{128 if ':' in address else 32} dev lo" for address in addresses),
            ]
            ip = shutil.which("ip", path=PATH) or "ip"
            subprocess.run([ip, "-batch", "-"], input="\n".join(lines), text=True, timeout=20, check=True)
            yield
        finally:
            _must(kernel.setns(home.fileno(), CLONE_NEWNET))


def _must(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
