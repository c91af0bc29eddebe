"""Builds in the control loop: reloads share them, rankings follow round trips, failures are only told."""

import asyncio

from georouter.control.events import ReloadAsked
from georouter.control.orders import BuildRequest, Built, Failed
from georouter.facts.world import State
from tests.control.loops import (
    EU,
    US,
    World0,
    result,
    running,
    two_regions,
)


def test_a_reload_swaps_policy_and_keeps_health() -> None:
    """What is believed of an endpoint survives a reload that keeps it."""

    async def act(world: World0) -> None:
        for _ in range(3):
            world.controller.post(result("us", ok=False))
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert await done is None
        await world.controller.settled()
        assert world.controller.world.region(US).observed is State.DOWN
        assert [built.files[0].text for built in world.adopted] == ["one", "again"]
        assert world.refreshed == [world.controller.policy]
        assert world.events("policy.loaded")[0]["cause"] == "test"

    asyncio.run(running(World0().start(), act))


def test_a_broken_policy_changes_nothing_but_what_is_said() -> None:
    """The answers stay; status, metric and event tell."""

    async def act(world: World0) -> None:
        shown = len(world.shown)

        async def refuse(_request: BuildRequest) -> Failed:
            return Failed("policy.yaml:1:1: version: missing")

        world.next_build = refuse
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert await done == "policy.yaml:1:1: version: missing"
        await world.controller.settled()
        assert len(world.shown) == shown
        assert world.controller.builds.reload is not None
        assert not world.controller.builds.reload.ok
        assert world.events("policy.refused")[0]["error"] == "policy.yaml:1:1: version: missing"
        assert world.metric("georouter_config_last_reload_successful") == 0

    asyncio.run(running(World0().start(), act))


def test_a_builder_that_breaks_is_a_failed_reload() -> None:
    """Whatever a build raises, the loop goes on."""

    async def act(world: World0) -> None:
        async def explode(_request: BuildRequest) -> Failed:
            raise OSError("no memory")

        world.next_build = explode
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert "no memory" in str(await done)
        world.next_build = None
        again: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", again))
        assert await again is None

    asyncio.run(running(World0().start(), act))


def test_reloads_that_pile_up_share_a_build() -> None:
    """Rule 3: one build at a time; those asked meanwhile wait for the next one."""

    async def act(world: World0) -> None:
        gate = asyncio.Event()

        async def slow(_request: BuildRequest) -> Built:
            await gate.wait()
            return world.built(text="slow")

        world.next_build = slow
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(10)]
        world.controller.post(ReloadAsked("first", futures[0]))
        await world.controller.settled()
        for future in futures[1:]:
            world.controller.post(ReloadAsked("more", future))
        await world.controller.settled()
        assert len(world.requests) == 1
        gate.set()
        assert await asyncio.gather(*futures) == [None] * 10
        assert len(world.requests) == 2

    asyncio.run(running(World0().start(), act))


def test_latency_that_matters_asks_for_a_new_ranking() -> None:
    """A measured round trip becomes a build with the same files, and only where a chain uses it."""

    async def act(world: World0) -> None:
        for _ in range(5):
            world.controller.post(result("eu", ok=True, rtt_s=0.2))
            world.controller.post(result("us", ok=True, rtt_s=0.01))
        while not world.requests:
            await world.controller.settled()
        assert world.requests[0].files == world.controller.built.files
        assert world.requests[0].rtt_ms[US] < world.requests[0].rtt_ms[EU]

    asyncio.run(running(World0(policy=two_regions(latency=True)).start(), act))


def test_latency_nobody_ranks_by_costs_nothing() -> None:
    """Without a latency step round trips are measured and shown, and nothing is built."""

    async def act(world: World0) -> None:
        world.controller.post(result("eu", ok=True, rtt_s=0.2))
        await world.controller.settled()
        assert not world.requests

    asyncio.run(running(World0().start(), act))


def test_start_from_the_last_good_policy_says_so() -> None:
    """Serving something else than the file says is an alarm, not a detail."""
    world = World0()
    world.controller.start(world.built(), last_good_because=Failed("bad file"))
    assert world.controller.builds.serving_last_good
    assert world.metric("georouter_config_serving_last_good") == 1
    assert world.metric("georouter_config_last_reload_successful") == 0
    assert world.events("policy.refused")[0]["error"] == "bad file"


def test_round_trips_are_followed_whatever_the_clock_says() -> None:
    """A clock that was set back does not put the next ranking off for years."""

    async def act(world: World0) -> None:
        for rtt_s, count in ((0.2, 1), (0.001, 2)):
            world.controller.post(result("eu", ok=True, rtt_s=rtt_s))
            await world.controller.settled()
            await asyncio.sleep(0)
            assert len(world.requests) == count
            world.set_by_s = -1e9
            world.now += 11.0

    asyncio.run(running(World0(policy=two_regions(latency=True)).start(), act))
