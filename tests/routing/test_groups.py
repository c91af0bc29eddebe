"""Groups of clients: who is one, and what regions cost it."""

import numpy as np
import pytest

from georouter.facts.plan import Tiers
from georouter.policy.model import AllDown
from georouter.policy.steps import Capacity, Limit
from georouter.routing.groups import STAY_MS, Asking, group, prices
from georouter.routing.rank import Ranked
from georouter.routing.select import Rule
from georouter.words.ids import RegionName
from tests.compiler.build import policy, region

A, B, C = map(RegionName, ("eu", "us", "ap"))
RANKINGS: tuple[Tiers, ...] = (((0,), (1,)), ((1,), (0,)), ((0, 1),))
RTT = np.array([[10.0, 80.0], [80.0, 10.0], [20.0, 30.0]])


def asking(universe: tuple[RegionName, ...], demand: list[float], step: Capacity | None) -> Asking:
    """Clients with three rankings."""
    rule = Rule((1.0, 1.0), Limit(), AllDown.SERVE_ALL, (), None, step)
    return Asking(universe, tuple(map(Ranked, RANKINGS)), np.array(demand), RTT, rule)


def test_equal_rankings_of_equal_crews_are_one_group() -> None:
    """Over services; not over other regions, not without the step, not where nobody asks."""
    rules = policy([], [], [region(name, "192.0.2.1") for name in (A, B, C)])
    one, two = asking((A, B), [1, 1, 0], Capacity()), asking((A, B), [0, 1, 1], Capacity(max_step=0.5))
    other, plain = asking((A, C), [1, 0, 0], Capacity()), asking((A, B), [1, 1, 1], None)
    made = group(rules, [one, two, other, plain])
    assert [of.tolist() for of in made.of] == [[0, 1, -1], [-1, 1, 2], [3, -1, -1], [-1, -1, -1]]
    assert made.tiers == (*RANKINGS, RANKINGS[0])
    assert made.crew_of.tolist() == [0, 0, 0, 1]
    assert np.isinf(made.price[0, 2])
    assert np.isinf(made.price[3, 1])
    assert [columns.tolist() for columns in made.columns] == [[0, 1], [0, 1], [0, 2], [0, 1]]


def test_a_later_tier_never_costs_less() -> None:
    """However near it is; regions outside cost infinitely much, unknown round trips go by the tier."""
    rtt = np.array([[90.0, 10.0, 20.0], [np.nan, np.nan, np.nan], [7.0, 8.0, 9.0]])
    found = prices([((0,), (1, 2)), ((0,), (1,), (2,)), ((2,),)], rtt)
    assert found[0] == pytest.approx([90.0, 90.0 + STAY_MS, 90.0 + STAY_MS])
    assert found[1] == pytest.approx([0.0, 50.0, 100.0])
    assert found[2].tolist() == [np.inf, np.inf, 9.0]


def test_nobody() -> None:
    """No clients, no groups."""
    rules = policy([], [], [region(A, "192.0.2.1")])
    assert group(rules, []).price.shape == (0, 1)
