"""What a supervisor hears, and that nothing is lost when there is none or it is deaf."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from georouter.daemon.notify import PULSES_PER_TIMEOUT, SEND_TIMEOUT_S, Notifier, from_environment

PID = 4711


class Supervisor:
    """The other end of `$NOTIFY_SOCKET`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        """The messages since the last call, each as its lines."""
        messages: list[list[str]] = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return messages


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    """One that listens at a path, one in the abstract namespace."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@georouter-test-{os.getpid()}"
    made = Supervisor(name)
    yield made
    made.socket.close()


def test_a_life(supervisor: Supervisor) -> None:
    """Ready, news, the end; a status that has not changed is not repeated, nor can it forge a line."""
    notifier = from_environment({"NOTIFY_SOCKET": supervisor.address}, PID)
    notifier.ready("3 up")
    notifier.status("3 up")
    notifier.status("2 up\nREADY=1")
    notifier.stopping()
    assert supervisor.heard() == [
        ["READY=1", "STATUS=3 up"],
        ["STATUS=2 up READY=1"],
        ["STOPPING=1"],
    ]


def test_a_reload(supervisor: Supervisor) -> None:
    """It is ready again when as many reloads have ended as were begun; the clock is the supervisor's."""
    notifier = Notifier(supervisor.address)
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    notifier.reloading()
    first, second = supervisor.heard()
    assert first[0] == second[0] == "RELOADING=1"
    key, _, value = first[1].partition("=")
    assert key == "MONOTONIC_USEC"
    assert before <= int(value) <= time.monotonic_ns() // 1000
    notifier.reloaded("one of two")
    assert supervisor.heard() == []
    notifier.reloaded("both")
    assert supervisor.heard() == [["READY=1", "STATUS=both"]]


def test_the_pulse_follows_the_loop(supervisor: Supervisor) -> None:
    """One pulse per turn; a loop that no longer turns has none, which is what the watchdog is for."""
    notifier = Notifier(supervisor.address, watchdog_s=0.003)
    turns = 0

    async def live() -> None:
        stuck = asyncio.Event()

        async def turn() -> None:
            nonlocal turns
            turns += 1
            if turns > 3:
                stuck.set()
                await asyncio.Event().wait()

        pulse = asyncio.create_task(notifier.pulse(turn))
        await stuck.wait()
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)

    asyncio.run(live())
    assert supervisor.heard() == [["WATCHDOG=1"]] * 3


def test_the_pulse_is_quicker_than_the_watchdog() -> None:
    """One may be late, one lost."""
    assert PULSES_PER_TIMEOUT >= 3


def test_a_pulse_needs_a_watchdog() -> None:
    """Starting one without is a mistake of ours, said at once."""
    with pytest.raises(ValueError, match="nobody watches"):
        asyncio.run(Notifier().pulse(lambda: asyncio.sleep(0)))


@pytest.mark.parametrize(
    ("variables", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID)}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "³"}, None),
        ({"WATCHDOG_USEC": "9" * 400}, None),
    ],
)
def test_the_watchdog_is_what_the_environment_says(
    variables: dict[str, str], watchdog_s: float | None
) -> None:
    """Microseconds, for our process only; nonsense is no watchdog."""
    assert from_environment({"NOTIFY_SOCKET": "/run/x", **variables}, PID).watchdog_s == watchdog_s


@pytest.mark.parametrize("address", ["", "@", "/", "vsock:2:1234", "/nowhere/at/all", "/\0", "@" + "x" * 500])
def test_nobody_there(address: str) -> None:
    """No supervisor, or an address of another kind: nothing is raised, and nobody watches nobody."""
    notifier = from_environment({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"}, PID)
    notifier.ready("up")
    notifier.reloading()
    notifier.reloaded("up")
    notifier.stopping()
    if len(address) < 2 or address[0] not in "/@":
        assert notifier.watchdog_s is None


def test_a_deaf_supervisor_does_not_stop_us(tmp_path: Path) -> None:
    """Its queue is full: each message waits a moment at most and is dropped."""
    supervisor = Supervisor(str(tmp_path / "notify"))
    with supervisor.socket:
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        filler.setblocking(False)
        with filler, contextlib.suppress(BlockingIOError):
            for _ in range(100_000):
                filler.sendto(b"x", supervisor.address)
            pytest.fail("its queue has no end")
        began = time.monotonic()
        Notifier(supervisor.address).stopping()
        assert time.monotonic() - began < SEND_TIMEOUT_S * 4
