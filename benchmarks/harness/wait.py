"""Waiting for something to become true, and free ports."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
STEP_S = 0.01


def until(probe: Callable[[], T | None], what: str, timeout_s: float = 20.0) -> T:
    """Call `probe` until it gives something truthy and return that; TimeoutError naming `what`."""
    end = time.monotonic() + timeout_s
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(STEP_S)


def free_port(host: str = "127.0.0.1") -> int:
    """A port free for TCP and UDP on `host` just now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind((host, port))
                except OSError:
                    continue
                return port
