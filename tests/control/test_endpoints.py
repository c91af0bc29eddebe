"""Results of checks in the control loop: what is believed of an endpoint, and what is said."""

from dataclasses import replace

from georouter.control.events import Probed
from georouter.facts.endpoints import EndpointKey
from georouter.policy.model import Ttls
from georouter.words.ids import CheckName
from tests.control.loops import EU, World0, result, said, with_signals


def test_strangers_change_nothing() -> None:
    """A probe that outlived its target (a reload removed it) is ignored."""
    world = World0().start()
    world.controller.post(Probed(EndpointKey(EU, "192.0.2.99", CheckName("web")), False, "gone", 0.1))
    world.controller.publish_now()
    assert len(world.shown) == 1


def test_a_degraded_region_sheds_half_and_values_alone_move_nothing() -> None:
    """One publication when the signal is believed, one when it is over; the gauge follows every value."""
    world = with_signals(World0())
    world.controller.start(world.built())
    for name in ("eu", "us"):
        world.controller.post(said(name, 10.0))
    world.controller.publish_now()
    for lag in (20.0, 4000.0, 4100.0, 4200.0, 4300.0, 3000.0):
        world.controller.post(said("eu", lag))
        world.controller.publish_now()
    assert world.controller.world.region(EU).health == 0.5
    assert len(world.shown) == 2
    assert world.metric('georouter_region_signal{region="eu",signal="lag"}') == 3000
    assert world.metric('georouter_region_health_ratio{region="eu"}') == 0.5
    assert world.events("endpoint.degraded")[0]["signals"] == ["lag 4,200"]
    state = world.controller.published
    assert state is not None
    (selection,) = state.states[0].selections[0].distinct
    assert sorted(candidate.weight for candidate in selection.candidates) == [0.5, 1.0]
    for lag in (10.0, 11.0, 12.0):
        world.controller.post(said("eu", lag))
        world.controller.publish_now()
    assert world.controller.world.region(EU).health == 1.0
    assert len(world.shown) == 3
    assert world.events("endpoint.recovered")[0]["signals"] == ["lag 10"]


def test_degraded_at_the_end_of_a_doubt() -> None:
    """One result both ends what lowers a TTL and is the third high value of a signal: it is told."""
    world = with_signals(World0())
    (web,) = world.policy.services.values()
    world.policy = replace(world.policy, services={web.name: replace(web, ttls=Ttls(suspect_s=10))})
    world.controller.start(world.built())
    for probed in (said("eu", 10.0), said("eu", 4000.0), said("eu", 4100.0), result("eu", ok=False)):
        world.controller.post(probed)
    world.controller.publish_now()
    assert not world.events("endpoint.degraded")
    world.controller.post(said("eu", 4200.0))
    world.controller.publish_now()
    assert world.events("endpoint.degraded")[0]["signals"] == ["lag 4,200"]
