"""How long clients take to leave."""

import dataclasses

import pytest

from georouter.analysis.timing import Detection, detection, drain_curve
from georouter.facts.rules import HealthRule
from georouter.policy.model import Check, CheckType, Endpoint
from georouter.words.ids import CheckName, RegionName
from tests.compiler.build import policy, region


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
    assert detection(made, [RegionName("eu")]) == Detection(6.0, 12.0)
    assert detection(made, [RegionName("eu"), RegionName("us")]) == Detection(60.5, 64.5)
    assert detection(made, [RegionName("ap")]) is None


def test_clients_leave_over_one_ttl() -> None:
    """Half after half of it, all at its end."""
    points = {point.left: point.seconds for point in drain_curve(60)}
    assert points == {0.5: 30.0, 0.9: pytest.approx(54.0), 1.0: 60.0}
