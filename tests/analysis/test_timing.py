"""How long clients take to leave."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.analysis.simulate import having
from georouter.analysis.timing import Detection, Held, departures, detection, drain_curve
from georouter.analysis.traffic import Side
from georouter.facts.ramp import RampRule
from georouter.facts.rules import HealthRule
from georouter.facts.world import Ramping, World
from georouter.policy.model import Check, CheckType, Endpoint, Service, Ttls
from georouter.policy.steps import Weighted
from georouter.words.ids import CheckName, RegionName
from tests.compiler.build import policy, region, service, tiny_map


def test_detection_is_the_slowest_check() -> None:
    """With the defaults 6 s and 12 s, as `facts.health` promises; unchecked regions say nothing."""
    fast, slow = CheckName("fast"), CheckName("slow")
    checks = {
        fast: Check(fast, CheckType.TCP, 80),
        slow: Check(slow, CheckType.TCP, 80, rule=HealthRule(interval_s=60.0, fall=2)),
    }
    eu = region("eu", Endpoint("192.0.2.1", 4, check=fast), Endpoint("192.0.2.2", 4))
    us = region("us", Endpoint("192.0.2.3", 4, check=slow))
    made = dataclasses.replace(policy([], [], [eu, us, region("ap", "192.0.2.4")]), checks=checks)
    assert detection(made, [RegionName("eu")]) == Detection(6.0, 12.0, 1.0)
    assert detection(made, [RegionName("eu"), RegionName("us")]) == Detection(60.5, 64.5, 0.5)
    assert detection(made, [RegionName("ap")]) is None


def test_clients_leave_over_one_ttl() -> None:
    """Half after half of it, all at its end."""
    points = {point.left: point.seconds for point in drain_curve(Held(60, 60, 0.0))}
    assert points == {0.5: 30.0, 0.9: pytest.approx(54.0), 1.0: 60.0}


def test_a_drain_planned_a_ttl_ahead() -> None:
    """Every cache has asked since, and holds the short TTL."""
    points = {point.left: point.seconds for point in drain_curve(Held(60, 10, 60.0))}
    assert points == {0.5: 5.0, 0.9: pytest.approx(9.0), 1.0: 10.0}


def test_a_failure_lowers_the_ttl_for_few() -> None:
    """A second's warning reaches a sixtieth of the caches; their entries go first, the others as ever."""
    held = Held(60, 10, 1.0)
    assert held.left(9.0) == pytest.approx(9 / 60)
    assert held.left(10.0) == pytest.approx(11 / 60)
    points = {point.left: point.seconds for point in drain_curve(held)}
    assert points == {0.5: pytest.approx(29.0), 0.9: pytest.approx(53.0), 1.0: 59.0}
    assert [point.seconds for point in drain_curve(Held(5, 5, 1.0))] == pytest.approx([2.5, 4.5, 5.0])


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from([0.0, 0.5, 1.0, 7.0, 45.0, 90.0, 133.0]),
)
def test_curves_are_those_of_caches_that_ask(ttl_s: int, lowered_s: int, ahead_s: float) -> None:
    """A thousand caches, each asking again when its entry expires, leave at the same pace."""
    held = Held(ttl_s, min(lowered_s, ttl_s), ahead_s)
    expiries = []
    for number in range(1000):
        at = -ahead_s + ttl_s * (number + 0.5) / 1000
        while at < 0:
            at += held.lowered_s
        expiries.append(at)
    expiries.sort()
    for point in drain_curve(held):
        assert expiries[round(1000 * point.left) - 1] == pytest.approx(point.seconds, abs=ttl_s / 400)
        assert held.left(point.seconds) == pytest.approx(point.left)


def test_who_leaves_why() -> None:
    """A failure, a drain at once and as planned, a ramp's step, and any other change."""
    checks = {CheckName("web"): Check(CheckName("web"), CheckType.TCP, 80)}
    regions = [region(name, Endpoint("192.0.2.1", 4, check=CheckName("web"))) for name in ("eu", "us")]
    ramp = RampRule(RegionName("us"), 0.0, 1.0, 60.0)
    web = dataclasses.replace(
        service("web", regions=("eu", "us"), chain=[Weighted({}, ramp)], ttl_s=60),
        ttls=Ttls(suspect_s=10, down_s=20, ramp_s=15),
    )
    made = dataclasses.replace(policy([], [web], regions), checks=checks)
    here = Side(made, tiny_map(), World())

    def told(after: World, before: Side = here, of: Service = web) -> dict[str, Held]:
        return {item.why.value: item.held for item in departures(before, of, after)}

    lost, drained = having(World(), down=[RegionName("us")]), having(World(), drained=[RegionName("us")])
    assert told(lost) == {"failure": Held(60, 10, 1.0)}
    assert told(drained) == {"drain": Held(60, 60, 0.0), "planned drain": Held(60, 15, 60.0)}
    assert told(World(ramps={web.name: Ramping(0.5)})) == {"ramp": Held(15, 15, 0.0)}
    assert told(World()) == {"change": Held(60, 60, 0.0)}
    plain = dataclasses.replace(web, ttls=None)
    assert told(lost, of=plain) == {"failure": Held(60, 60, 1.0)}
    assert told(drained, of=plain) == {"drain": Held(60, 60, 0.0)}
    assert told(having(lost, down=[RegionName("eu")]), here.during(lost)) == {"failure": Held(20, 10, 1.0)}
    unchecked = Side(dataclasses.replace(made, regions={}), tiny_map(), World())
    assert told(lost, unchecked) == {"failure": Held(60, 10, 0.0)}
