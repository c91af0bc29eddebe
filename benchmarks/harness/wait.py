"""Waiting for something to become true, and free ports."""

import itertools
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
STEP_S, SLOW_STEP_S = 0.01, 0.1
"""Between two looks, in the first second and after it: a look that costs much (a scrape, a question) must
not keep what is waited for from the processor.
"""
PORTS = (20_000, 32_768)
"""Linux takes 32768 to 60999 for outgoing connections (net.ipv4.ip_local_port_range)."""


def _share() -> Iterator[int]:
    """The ports of this process in turn: those of tests that run beside each other do not overlap."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (PORTS[1] - PORTS[0]) // workers
    first, begin = PORTS[0] + number * size, random.randrange(size)
    return (first + (begin + step) % size for step in itertools.count())


_PORTS = _share()


def until(probe: Callable[[], T | None], what: str, timeout_s: float = 20.0) -> T:
    """Call `probe` until it gives something truthy and return that; TimeoutError naming `what`."""
    began = time.monotonic()
    while True:
        result = probe()
        if result:
            return result
        waited_s = time.monotonic() - began
        if waited_s > timeout_s:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(STEP_S if waited_s < 1.0 else SLOW_STEP_S)


def free_port(host: str = "127.0.0.1") -> int:
    """A port free for TCP and UDP on `host` just now.

    Below those that the kernel gives to outgoing connections: one of these could otherwise take the port of a
    server that is down for a while, and a client that asks too early could be connected to itself.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in _PORTS:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(family, kind) as probe:
                    probe.bind((host, port))
        except OSError:
            continue
        return port
    raise AssertionError("there is always one more")
