"""What a capacity plan does to a group, told apart from what it would do without one."""

from dataclasses import replace

from georouter.analysis.explain import explain
from georouter.analysis.planning import Effect, Planned
from georouter.analysis.sentences import plan as in_words
from georouter.facts.plan import CapacityPlan, Shares, Spread, Tiers
from georouter.facts.world import World
from georouter.policy.load import PolicyFile, load
from tests.analysis.test_policy_tests import empty_map

POLICY = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77}, capacity: 1500, endpoints: [192.0.2.1]}
  eu: {location: {lat: 53, lon: -6}, capacity: 3000, endpoints: [192.0.2.3]}
services:
  web: {regions: [us, eu], demand: 2000, chain: [failover: {order: [us, eu]}CAPACITY]}
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
"""


def told(capacity: str = ", capacity", parts: dict[Tiers, list[float]] | None = None) -> Planned | None:
    """What explain has of the plan for a client of www.example.com; without `parts` there is none."""
    policy = load([PolicyFile("/p.yaml", POLICY.replace("CAPACITY", capacity))]).policy
    world = World()
    if parts is not None:
        us, eu = policy.regions
        shares = {((us, eu), (1.0, 1.0), None): Shares.of(2, parts)}
        spread = Spread(shares, {us: 1005.0, eu: 995.0})
        world = replace(world, capacity=CapacityPlan(0.0, frozenset(), spread))
    found = explain(policy, empty_map(policy), world, "www.example.com", "198.51.100.0/24", now=6e8)
    assert found.steering is not None
    if parts:
        assert {item.regions[0]: item.share for item in found.steering.candidates} == {"us": 0.5, "eu": 0.5}
    return found.steering.plan


def test_a_group_is_divided() -> None:
    """As the candidates are, with the loads behind it."""
    found = told(parts={((0,), (1,)): [0.5, 0.5]})
    assert found is not None
    assert (found.effect, found.parts, found.loads) == (
        Effect.MOVES,
        {"us": 0.5, "eu": 0.5},
        {"us": 1005.0},
    )
    said = {"effect": found.effect, "parts": found.parts, "loads": found.loads}
    assert in_words({**said, "capacities": found.capacities, "limit": found.limit}) == (
        "the plan divides this group: 50.0% to us, 50.0% to eu; "
        "us takes 1,005 of its 1,500, and 67% is the limit"
    )


def test_nobody_is_moved() -> None:
    """Everybody fits, there is no plan, or no such step."""
    fits, inert = told(parts={}), told()
    assert fits == Planned(Effect.FITS)
    assert inert == Planned(Effect.INERT)
    assert "they fit where they would go" in in_words({"effect": "fits"})
    assert "the step does nothing" in in_words({"effect": "inert"})
    assert told("") is None
