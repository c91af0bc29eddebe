"""Loads: demand times shares against capacity."""

import dataclasses
from collections.abc import Mapping

import pytest

from georouter.analysis.simulate import Load, every_region, having, simulate, with_capacity
from georouter.analysis.traffic import Clients, Side, address_space
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Nearest, Step, Weighted
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, service, tiny_map, world

EU, EU2, US, AP = map(RegionName, ("eu", "eu2", "us", "ap"))
WEB, API = ServiceName("web"), ServiceName("api")


def demanding(
    name: str, demand: float | None, *chain: Step, regions: tuple[str, ...] = ("eu", "us", "ap")
) -> Service:
    """A service with a demand."""
    return dataclasses.replace(service(name, regions=regions, chain=chain), demand=demand)


def rules(*services: Service, capacity: float | None = 1500.0) -> Policy:
    """These services over regions of one capacity."""
    return policy([], services, [dataclasses.replace(region, capacity=capacity) for region in REGIONS])


def everybody(made: Policy) -> Mapping[ServiceName, Clients]:
    """The address space of the tiny map asks for every service."""
    return dict.fromkeys(made.services, address_space(tiny_map(), tiny_map()))


def side(made: Policy, now: World) -> Side:
    """A side on the tiny map."""
    return Side(made, tiny_map(), now)


def test_three_regions_of_which_one_is_lost() -> None:
    """1000 each of capacity 1500; without one, 1500 each: full, and none above."""
    made = rules(demanding("web", 3000.0))
    found = simulate(side(made, world()), side(made, world(down=["us"])), everybody(made))
    assert [(load.region, load.before, load.after, load.used) for load in found.loads] == [
        ("eu", pytest.approx(1000), pytest.approx(1500), pytest.approx(1.0)),
        ("eu2", 0.0, 0.0, 0.0),
        ("us", pytest.approx(1000), 0.0, 0.0),
        ("ap", pytest.approx(1000), pytest.approx(1500), pytest.approx(1.0)),
    ]
    assert found.used == pytest.approx(1.0)
    assert found.uncounted == ()


def test_services_add_up_and_some_cannot_be_counted() -> None:
    """Regions carry every service whose demand is known; the others are named."""
    made = rules(
        demanding("web", 900.0), demanding("api", 100.0, Weighted({EU: 0.0, AP: 0.0})), demanding("x", None)
    )
    found = simulate(side(made, world()), side(made, world()), everybody(made), multiplier=2.0)
    assert {load.region: (load.before, load.after) for load in found.loads} == {
        "eu": (pytest.approx(300), pytest.approx(600)),
        "eu2": (0.0, 0.0),
        "us": (pytest.approx(400), pytest.approx(800)),
        "ap": (pytest.approx(300), pytest.approx(600)),
    }
    assert found.uncounted == ("x",)
    assert [outcome.shift.moved for outcome in found.outcomes] == [0.0, 0.0, 0.0]


def test_without_a_demand_there_is_no_load() -> None:
    """Shares still are told."""
    made = rules(demanding("web", None))
    found = simulate(side(made, world()), side(made, world(down=["us"])), everybody(made))
    assert (found.loads, found.used) == ((), None)
    assert found.outcomes[0].shift.moved == pytest.approx(1 / 3)


def test_capacity_shrinks_with_health_and_by_hand() -> None:
    """Graded health and a factor both count; a region that is down has none."""
    made = rules(demanding("web", 3000.0))
    less = with_capacity(made, {EU: 0.5})
    sick = World(regions={**world(down=["ap"]).regions, US: RegionFacts(State.UP, Effective.UP, health=0.5)})
    found = simulate(side(made, world()), side(less, sick), everybody(made))
    capacity = {load.region: load.capacity_after for load in found.loads}
    assert capacity == {"eu": 750.0, "eu2": 1500.0, "us": 750.0, "ap": 0.0}
    bare = rules(demanding("web", 3000.0), capacity=None)
    unknown = simulate(side(bare, world()), side(with_capacity(bare, {EU: 0.5}), world()), everybody(bare))
    assert {load.used for load in unknown.loads} == {None}


def test_a_load_on_a_region_without_capacity_is_endless() -> None:
    """Everybody is down and all are served: no figure could be honest."""
    assert Load(US, 1.0, 1.0, 1.0, 5.0, 0.0).used == float("inf")
    assert Load(US, 1.0, 0.0, 0.0, 5.0, 0.0).used == 0.0


def test_every_region() -> None:
    """One loss for each region that a service uses; nearest-only routing overloads one survivor."""
    made = rules(demanding("web", 3000.0, Nearest()))
    losses = {loss.region: loss for loss in every_region(side(made, world()), everybody(made))}
    assert list(losses) == ["eu", "us", "ap"]
    assert losses[AP].moved == pytest.approx(losses[AP].simulation.outcomes[0].shift.before[AP])
    assert losses[AP].simulation.used is not None
    assert losses[AP].simulation.used > 1.5


def test_having_keeps_what_is_known_of_others() -> None:
    """Only the named regions change."""
    before = world(down=["eu"])
    after = having(before, down=[US], drained=[AP])
    assert after.regions[EU] == before.regions[EU]
    assert [after.regions[name].effective.value for name in (US, AP)] == ["down", "drained"]
