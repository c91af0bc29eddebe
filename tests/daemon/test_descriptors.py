"""Sharing a limit of open files."""

import subprocess
import sys

import pytest

from georouter.daemon.descriptors import NEEDED, tcp_connections


@pytest.mark.parametrize(
    ("wanted", "limit", "allowed"),
    [
        (1000, 1_000_000, 1000),
        (1000, 1000 + NEEDED, 1000),
        (1000, 999 + NEEDED, 999),
        (1000, 1024, 512),
        (1000, 64, 32),
        (20, 64, 20),
        (1000, 1, 1),
    ],
)
def test_tcp_leaves_room_for_the_rest(wanted: int, limit: int, allowed: int) -> None:
    """All of them, or what is left, or half of too little."""
    assert tcp_connections(wanted, limit) == allowed


@pytest.mark.parametrize(("limits", "raised"), [("100:300", 300), ("100:100", 100)])
def test_the_soft_limit_is_raised(limits: str, raised: int) -> None:
    """As far as the hard one allows."""
    code = "from georouter.daemon.descriptors import raise_limit; print(raise_limit())"
    command = ["prlimit", f"--nofile={limits}", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert int(done.stdout) == raised
