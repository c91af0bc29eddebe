"""The one line that a supervisor shows."""

import time
from dataclasses import replace

from georouter.control.events import OverrideSet
from georouter.control.orders import Failed
from georouter.daemon.status import brake_status, summary
from georouter.facts.overrides import Override, OverrideKind
from georouter.words.ids import RegionName
from tests.control.loops import World0, result
from tests.control.test_brakes import braked, fall


def test_regions_by_what_answers_act_on() -> None:
    """Only states that some region is in, the best first, and the snapshot that is answered from."""
    world = World0()
    world.controller.start(world.built())
    assert summary(world.controller) == "regions: 2 unknown; snapshot 0"
    world = World0(now=time.time()).start()
    assert summary(world.controller) == "regions: 2 up; snapshot 1"
    for _ in range(3):
        world.controller.post(result("us", ok=False))
    world.controller.post(
        OverrideSet(Override(OverrideKind.DRAIN, RegionName("eu"), "a test", "ada", world.now, None))
    )
    world.controller.publish_now()
    assert summary(world.controller) == "regions: 1 drained, 1 down; snapshot 2"


def test_what_somebody_should_look_at() -> None:
    """A saved policy in use; a refused one since the start."""
    world = World0()
    world.controller.start(world.built(), last_good_because=Failed("policy.yaml:1:1: odd"))
    said = summary(world.controller)
    assert said == "regions: 2 unknown; snapshot 0; the policy is invalid, a saved one is served"
    world = World0().start()
    assert world.controller.builds.reload is not None
    world.controller.builds.reload = replace(world.controller.builds.reload, ok=False)
    said = summary(world.controller)
    assert said == "regions: 2 up; snapshot 1; the last reload failed, the policy before it stays"


def test_frozen_answers() -> None:
    """A supervisor says so, and `status` gives the figures; a policy without a brake has none."""
    world = World0(policy=braked()).start()
    free = {"frozen": False, "since": None, "until": None, "fallen": [], "of": None, "acts_on": {}}
    assert brake_status(world.controller) == free
    fall(world, "eu", "us")
    assert summary(world.controller) == (
        "regions: 2 up; snapshot 2; most regions failed at once, answers are frozen"
    )
    assert brake_status(world.controller) == {
        "frozen": True,
        "since": 1000.0,
        "until": 1300.0,
        "fallen": ["eu", "us"],
        "of": 2,
        "acts_on": {name: {"state": "up", "endpoints_down": []} for name in ("eu", "us")},
    }
    assert brake_status(World0(policy=braked(rule=None)).start().controller) is None
