"""The first minute: `georouter demo` on a terminal, a key press, and the answers move."""

import contextlib
import os
import pty
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import pytest

from benchmarks.harness.ask import ask
from benchmarks.harness.daemon import PROGRAM
from benchmarks.harness.policies import AP_SOUTH, ASHBURN, EU_WEST, LONDON, SINGAPORE, US_EAST
from benchmarks.harness.wait import free_port, until
from georouter.demo.run import DOOR

pytestmark = pytest.mark.live
NAME = "www.example.com"


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: where it answers, what it shows, and its keyboard."""

    address: tuple[str, int]
    screen: Callable[[], str]
    press: Callable[[str], None]
    wait: Callable[[float], int]

    def answer(self, client: str) -> str:
        """The address that a client gets; "" before it answers."""
        with contextlib.suppress(OSError, dns.exception.Timeout):
            return next(iter(ask(self.address, NAME, client=client, timeout_s=0.5).addresses), "")
        return ""


@pytest.fixture
def demo(repository: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo's own policy on free ports and at a faster pace, with a terminal for its input."""
    with socket.socket() as probe:
        if probe.connect_ex(DOOR) == 0:
            pytest.skip("another demo is running on this machine")
    port = free_port()
    text = (repository / "config/demo.yaml").read_text()
    text = re.sub(r"listen: .*", f'listen: ["127.0.0.1:{port}"]', text)
    text = re.sub(r"admin: .*", f'admin: "127.0.0.1:{free_port()}"', text)
    text = re.sub(r"port: \d+", lambda _: f"port: {free_port()}", text)
    text = text.replace("path: /healthz}", "path: /healthz, interval: 1s, confirm_interval: 100ms}")
    policy = tmp_path / "demo.yaml"
    policy.write_text(text)
    keyboard, terminal = pty.openpty()
    screen = tmp_path / "screen"
    with screen.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "demo", "--config", str(policy)],
            stdin=terminal,
            stdout=output,
            stderr=output,
            cwd=tmp_path,
        )
    try:
        yield Demo(
            ("127.0.0.1", port),
            screen.read_text,
            lambda key: bool(os.write(keyboard, key.encode())) or None,
            process.wait,
        )
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(15)
        os.close(keyboard)
        os.close(terminal)


def test_a_failover_within_a_minute(demo: Demo) -> None:
    """Three clients, three regions; press 2 and London moves, again and it returns; q ends it well."""
    until(lambda: demo.answer(LONDON), "the demo's first answer")
    assert [demo.answer(client) for client in (LONDON, ASHBURN, SINGAPORE)] == [EU_WEST, US_EAST, AP_SOUTH]
    until(lambda: f"+subnet={LONDON}" in demo.screen(), "the welcome")

    demo.press("2")
    until(lambda: demo.answer(LONDON) == US_EAST, "London to move")
    until(lambda: re.search(r"eu-west is .*down", demo.screen()), "a line that says so")
    demo.press("2")
    until(lambda: demo.answer(LONDON) == EU_WEST, "London to return")

    done = subprocess.run([PROGRAM, "demo", "down", "ap-south"], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    until(lambda: demo.answer(SINGAPORE) not in {"", AP_SOUTH}, "Singapore to move")

    demo.press("q")
    assert demo.wait(15) == 0
    assert "Traceback" not in demo.screen()
