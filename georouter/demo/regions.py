"""Local HTTP servers that stand in for regions, each of which can be taken down and brought back.

A mode per region, as a person would want to see it fail:

    up    answers 200 to everything
    down  does not listen: connections are refused
    hang  accepts connections and never answers
    sick  answers 503
"""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from enum import StrEnum

from aiohttp import web

from georouter.words.errors import SourceError


class Mode(StrEnum):
    """What a stand-in does with a health check."""

    UP = "up"
    DOWN = "down"
    HANG = "hang"
    SICK = "sick"


class StandIn:
    """One region's server at `address`; `mode` says what it does now."""

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        self.name = name
        self.address = address
        self.mode = Mode.DOWN
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    async def turn(self, mode: Mode) -> None:
        """Change to `mode`; returns when a new connection would see it."""
        if mode is self.mode:
            return
        await self._close()
        if mode is not Mode.DOWN:
            await self._listen(mode)
        self.mode = mode

    async def _listen(self, mode: Mode) -> None:
        self._released = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handler(mode))
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        host, port = self.address
        try:
            await web.TCPSite(runner, host, port, reuse_address=True).start()
        except OSError as error:
            await runner.cleanup()
            raise SourceError(
                f"the stand-in for region {self.name} cannot listen on {host}:{port}: "
                f"{os.strerror(error.errno or 0)}; is another demo running?"
            ) from error
        self._runner = runner

    def _handler(self, mode: Mode):  # type: ignore[no-untyped-def]  # aiohttp's handler type is private
        released = self._released

        async def answer(_request: web.Request) -> web.Response:
            if mode is Mode.HANG:
                await released.wait()
            if mode is Mode.SICK:
                return web.Response(status=503, text="sick\n")
            return web.Response(text=f"ok {self.name}\n")

        return answer

    async def _close(self) -> None:
        self._released.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            with suppress(OSError):
                await runner.cleanup()


class StandIns:
    """All regions' servers, and the small HTTP door by which a second command turns them."""

    def __init__(self, addresses: Mapping[str, tuple[str, int]]) -> None:
        self.regions = {name: StandIn(name, address) for name, address in addresses.items()}
        self._runner: web.AppRunner | None = None
        self._turning: set[asyncio.Task[None]] = set()

    async def start(self, door: tuple[str, int]) -> None:
        """Turn every region up and open the door."""
        for region in self.regions.values():
            await region.turn(Mode.UP)
        app = web.Application()
        app.router.add_post("/{region}/{mode}", self._turn)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, *door).start()
        except OSError as error:
            raise SourceError(
                f"the demo's door cannot listen on {door[0]}:{door[1]}: {os.strerror(error.errno or 0)}; "
                "is another demo running?"
            ) from error

    def later(self, turning: Coroutine[None, None, None]) -> None:
        """Run a turn that nobody waits for (a key was pressed)."""
        task = asyncio.get_running_loop().create_task(turning)
        self._turning.add(task)
        task.add_done_callback(self._turning.discard)

    async def stop(self) -> None:
        """Close everything."""
        if self._runner is not None:
            await self._runner.cleanup()
        for region in self.regions.values():
            await region.turn(Mode.DOWN)

    async def _turn(self, request: web.Request) -> web.Response:
        name, mode = request.match_info["region"], request.match_info["mode"]
        if name not in self.regions:
            return web.Response(status=404, text=f"no region {name}; there are {', '.join(self.regions)}\n")
        if mode not in set(Mode):
            return web.Response(status=404, text=f"no mode {mode}; there are {', '.join(Mode)}\n")
        await self.regions[name].turn(Mode(mode))
        return web.Response(text=f"{name} is {mode}\n")
