"""Who asks: round trips of rankings, demand by address space and by who asked, services that share."""

import dataclasses

import numpy as np
import pytest

from georouter.answers.layout import SLOTS
from georouter.compiler.asking import Crowd, RoundTrips, address_space, make_asking
from georouter.compiler.steering import census_slots
from georouter.facts.demand import Census
from georouter.facts.plan import Shares
from georouter.geo.distance import distance_km
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity, Nearest, Weighted
from georouter.routing.rank import distinct, rank
from georouter.routing.scene import make_scene, universe
from georouter.routing.steps.latency import model_ms
from georouter.words.ids import RegionName
from tests.compiler.build import LOCATIONS, policy, region, service, tiny_map, world

EU, US, AP = map(RegionName, ("eu", "us", "ap"))
GEO = tiny_map()
CHAIN = (Nearest(), Capacity())


def rules(*demands: float | None, weights: tuple[float, float] = (1.0, 1.0)) -> Policy:
    """A service for each demand, the last with weights; regions that hold a third of a thousand."""
    made = []
    for number, demand in enumerate(demands):
        own = Weighted({EU: weights[0], US: weights[1]}) if number == len(demands) - 1 else None
        chain = CHAIN if own is None else (*CHAIN, own)
        item = service(f"s{number}", regions=(EU, US, AP), chain=list(chain))
        made.append(dataclasses.replace(item, demand=demand))
    regions = [dataclasses.replace(region(name, "192.0.2.1"), capacity=500.0) for name in (EU, US, AP)]
    return policy([], made, regions)


def test_round_trips_are_means_over_clients() -> None:
    """Places without coordinates and without clients do not count."""
    made = rules(1.0)
    (item,) = made.services.values()
    scene = make_scene(made, item, GEO.places, world())
    weight = np.arange(len(GEO.places), dtype=np.float64)
    of = (np.arange(len(GEO.places)) % 2).astype(np.int32)
    found = RoundTrips(GEO, weight).means(scene, of, 3)
    for ranking in range(2):
        for column in range(len(scene.regions)):
            km = distance_km(GEO.places.lat, GEO.places.lon, scene.lat[column], scene.lon[column])
            here = (of == ranking) & np.isfinite(km) & (weight > 0)
            expected = np.average(model_ms(km[here]), weights=weight[here])
            assert found[ranking, column] == pytest.approx(expected, rel=1e-6)
    assert np.isnan(found[2]).all()


def test_demand_is_divided_by_weights() -> None:
    """Or given for each ranking."""
    made = rules(1.0)
    (item,) = made.services.values()
    scene = make_scene(made, item, GEO.places, world())
    rankings, of = distinct(rank(made, item, scene))
    trips = RoundTrips(GEO, address_space(GEO))
    divided = make_asking(item, scene, trips, rankings, of, 600.0)
    assert divided.demand.sum() == pytest.approx(600.0)
    space = np.bincount(of, weights=address_space(GEO))
    assert divided.demand / 600.0 == pytest.approx(space / space.sum())
    given = make_asking(item, scene, trips, rankings, of, space)
    assert given.demand is space


def test_services_that_rank_alike_are_walked_once() -> None:
    """Their rules stay their own; those without a demand are left out."""
    made = rules(600.0, None, 800.0, weights=(2.0, 1.0))
    crowd = Crowd(made, GEO, world())
    plan = crowd.plan(world(), {}, 0.0)
    assert sum(plan.now.loads.values()) == pytest.approx(1400.0)
    spreads = crowd.losses(world(), {}, 0.0, [EU, US, AP]).values()
    weights = {crew[1] for spread in spreads for crew in spread.shares}
    assert weights == {(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)}


def test_who_asks_counts() -> None:
    """A census of nobody but one ranking's clients puts the demand there."""
    made = rules(900.0)
    name = next(iter(made.services))
    crowd = Crowd(made, GEO, world())
    plain = crowd.plan(world(), {}, 0.0)
    (item,) = made.services.values()
    first = distinct(rank(made, item, make_scene(made, item, GEO.places, world())))[0][0]
    counted = np.zeros(SLOTS)
    counted[census_slots([first], universe(item))[0]] = 1e9
    census = {name: Census(0.0, counted, counted)}
    moved = crowd.plan(world(), census, 1.0)
    home = universe(item)[first.tiers[0][0]]
    assert moved.now.loads[home] >= plain.now.loads.get(home, 0.0)
    assert isinstance(next(iter(moved.now.shares.values())), Shares)
    assert set(LOCATIONS) >= set(moved.now.loads)
