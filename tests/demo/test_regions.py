"""Stand-in regions do what their mode says."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import httpx
import pytest

from georouter.demo.regions import Mode, StandIns
from georouter.words.errors import SourceError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_stand_ins(check: Callable[[StandIns, int, int], Awaitable[None]]) -> None:
    async def run() -> None:
        port, door = _free_port(), _free_port()
        stand_ins = StandIns({"eu-west": ("127.0.0.1", port)})
        await stand_ins.start(("127.0.0.1", door))
        try:
            await check(stand_ins, port, door)
        finally:
            await stand_ins.stop()

    asyncio.run(run())


async def _get(port: int, timeout_s: float = 5.0) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=timeout_s) as client:
        return await client.get(f"http://127.0.0.1:{port}/healthz")


def test_modes_look_as_they_are_called() -> None:
    """Up answers, sick answers 503, down refuses, hang keeps silent, and up again answers."""

    async def check(stand_ins: StandIns, port: int, _door: int) -> None:
        region = stand_ins.regions["eu-west"]
        assert (await _get(port)).status_code == 200
        await region.turn(Mode.SICK)
        assert (await _get(port)).status_code == 503
        await region.turn(Mode.DOWN)
        with pytest.raises(httpx.ConnectError):
            await _get(port)
        await region.turn(Mode.HANG)
        with pytest.raises(httpx.ReadTimeout):
            await _get(port, 0.2)
        await region.turn(Mode.UP)
        assert (await _get(port)).text == "ok eu-west\n"

    _with_stand_ins(check)


def test_the_door_turns_regions() -> None:
    """The second command's way in, with clear refusals."""

    async def check(stand_ins: StandIns, _port: int, door: int) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            turned = await client.post(f"http://127.0.0.1:{door}/eu-west/down")
            stranger = await client.post(f"http://127.0.0.1:{door}/mars/down")
            nonsense = await client.post(f"http://127.0.0.1:{door}/eu-west/sideways")
        assert turned.text == "eu-west is down\n"
        assert stand_ins.regions["eu-west"].mode is Mode.DOWN
        assert stranger.status_code == 404
        assert "eu-west" in stranger.text
        assert nonsense.status_code == 404

    _with_stand_ins(check)


def test_a_taken_port_is_named() -> None:
    """A second demo says what is in its way."""

    async def run() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            stand_ins = StandIns({"eu-west": ("127.0.0.1", taken.getsockname()[1])})
            try:
                with pytest.raises(SourceError, match="another demo"):
                    await stand_ins.start(("127.0.0.1", _free_port()))
            finally:
                await stand_ins.stop()

    asyncio.run(run())
