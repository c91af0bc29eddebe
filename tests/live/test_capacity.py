"""Capacity in a running daemon: plans come, stand ready, follow who asks, and say what they do."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import zone
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

US, EU, AP = "192.0.2.10", "192.0.2.20", "192.0.2.30"
POLICY = f"""
regions:
  us: {{location: {{lat: 39, lon: -77}}, capacity: 1500, endpoints: [{US}]}}
  eu: {{location: {{lat: 50, lon: 8}}, capacity: 1500, endpoints: [{EU}]}}
  ap: {{location: {{lat: 1, lon: 103}}, capacity: 1500, endpoints: [{AP}]}}
services:
  web: {{regions: [us, eu, ap], ttl: 1s, demand: 3000, chain: [nearest, capacity]}}
""" + zone(["www: {service: web}"])
AMERICANS = [f"8.{first}.{second}.0/24" for first in range(10, 20) for second in range(40)]


def planned(daemon: Daemon) -> dict[str, Any]:
    """The plan in `status`."""
    return dict(json.loads(daemon.get("/v1/status")[1])["capacity"])


def answers(daemon: Daemon) -> Counter[str]:
    """Where Americans go."""
    return Counter(daemon.ask("www.example.com", "A", network).addresses[0] for network in AMERICANS)


def test_a_loss_is_spread_over_the_survivors(tmp_path: Path) -> None:
    """America has more than 67 % of a region already; without it nearest alone would put all into Europe."""
    with Daemon(tmp_path, POLICY) as daemon:
        until(lambda: planned(daemon)["made_at"], "a plan", 30.0)
        assert planned(daemon)["loads"]["us"] == pytest.approx(1005)
        assert 0.5 < answers(daemon)[US] / len(AMERICANS) < 0.9
        daemon.post("/v1/drain", {"region": "us", "reason": "an upgrade", "author": "ada"})
        seen = answers(daemon)
        assert set(seen) == {EU, AP}
        assert 0.2 < seen[AP] / len(AMERICANS) < 0.7
        until(lambda: "us" not in planned(daemon)["loads"], "the plan without it", 30.0)
        assert planned(daemon)["loads"] == {"eu": pytest.approx(1500), "ap": pytest.approx(1500)}
        assert planned(daemon)["overload"] == {}
        metrics = daemon.get("/metrics")[1]
        assert 'georouter_capacity_planned_load{region="eu"} 1500' in metrics
