"""Overrides in the control loop: they move answers for as long as they were meant to, and are told."""

import asyncio
from dataclasses import replace

import pytest

from georouter.control.events import OverrideCleared, OverrideSet, ReloadAsked, Tick
from georouter.control.orders import BuildRequest, Built
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.world import Effective
from tests.compiler.build import policy, service, zone
from tests.control.loops import (
    EU,
    EU_ANSWER,
    US,
    US_ANSWER,
    World0,
    running,
)


def test_a_drain_moves_the_answers_and_expires() -> None:
    """Override in, override out by time: both without a probe, both said."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "test", "ada", 1000.0, 1060.0)))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.controller.world.region(EU).effective is Effective.DRAINED
    assert world.metric('georouter_override_active{kind="drain",region="eu"}') == 1
    world.now = 1061.0
    world.controller.post(Tick())
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert world.events("override.expired") == [{"region": "eu", "kind": "drain"}]
    assert world.remembered >= 2


def test_an_override_can_be_taken_back() -> None:
    """Undrain is an event like any other; a second one changes nothing."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "test", "ada", 1000.0)))
    world.controller.post(OverrideCleared(EU, "ada"))
    world.controller.post(OverrideCleared(EU, "ada"))
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert len(world.events("override.cleared")) == 1


def test_a_reload_that_removes_a_region_drops_its_override() -> None:
    """An override of a region that is gone is said and forgotten, not kept for ever."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, US, "test", "ada", 1000.0)))
    world.controller.publish_now()
    smaller = policy(
        [zone("example.com", steered={"www": "web"})],
        [service("web", ["eu"])],
        [region for region in world.policy.regions.values() if region.name == EU],
    )

    async def act(world: World0) -> None:
        async def shrink(_request: BuildRequest) -> Built:
            return world.built(replace(smaller, checks=world.policy.checks), "two")

        world.next_build = shrink
        world.controller.post(ReloadAsked("test"))
        while not world.events("policy.loaded"):
            await world.controller.settled()
        assert world.events("override.dropped")[0]["region"] == "us"
        assert not world.controller.beliefs.overrides

    asyncio.run(running(world, act))


def _drain(world: World0, for_s: float) -> None:
    now = world.now + world.set_by_s
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "a test", "ada", now, now + for_s)))
    world.controller.publish_now()


def _tick(world: World0, after_s: float) -> list[str]:
    world.now += after_s
    world.controller.post(Tick())
    world.controller.publish_now()
    return world.ask()


@pytest.mark.parametrize("by_s", [40 * 365 * 86400.0, -40 * 365 * 86400.0], ids=["ahead", "behind"])
def test_a_clock_that_is_set_by_years(by_s: float) -> None:
    """An override acts for as long as it was meant to, and ends then, however often the clock is set."""
    world = World0().start()
    _drain(world, 600.0)
    for world.set_by_s in (by_s, 0.0, by_s):
        assert _tick(world, 100.0) == US_ANSWER
    assert [event["by_s"] for event in world.events("clock.set")] == [by_s, -by_s, by_s]
    assert _tick(world, 299.0) == US_ANSWER
    assert _tick(world, 2.0) == EU_ANSWER


def test_a_clock_that_is_put_right_after_the_start() -> None:
    """A machine that woke up in 1970: what was forced by the right clock ends when it was to end."""
    world = World0()
    right = 1.8e9
    forced = Override(OverrideKind.DRAIN, EU, "a test", "ada", right - 60.0, right + 600.0)
    world.controller.beliefs.overrides = {EU: forced}
    world.start()
    assert world.ask() == US_ANSWER
    world.set_by_s = right - world.now
    assert _tick(world, 0.0) == US_ANSWER
    assert world.controller.beliefs.overrides == {EU: forced}
    assert _tick(world, 601.0) == EU_ANSWER
