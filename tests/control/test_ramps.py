"""Ramps in the control loop: time and beliefs move them, orders too, and few publications are made."""

import asyncio
from dataclasses import replace

from georouter.control.beliefs import Beliefs
from georouter.control.events import RampAsked, Tick
from georouter.facts.ramp import Ramp, RampOrder, RampPhase, RampRule
from georouter.facts.signals import SignalRule, Threshold
from georouter.policy.model import Policy
from georouter.policy.steps import Weighted
from georouter.words.ids import CheckName, ServiceName
from tests.control.loops import LAG, US, World0, result, running, said, two_regions

WEB = ServiceName("web")
RULE = RampRule(US, 0.0, 1.0, 7200.0, signals=(SignalRule(LAG, "", Threshold(">", 100.0)),))


def ramped(rule: RampRule = RULE) -> Policy:
    """`us` is the canary, and tells its lag."""
    made = two_regions()
    check = made.checks[CheckName("web")]
    read = replace(check.rule, signals=(SignalRule(LAG, "/lag"),))
    return replace(
        made,
        checks={check.name: replace(check, rule=read)},
        services={WEB: replace(made.services[WEB], chain=(Weighted({}, rule),))},
    )


def started(beliefs: Beliefs | None = None, rule: RampRule = RULE) -> World0:
    """A running world with both regions up and well."""
    world = World0(policy=ramped(rule), beliefs=beliefs or Beliefs())
    world.controller.start(world.built())
    say(world)
    return world


def say(world: World0, lag: float = 5.0) -> None:
    """Both regions answer, one second later."""
    world.now += 1.0
    for name, value in (("eu", 5.0), ("us", lag)):
        world.controller.post(said(name, value))
    world.controller.publish_now()


def state(world: World0) -> Ramp:
    """How far it has come."""
    return world.beliefs.ramps[WEB]


def test_it_goes_on_with_few_publications() -> None:
    """Two hours of checks every second make one publication per step, and the gauge follows."""
    world = started()
    for _ in range(7300):
        say(world)
    assert (state(world).phase, state(world).part) == (RampPhase.DONE, 1.0)
    assert 200 <= len(world.shown) <= 203
    assert world.metric('georouter_ramp_part{region="us",service="web"}') == 1.0
    assert world.metric('georouter_ramp_phase{phase="done",service="web"}') == 1.0
    assert [action for action, _ in world.recorded][-1] == "ramp.done"


def test_a_bad_signal_pauses_and_leads_back() -> None:
    """Told, recorded, and shown; a loss of the region counts as well."""
    world = started(rule=replace(RULE, start=0.25, back_after_s=30.0))
    say(world, 500.0)
    assert (state(world).phase, state(world).why) == (RampPhase.PAUSED, "lag of us is 500 (> 100)")
    say(world)
    assert state(world).phase is RampPhase.RUNNING
    for _ in range(3):
        world.controller.post(result("us", ok=False))
    world.controller.publish_now()
    assert state(world).why == "us is down"
    for _ in range(31):
        world.now += 1.0
        world.controller.publish_now()
    assert (state(world).phase, state(world).part) == (RampPhase.STEPPED_BACK, 0.0)
    assert [event for event, _ in world.told if event.startswith("ramp.")][-4:] == [
        "ramp.paused",
        "ramp.running",
        "ramp.paused",
        "ramp.stepped_back",
    ]


def test_orders_arrive_and_answers_follow() -> None:
    """Whoever asked hears whether it can be."""
    world = World0(policy=ramped())

    async def whole(world: World0) -> None:
        world.controller.start(world.built())
        heard = []
        for service, order in (
            (WEB, RampOrder.COMPLETE),
            (WEB, RampOrder.PAUSE),
            (ServiceName("db"), RampOrder.PAUSE),
        ):
            done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
            world.controller.post(RampAsked(service, order, "ada", "why not", done))
            heard.append(await done)
        assert heard == [None, "the ramp is done: there is nothing to pause", "service db has no ramp"]
        await world.controller.settled()

    asyncio.run(running(world, whole))
    assert state(world).why == "ada asked for it: why not"
    assert world.controller.world.ramps[WEB].part == 1.0


def test_a_restart_goes_on_from_there() -> None:
    """With what was saved; a clock that is set moves nothing."""
    saved = Ramp(US, RampPhase.RUNNING, 0.4, 80, 1.0, 1.0, waited_s=10.0)
    world = started(Beliefs(ramps={WEB: saved}))
    assert state(world).part == 0.4
    world.set_by_s = 9000.0
    world.controller.post(Tick())
    world.controller.publish_now()
    assert state(world).part == 0.4
    world.policy = two_regions()
    world.controller.start(world.built())
    assert not world.beliefs.ramps
