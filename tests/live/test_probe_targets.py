"""Endpoints that turn hostile: each goes down in time, and delays nobody else's checks."""

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import zone
from benchmarks.harness.processes import open_files, resident_mib
from benchmarks.harness.wait import until

pytestmark = [pytest.mark.live, pytest.mark.alone]

INTERVAL_S, TIMEOUT_S, CONFIRM_S, FALL = 1.0, 0.4, 0.1, 2
BOUND_S = INTERVAL_S + FALL * TIMEOUT_S + (FALL - 1) * CONFIRM_S + 1.2
"""From turning hostile to down: an interval, the failures in a row, and slack for a busy machine."""
LATEST_S = INTERVAL_S * 1.5
"""Between two checks of the endpoint that behaves."""
WATCH_S = 4.0
GROWTH_MIB = 4.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"
TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
"""What a TLS server says to somebody who speaks HTTP: a fatal alert, protocol version."""

HOSTILE: dict[str, tuple[bytes, bytes, float]] = {
    "silent": (b"", b"", 60.0),
    "endless-head": (HEAD, b"X-Filler: " + b"x" * 1000 + b"\r\n", 0.0),
    "slow-head": (HEAD, b"X", 0.05),
    "endless-body": (HEAD + b"\r\n", b"y" * 4096, 0.0),
    "slow-body": (HEAD + b"Content-Length: 1000\r\n\r\n", b"y", 0.05),
    "endless-chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n", 0.0),
    "interim-for-ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", b"", 60.0),
    "tls": (TLS_ALERT, b"", 0.0),
    "junk": (bytes(range(256)) * 8, b"", 0.0),
    "reset": (b"", b"", 0.0),
}
"""How each endpoint turns hostile: what it says first, what then for ever, and the pause between."""


class Endpoints:
    """One port per behaviour, and one that behaves; all behave until `turn`. Runs in a thread."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.asked: list[float] = []
        """When the good endpoint was asked."""
        self.hostile = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            for name in ("good", *HOSTILE):
                server = await asyncio.start_server(self._handler(name), "127.0.0.1", 0)
                stack.callback(server.close)
                self.ports[name] = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _handler(self, name: str) -> Callable[..., Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                if name == "good":
                    self.asked.append(time.monotonic())
                if name == "good" or not self.hostile:
                    writer.write(OK)
                    await writer.drain()
                else:
                    await _be_hostile(writer, *HOSTILE[name])
            except (OSError, EOFError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        return handle


async def _be_hostile(writer: asyncio.StreamWriter, start: bytes, part: bytes, pause_s: float) -> None:
    if not start and not part and not pause_s:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    writer.write(start)
    await writer.drain()
    while part or pause_s:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause_s)


def policy(ports: dict[str, int], https_port: int) -> str:
    """A region and a service for each endpoint; `plain` is asked for TLS where none is spoken."""
    pace = (
        f"interval: {INTERVAL_S:g}s, timeout: {TIMEOUT_S:g}s, confirm_interval: {CONFIRM_S:g}s, "
        f"fall: {FALL}, rise: 1, address: 127.0.0.1, path: /healthz"
    )
    lines = ["checks:"]
    for name, port in ports.items():
        lines.append(f"  {name}: {{type: http, port: {port}, expect: {{status: [200], body: ok}}, {pace}}}")
    lines.append(f"  plain: {{type: https, port: {https_port}, {pace}}}")
    lines.append("regions:")
    names = (*ports, "plain")
    for number, name in enumerate(names):
        lines.append(
            f"  {name}: {{location: {{lat: 1, lon: 1}}, check: {name}, endpoints: [192.0.2.{number + 1}]}}"
        )
    lines.append(f"services: {{web: {{regions: [{', '.join(names)}], chain: [nearest]}}}}")
    return "\n".join(lines) + "\n" + zone(["www: {service: web}"])


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    """All of them, behaving."""
    with Endpoints() as running:
        yield running


def test_hostile_endpoints(tmp_path: Path, endpoints: Endpoints) -> None:
    """Down within the bound, one by one; the good one is asked on time; nothing piles up; all return."""
    with Daemon(tmp_path, policy(endpoints.ports, endpoints.ports["good"])) as daemon:
        until(lambda: observed(daemon)["plain"] != "unknown", "every check to have been made")
        assert observed(daemon) == dict.fromkeys(("good", *HOSTILE), "up") | {"plain": "down"}
        memory, files = resident_mib(daemon.pid), open_files(daemon.pid)
        turned = time.monotonic()
        endpoints.hostile = True
        down_after = watch_them_fall(daemon, turned)
        assert max(down_after.values()) < BOUND_S, down_after
        time.sleep(WATCH_S)
        asked = [at for at in endpoints.asked if at > turned - INTERVAL_S]
        gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert max(gaps) < LATEST_S, gaps
        assert daemon.ask("www.example.com").addresses == ("192.0.2.1",)
        assert resident_mib(daemon.pid) - memory < GROWTH_MIB
        assert open_files(daemon.pid) <= files + len(HOSTILE) + 1
        endpoints.hostile = False
        until(lambda: daemon.metric("georouter_region_healthy") == 1 + len(HOSTILE), "all to return", 5)
        assert "Traceback" not in daemon.output()


def observed(daemon: Daemon) -> dict[str, str]:
    """The state of each region as its check sees it."""
    return {region["name"]: region["observed"] for region in daemon.status()["regions"]}


def watch_them_fall(daemon: Daemon, turned: float) -> dict[str, float]:
    """After how many seconds each hostile endpoint's region was down."""
    found: dict[str, float] = {}
    while len(found) < len(HOSTILE) and time.monotonic() < turned + 3 * BOUND_S:
        for name, state in observed(daemon).items():
            if name in HOSTILE and state == "down":
                found.setdefault(name, time.monotonic() - turned)
        time.sleep(0.02)
    assert set(found) == set(HOSTILE)
    return found
