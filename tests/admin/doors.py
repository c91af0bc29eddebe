"""A door on a port of its own, for the length of a test."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from georouter.admin.app import RunningAdmin, start
from georouter.admin.doorkeeper import Doorkeeper
from tests.admin.desks import FakeDesk

Visit = Callable[[httpx.AsyncClient, FakeDesk], Awaitable[None]]


def visit(
    what: Visit,
    *,
    token: str | None = None,
    desk: FakeDesk | None = None,
    doorkeeper: Doorkeeper | None = None,
) -> None:
    """Open a door on loopback, call `what` with a client and the desk behind it, close the door."""

    async def run() -> None:
        behind = desk or FakeDesk()
        admin: RunningAdmin = await start("127.0.0.1", 0, behind, token, doorkeeper=doorkeeper)
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{admin.port}", trust_env=False
            ) as client:
                await what(client, behind)
        finally:
            await admin.stop()

    asyncio.run(run())
