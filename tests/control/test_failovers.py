"""Failover steps in the control loop: what is believed moves them, hooks are called, answers follow."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from georouter.control.beliefs import Beliefs
from georouter.control.events import FailbackAsked, OverrideSet, ReloadAsked, Tick
from georouter.control.orders import Answer, BuildRequest, Built
from georouter.facts.failover import Failback, Failover, FailoverRule, Phase, Reply
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.signals import SignalRule
from georouter.policy import steps
from georouter.policy.model import Policy
from georouter.policy.steps import Hook
from georouter.words.ids import CheckName, ServiceName
from tests.control.loops import (
    EU,
    EU_ANSWER,
    LAG,
    US,
    US_ANSWER,
    World0,
    result,
    running,
    said,
    two_regions,
)

WEB = ServiceName("web")
YES, NO = Answer(Reply.ACCEPTED, "200 done"), Answer(Reply.REFUSED, "409 not in sync")
HOOK = Hook("http://127.0.0.1:1/")


def managed(*, promote: bool = False, notify: bool = False, **fields: Any) -> Policy:
    """`eu` before `us`, with a failover step that keeps a state."""
    made = two_regions()
    check = made.checks[CheckName("web")]
    rule = FailoverRule((EU, US), signal=LAG, promotes=promote, notifies=notify, **fields)
    step = steps.Failover(
        ((EU,), (US,)), rule, promote=HOOK if promote else None, notify=HOOK if notify else None
    )
    read = replace(check.rule, signals=(SignalRule(LAG, "/lag"),))
    return replace(
        made,
        checks={check.name: replace(check, rule=read)},
        services={WEB: replace(made.services[WEB], chain=(step,))},
    )


def started(policy: Policy, beliefs: Beliefs | None = None) -> World0:
    """A running world in which both regions are up, `us` 5 ms behind."""
    world = World0(policy=policy, beliefs=beliefs or Beliefs())
    world.controller.start(world.built())
    for name in ("eu", "us"):
        world.controller.post(said(name, 5.0))
    world.controller.publish_now()
    return world


def state(world: World0) -> Failover:
    """How far it has come."""
    return world.beliefs.failovers[WEB]


def fall(world: World0, region: str = "eu") -> None:
    """Three failures in a row."""
    for _ in range(3):
        world.controller.post(result(region, ok=False))


def play(policy: Policy, act: Callable[[World0], Awaitable[None]], *replies: Answer) -> World0:
    """Run the loop while `act` does something; the hook replies with these."""
    world = World0(policy=policy, replies=list(replies))

    async def whole(world: World0) -> None:
        world.controller.start(world.built())
        for name in ("eu", "us"):
            world.controller.post(said(name, 5.0))
        await world.controller.settled()
        await act(world)

    asyncio.run(running(world, whole))
    return world


async def until(world: World0, phase: Phase) -> None:
    """Let the loop turn until the service is there."""
    while state(world).phase is not phase:
        await world.controller.settled()


def test_a_failure_is_detected_before_it_is_believed() -> None:
    """The first failed check is a moment of the sequence; a success forgets it."""
    world = started(managed(failback=Failback.MANUAL))
    world.controller.post(result("eu", ok=False))
    world.controller.publish_now()
    assert state(world).phase is Phase.DETECTED
    assert world.ask() == EU_ANSWER
    world.controller.post(said("eu", 0.0))
    world.controller.publish_now()
    assert state(world).phase is Phase.STEADY
    assert [fields["service"] for fields in world.events("failover.detected")] == ["web"]


def test_down_moves_and_stays() -> None:
    """With its events, metrics and audit entry; the primary's return alone moves nothing."""
    world = started(managed(failback=Failback.MANUAL))
    fall(world)
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    (switched,) = world.events("failover.switched")
    assert (switched["was"], switched["now"], switched["why"]) == ("eu", "us", "eu is down")
    assert world.recorded[0][0] == "failover.failover"
    assert world.metric('georouter_failover_region{region="us",service="web"}') == 1
    assert world.metric('georouter_failover_phase{phase="steady",service="web"}') == 1
    assert world.metric('georouter_failover_switches_total{kind="failover",service="web"}') == 1
    for _ in range(3):
        world.controller.post(said("eu", 0.0))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.metric('georouter_failover_active{service="web"}') == 1


def test_an_operator_brings_it_back() -> None:
    """Or hears why not."""

    async def act(world: World0) -> None:
        loop = asyncio.get_running_loop()
        fall(world)
        early: asyncio.Future[str | None] = loop.create_future()
        await world.controller.settled()
        world.controller.post(FailbackAsked(WEB, None, "ada", "now", early))
        assert await early == "eu is down"
        for _ in range(3):
            world.controller.post(said("eu", 0.0))
        done: asyncio.Future[str | None] = loop.create_future()
        world.controller.post(FailbackAsked(WEB, None, "ada", "repaired", done))
        assert await done is None
        await world.controller.settled()
        assert world.ask() == EU_ANSWER
        other: asyncio.Future[str | None] = loop.create_future()
        world.controller.post(FailbackAsked(ServiceName("none"), None, "ada", "x", other))
        assert "no failover step" in str(await other)

    world = play(managed(failback=Failback.MANUAL), act)
    assert world.events("failover.switched")[1]["why"] == "ada asked for it: repaired"


def test_answers_wait_for_the_promotion() -> None:
    """They are held at the region that is down until the hook accepts."""

    async def act(world: World0) -> None:
        gate = asyncio.Event()
        plain = world._call

        async def slow(call: Any) -> Answer:
            await gate.wait()
            return await plain(call)

        world.controller.failovers._call = slow
        fall(world)
        await until(world, Phase.PROMOTING)
        await world.controller.settled()
        assert world.ask() == EU_ANSWER
        assert world.controller.world.standings[WEB].held
        gate.set()
        await until(world, Phase.STEADY)
        assert world.ask() == US_ANSWER

    world = play(managed(promote=True, failback=Failback.MANUAL), act, YES)
    (call,) = world.calls
    assert call.event == "promote"
    assert {key: call.message[key] for key in ("from", "to", "id")} == {
        "from": "eu",
        "to": "us",
        "id": call.id,
    }
    assert world.metric('georouter_failover_promotions_total{reply="accepted",service="web"}') == 1


def test_a_refusal_is_tried_again_when_its_time_has_come() -> None:
    """By the clock alone, without any other event; with a new id."""

    async def act(world: World0) -> None:
        fall(world)
        await until(world, Phase.REFUSED)
        assert world.ask() == EU_ANSWER
        world.now += 31
        world.controller.post(Tick())
        await until(world, Phase.STEADY)
        assert world.ask() == US_ANSWER

    world = play(managed(promote=True, failback=Failback.MANUAL), act, NO, YES)
    assert len({call.id for call in world.calls}) == 2
    assert world.events("failover.promotion_refused")[0]["said"] == "409 not in sync"


def test_a_hook_that_raises_has_not_answered() -> None:
    """The loop goes on, and asks again."""

    async def act(world: World0) -> None:
        fall(world)
        await until(world, Phase.REFUSED)

    world = play(managed(promote=True), act)  # no reply is left: the fake raises IndexError
    assert "IndexError" in str(world.events("failover.promotion_unanswered")[0]["said"])


def test_people_hear_after_the_switch() -> None:
    """The webhook is told once the answers have moved."""

    async def act(world: World0) -> None:
        fall(world)
        await until(world, Phase.NOTIFYING)
        await until(world, Phase.STEADY)

    world = play(managed(notify=True, failback=Failback.MANUAL), act, YES)
    assert [call.event for call in world.calls] == ["switched"]
    assert world.metric('georouter_failover_notifications_total{result="sent",service="web"}') == 1


def test_lag_alone_moves_what_it_blocks() -> None:
    """A value changes no answers by itself, but a blocked failover waits for one."""
    world = started(managed(max_lag=100.0, failback=Failback.MANUAL))
    world.controller.post(said("us", 5000.0))
    fall(world)
    world.controller.publish_now()
    assert (state(world).phase, world.ask()) == (Phase.BLOCKED, EU_ANSWER)
    assert "5000, more than max_lag 100" in state(world).why
    world.controller.post(said("us", 50.0))
    world.controller.publish_now()
    assert (state(world).phase, world.ask()) == (Phase.STEADY, US_ANSWER)


def test_a_stale_lag_is_no_lag() -> None:
    """What was read long ago says nothing about now."""
    world = started(managed(max_lag=100.0))
    world.now += 60
    fall(world)
    world.controller.publish_now()
    assert state(world).why == "us has no fresh lag"


def test_half_done_survives_a_restart() -> None:
    """The next daemon asks the same question with the same id, though nothing new has happened."""

    async def act(world: World0) -> None:
        fall(world)
        await until(world, Phase.REFUSED)

    first = play(managed(promote=True), act)  # unanswered
    asked = first.calls[0]
    beliefs = Beliefs(
        healths=dict(first.beliefs.healths),
        failovers={WEB: replace(state(first), phase=Phase.PROMOTING)},
    )

    async def again(world: World0) -> None:
        assert world.ask() == EU_ANSWER
        await until(world, Phase.STEADY)
        assert world.ask() == US_ANSWER

    async def restarted() -> None:
        second.controller.start(second.built())
        second.controller.publish_now()
        await running(second, again)

    second = World0(policy=managed(promote=True, failback=Failback.MANUAL), beliefs=beliefs, replies=[YES])
    asyncio.run(restarted())
    assert [call.id for call in second.calls] == [asked.id]


def test_a_drain_is_a_failover_with_notice() -> None:
    """The operator's drain goes through the same sequence; its end fails back."""
    world = started(managed())
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "test", "ada", 1000.0, 1060.0)))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.events("failover.switched")[0]["why"] == "eu is drained"
    world.now = 1061.0
    world.controller.post(Tick())
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER


def test_a_reload_that_drops_the_step_forgets_it() -> None:
    """Its state, its standing and its metrics."""

    async def act(world: World0) -> None:
        fall(world)
        await world.controller.settled()

        async def plain(_request: BuildRequest) -> Built:
            return world.built(two_regions(), "two")

        world.next_build = plain
        world.controller.post(ReloadAsked("test"))
        while not world.events("policy.loaded"):
            await world.controller.settled()
        assert not world.beliefs.failovers
        assert not world.controller.world.standings
        assert world.ask() == US_ANSWER  # by health, as ever

    world = play(managed(failback=Failback.MANUAL), act)
    assert "georouter_failover_phase{" not in world.metrics.exposition()[0].decode()


def test_services_with_the_same_step_stand_on_their_own() -> None:
    """One is failed back, the other is not."""
    policy = managed(failback=Failback.MANUAL)
    other = ServiceName("other")
    policy = replace(policy, services={**policy.services, other: replace(policy.services[WEB], name=other)})
    world = started(policy)
    fall(world)
    world.controller.publish_now()
    for _ in range(3):
        world.controller.post(said("eu", 0.0))
    world.controller.post(FailbackAsked(other, None, "ada", "x"))
    world.controller.publish_now()
    assert {name: item.active for name, item in world.beliefs.failovers.items()} == {WEB: US, other: EU}
    published = world.controller.published
    assert published is not None
    assert {name: item.answering for name, item in published.services.items()} == {WEB: (US,), other: (EU,)}
