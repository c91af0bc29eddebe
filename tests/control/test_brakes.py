"""The brake in the control loop: answers stay, people hear of it, and nothing moves by itself."""

import asyncio
from dataclasses import replace

import pytest

from georouter.control.beliefs import Beliefs
from georouter.control.events import BrakeReleased, OverrideSet
from georouter.facts.failover import Phase
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.ramp import RampPhase
from georouter.facts.rules import BrakeRule
from georouter.policy.model import Policy
from tests.control import test_failovers, test_ramps
from tests.control.loops import (
    EU,
    EU_ANSWER,
    US,
    US_ANSWER,
    World0,
    result,
    running,
    said,
    two_regions,
)

RULE = BrakeRule(min_regions=2, max_freeze_s=300.0)


def braked(made: Policy | None = None, rule: BrakeRule | None = RULE) -> Policy:
    """Two checked regions are enough for a brake."""
    made = made or two_regions()
    return replace(made, server=replace(made.server, brake=rule))


def fall(world: World0, *regions: str) -> None:
    """Three failures in a row of each, and what follows is published."""
    for region in regions:
        for _ in range(3):
            world.controller.post(result(region, ok=False))
    world.controller.publish_now()


def frozen(world: World0) -> bool:
    """Whether the brake holds."""
    return world.beliefs.brake.freeze is not None


def ask_release(world: World0) -> asyncio.Future[str | None]:
    """An operator's word; done when it has been heard."""
    done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    world.controller.post(BrakeReleased("ada", "they are down", done))
    return done


def test_it_holds_until_the_operators_word() -> None:
    """Answers stay, an override acts, and each thing is told, recorded, counted and saved once."""
    world = World0(policy=braked()).start()

    async def act(world: World0) -> None:
        fall(world, "eu", "us")
        assert (frozen(world), world.ask()) == (True, EU_ANSWER)
        assert world.metric("georouter_brake_active") == 1
        world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "x", "ada", world.now)))
        await world.controller.settled()
        assert world.ask() == US_ANSWER
        remembered = world.remembered
        assert await ask_release(world) is None
        assert not frozen(world)
        assert world.remembered > remembered
        assert await ask_release(world) == "answers are not frozen"

    asyncio.run(running(world, act))
    (told,) = world.events("brake.frozen")
    assert told == {"fallen": ["eu", "us"], "of": 2, "seconds": 300}
    assert [fields["because"] for fields in world.events("brake.released")] == ["an operator ended it"]
    assert [action for action, _ in world.recorded] == ["brake.frozen"]
    assert world.metric("georouter_brake_active") == 0
    assert world.metric("georouter_brake_freezes_total") == 1


def test_its_end_is_not_waited_for_by_anybody() -> None:
    """The loop wakes by itself, and says why."""
    released = asyncio.Event()

    class Listening(World0):
        def _record(self, action: str, **fields: object) -> None:
            super()._record(action, **fields)
            if action == "brake.released":
                released.set()

    world = Listening(policy=braked(rule=replace(RULE, max_freeze_s=0.05))).start()

    async def act(world: World0) -> None:
        for region in ("eu", "us"):
            for _ in range(3):
                world.controller.post(result(region, ok=False))
        await world.controller.settled()
        assert frozen(world)
        world.now += 0.1
        await released.wait()

    asyncio.run(running(world, act))
    assert world.recorded[-1] == ("brake.released", {"because": "max_freeze is over", "seconds": 0.1})
    assert world.metric("georouter_brake_active") == 0


@pytest.mark.parametrize("rule", [None, BrakeRule(), replace(RULE, min_regions=3)])
def test_off_or_with_too_few_regions_it_does_nothing(rule: BrakeRule | None) -> None:
    """What is seen is believed at once; six regions are needed unless the policy says otherwise."""
    world = World0(policy=braked(rule=rule)).start()
    fall(world, "eu", "us")
    assert not frozen(world)
    assert {name for name, facts in world.controller.world.regions.items() if facts.effective == "down"} == {
        "eu",
        "us",
    }


@pytest.mark.parametrize("rule", [None, replace(RULE, min_regions=3)])
def test_a_reload_ends_it(rule: BrakeRule | None) -> None:
    """Whether it switches the brake off or has too few regions for it."""
    world = World0(policy=braked()).start()
    fall(world, "eu", "us")
    world.beliefs.adopt(braked(rule=rule))
    world.controller.publish_now()
    assert not frozen(world)
    assert world.events("brake.released")[0]["because"] == "the policy has no brake for it"


@pytest.mark.parametrize("by_s", [-1e8, 1e8])
def test_a_clock_that_is_set(by_s: float) -> None:
    """It lasts as long as it was meant to."""
    world = World0(policy=braked()).start()
    fall(world, "eu", "us")
    world.set_by_s = by_s
    world.now += 299.0
    world.controller.publish_now()
    assert frozen(world)
    world.now += 1.0
    world.controller.publish_now()
    assert not frozen(world)


def test_who_only_the_brake_keeps_up_is_not_failed_back_to() -> None:
    """The step stays where it is, calls no hook, and finds the loss confirmed afterwards."""
    world = test_failovers.started(braked(test_failovers.managed()))
    fall(world, "eu")
    assert test_failovers.state(world).active == US
    world.now += 1.0
    fall(world, "us")
    assert frozen(world)
    for _ in range(20):
        world.now += 10.0
        world.controller.publish_now()
    assert (test_failovers.state(world).active, test_failovers.state(world).phase) == (US, Phase.DETECTED)
    assert world.ask() == US_ANSWER
    world.now += 100.0
    world.controller.publish_now()
    assert not frozen(world)
    assert test_failovers.state(world).phase is Phase.BLOCKED


def test_what_the_brake_keeps_up_was_not_up() -> None:
    """The first region is found up for a while, falls with the others, and comes back: it begins anew."""
    made = test_failovers.managed(failback_after_s=600.0)
    world = test_failovers.started(braked(made))
    fall(world, "eu")
    world.now += 20.0
    for _ in range(2):
        world.controller.post(said("eu", 5.0))
    world.controller.publish_now()
    world.now += 500.0
    fall(world, "eu", "us")
    assert frozen(world)
    world.now += 150.0
    world.controller.publish_now()
    assert test_failovers.state(world).active == US
    for region in ("eu", "us"):
        for _ in range(2):
            world.controller.post(said(region, 5.0))
    world.controller.publish_now()
    back = world.now
    for passed_s in (20.0, 575.0):
        world.now += passed_s
        world.controller.publish_now()
        assert (frozen(world), test_failovers.state(world).active) == (False, US)
    world.now = back + 600.0
    world.controller.publish_now()
    assert test_failovers.state(world).active == EU


def test_a_ramp_stands_still() -> None:
    """Neither on nor back, and no time counts."""
    rule = replace(test_ramps.RULE, start=0.25, back_after_s=30.0)
    world = World0(policy=braked(test_ramps.ramped(rule)), beliefs=Beliefs())
    world.controller.start(world.built())
    test_ramps.say(world)
    fall(world, "eu", "us")
    assert frozen(world)
    before = test_ramps.state(world)
    for _ in range(29):
        world.now += 10.0
        world.controller.publish_now()
    after = test_ramps.state(world)
    assert (after.phase, after.part, after.waited_s) == (before.phase, before.part, before.waited_s)
    assert world.controller.ramps.next_wake() is None
    world.now += 10.0
    world.controller.publish_now()
    assert (frozen(world), test_ramps.state(world).phase) == (False, RampPhase.PAUSED)
