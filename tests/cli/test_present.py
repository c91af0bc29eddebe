"""The world as `status` tells it."""

from georouter.cli.present import world_of
from georouter.facts.failover import FailoverRule
from georouter.facts.world import Effective, Ramping, Standing, State
from georouter.policy.load import PolicyFile, load
from georouter.policy.steps import Failover
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service

RAMPED = """
version: 1
regions:
  us: {location: {lat: 39.0, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20]}
services:
  web: {regions: [us, eu], chain: [weighted: {ramp: {region: us, over: 1h}}]}
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
"""
EU, US = map(RegionName, ("eu", "us"))
STATUS = {
    "regions": [
        {
            "name": "eu",
            "observed": "up",
            "forced": "drained",
            "effective": "drained",
            "health": 0.5,
            "rtt_ms": 12.5,
            "endpoints": [
                {"address": "192.0.2.1", "state": "up"},
                {"address": "2001:db8::1", "state": "down"},
                {"address": "192.0.2.200", "state": "down"},
            ],
        },
        {"name": "gone", "observed": "up", "forced": None, "effective": "up", "health": 1, "rtt_ms": None},
    ],
    "services": [
        {"name": "web", "failover": {"active": "us", "held": True, "why": "promotion is asked"}},
        {"name": "plain", "failover": None},
        {"name": "stateless", "failover": {"active": "us", "held": False, "why": ""}},
        {"name": "elsewhere", "failover": {"active": "us", "held": False, "why": ""}},
    ],
}


def test_regions_and_failovers_are_taken_over() -> None:
    """Overrides, health, endpoints and who is active; what the policy does not know is left out."""
    order = Failover(((EU,), (US,)), FailoverRule((EU, US)))
    rules = policy([], [service("web", ("eu", "us"), [order]), service("stateless", ("eu", "us"))])
    world = world_of(STATUS, rules)
    facts = world.region(EU)
    assert (facts.observed, facts.forced, facts.effective) == (
        State.UP,
        Effective.DRAINED,
        Effective.DRAINED,
    )
    assert (facts.health, facts.endpoints_down) == (0.5, {1})
    assert world.rtt_ms == {EU: 12.5}
    assert world.standings == {ServiceName("web"): Standing(US, (EU,), held=True)}
    assert world.standings[ServiceName("web")].why == "promotion is asked"
    assert set(world.regions) == {EU}


def test_while_the_brake_holds() -> None:
    """Regions are as they act, also where an operator's word is on top."""
    acts_on = {"eu": {"state": "up", "endpoints_down": ["192.0.2.1"]}}
    status = {**STATUS, "brake": {"frozen": True, "since": 1.7e9, "acts_on": acts_on}}
    world = world_of(status, policy([], [service("web", ("eu", "us"))]))
    facts = world.region(EU)
    assert (facts.frozen, facts.unforced, facts.endpoints_down) == (State.UP, Effective.UP, {0})
    assert world.frozen_since == 1.7e9


def test_ramps_are_taken_over() -> None:
    """How far they have come, where the policy ramps the same region up."""
    rules = load([PolicyFile("/p.yaml", RAMPED)]).policy
    told = {"region": "us", "phase": "paused", "part": 0.4, "why": "us is degraded"}
    world = world_of({"services": [{"name": "web", "ramp": told}, {"name": "gone", "ramp": told}]}, rules)
    assert world.ramps == {ServiceName("web"): Ramping(0.4, moves=True)}
    assert world.ramps[ServiceName("web")].phase == "paused"
    told["phase"] = "stepped_back"
    after = world_of({"services": [{"name": "web", "ramp": told}]}, rules).ramps[ServiceName("web")]
    assert (after.moves, after.phase) == (False, "stepped back")
    other = {"services": [{"name": "web", "ramp": {**told, "region": "eu"}}]}
    assert world_of(other, rules).ramps == {}
