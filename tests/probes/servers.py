"""Endpoints that behave, and all the ways in which they do not."""

import asyncio
import gc
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from georouter.facts.endpoints import EndpointKey
from georouter.facts.rules import HealthRule
from georouter.policy.model import CheckType
from georouter.probes.ask import Asker
from georouter.probes.resolve import Resolver
from georouter.probes.target import ProbeResult, Target
from georouter.words.ids import CheckName, RegionName

Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENT_S = 5.0
"""The timeout of probes that are not about timeouts."""
TIMEOUT_S = 0.25
"""The timeout of probes that are."""
LATE_S = 1.0
"""How much longer than its timeout a probe may take on a busy machine."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free loopback port; its handlers end with it, whatever they do."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the probe left, or the test is over
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)  # aborted transports close their sockets in the next round


def target(*, kind: CheckType = CheckType.HTTP, **fields: Any) -> Target:
    """A target on loopback."""
    known: dict[str, Any] = {
        "key": EndpointKey(RegionName("eu"), "127.0.0.1", CheckName("web")),
        "type": kind,
        "address": "127.0.0.1",
        "port": 0,
        "host": "web.example.com",
        "server_name": "web.example.com",
        "rule": HealthRule(timeout_s=PATIENT_S),
    }
    return Target(**(known | fields))


def probe(
    handler: Handler,
    kind: CheckType = CheckType.HTTP,
    *,
    tls: ssl.SSLContext | None = None,
    resolver: Resolver | None = None,
    timeout_s: float = PATIENT_S,
    **fields: Any,
) -> ProbeResult:
    """What one probe makes of `handler`. Also proves that it kept to its time and leaked nothing."""

    async def once() -> ProbeResult:
        async with serving(handler, tls) as port:
            result = await Asker(time.time, lambda: 0.0, resolver).ask(
                target(kind=kind, rule=HealthRule(timeout_s=timeout_s), **{"port": port, **fields})
            )
            await asyncio.sleep(0)
            assert not [task for task in asyncio.all_tasks() if not is_the_servers(task)], "a task was left"
            return result

    files = open_files()
    result = asyncio.run(once())
    gc.collect()
    assert open_files() == files, "a socket was left behind"
    assert 0 <= result.ended - result.started <= timeout_s + LATE_S
    assert result.ok == (result.reason == "")
    return result


def probe_with(rule: HealthRule, handler: Handler) -> ProbeResult:
    """What one probe by this rule makes of `handler`."""

    async def once() -> ProbeResult:
        async with serving(handler) as port:
            return await Asker(time.time, lambda: 0.0).ask(target(rule=rule, port=port))

    return asyncio.run(once())


def is_the_servers(task: "asyncio.Task[Any]") -> bool:
    """Whether a task belongs to the test and its server, not to the probe."""
    name = getattr(task.get_coro(), "__qualname__", "")
    return name in {"probe.<locals>.once", "serving.<locals>.handle"} or "_accept_connection" in name


def open_files() -> int:
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def says(*parts: bytes, pause_s: float = 0.0, after: float = 0.0) -> Handler:
    """A handler that reads the request and sends `parts`, then waits and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        await asyncio.sleep(after)
        writer.close()
        await writer.wait_closed()

    return handle


def repeats(start: bytes, part: bytes, *, pause_s: float = 0.0) -> Handler:
    """A handler that sends `start` and then `part` for ever."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, reads, never says anything."""
    await asyncio.sleep(3600)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the request and closes."""
    await reader.readuntil(b"\r\n\r\n")


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the request and resets the connection."""
    await reader.readuntil(b"\r\n\r\n")
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def unused_port() -> int:
    """A loopback port that refuses connections."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
