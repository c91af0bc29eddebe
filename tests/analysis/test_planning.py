"""What a capacity plan does to a group, told apart from what it would do without one."""

import sys
from dataclasses import replace

import pytest

from georouter.analysis.explain import explain
from georouter.analysis.planning import Effect, Inert, Planned, planned_for
from georouter.analysis.sentences import INERT
from georouter.analysis.sentences import plan as in_words
from georouter.facts.plan import CapacityPlan, Shares, Spread, Tiers
from georouter.facts.signals import Grade
from georouter.facts.world import Reading, World
from georouter.policy.load import PolicyFile, load
from georouter.routing.rank import Ranked
from georouter.words.ids import RegionName, ServiceName, SignalName
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


def told(
    capacity: str = ", capacity",
    parts: dict[Tiers, list[float]] | None = None,
    demand: str = " demand: 2000,",
    world: World = World(),  # noqa: B008 - frozen
) -> Planned | None:
    """What explain has of the plan for a client of www.example.com; without `parts` there is none."""
    text = POLICY.replace("CAPACITY", capacity).replace(" demand: 2000,", demand)
    policy = load([PolicyFile("/p.yaml", text)]).policy
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
    """Everybody fits, with how much room there is; or there is no such step."""
    fits = told(parts={})
    assert fits == Planned(Effect.FITS, {}, {"us": 1005.0}, {"us": 1500.0}, 0.67)  # type: ignore[dict-item]
    said = {"effect": fits.effect, "loads": fits.loads, "capacities": fits.capacities, "limit": fits.limit}
    assert in_words(said) == (
        "the plan moves nobody of this group: they fit where they would go; "
        "us takes 1,005 of its 1,500, and 67% is the limit"
    )
    assert told("") is None


def test_why_a_step_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plan, no demand (also beside services that have a plan), no load told, no solver."""
    no_plan = Planned(Effect.INERT, why=Inert.NO_PLAN)
    by_load, load_of = ", capacity: {signal: load}", SignalName("load")
    assert told() == no_plan
    assert told(demand="") == told(demand="", parts={}) == Planned(Effect.INERT, why=Inert.NO_DEMAND)
    assert told(by_load, demand="") == Planned(Effect.INERT, why=Inert.NO_LOAD)
    reading = Reading(900.0, 6e8 - 5, Grade.OK, 30.0)
    assert told(by_load, demand="", world=World(readings={RegionName("us"): {load_of: reading}})) == no_plan
    monkeypatch.setitem(sys.modules, "highspy", None)
    assert told() == Planned(Effect.INERT, why=Inert.NO_SOLVER)
    for why in Inert:
        assert in_words({"effect": "inert", "why": why.value}).startswith("the step does nothing, everybody")
        assert INERT[why.value] in in_words({"effect": "inert", "why": why.value})
    assert set(INERT) == {why.value for why in Inert}


def test_tenants_are_nobody_s_to_move() -> None:
    """A tenant's name has no part in a plan."""
    policy = load([PolicyFile("/p.yaml", POLICY.replace("CAPACITY", ", capacity"))]).policy
    world = World(capacity=CapacityPlan(0.0, frozenset(), Spread()))
    pinned = Ranked(((0,), (1,)), pinned=True)
    found = planned_for(policy, policy.services[ServiceName("web")], pinned, world, 6e8)
    assert found == Planned(Effect.INERT, why=Inert.TENANT)
