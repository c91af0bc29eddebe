"""Proofs over random weights: what clients draw is what weights say, and who moves is who has to."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from georouter.answers.layout import REASONS
from georouter.answers.steer import Steering
from georouter.answers.tables import SLOT_A
from georouter.compiler.plan import Plan, plan
from georouter.compiler.publish import Published, publish
from georouter.compiler.runs import TOP
from georouter.facts.plan import CapacityPlan, Shares, Spread
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Endpoint, Policy
from georouter.policy.steps import Capacity, Geo, GeoRule, Limit, Step, Sticky, Weighted
from georouter.routing.decide import Family, decide
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import LOCATIONS, SYDNEY, policy, region, service, tiny_map, zone

NAMES = tuple(map(RegionName, LOCATIONS))
WEB = ServiceName("web")
NETWORKS = 30_000
"""So many client networks draw: 1 % is more than three standard deviations of any share."""
FIRST = 60 << 24
"""An address in Sydney, as are those behind it."""
DOWN = RegionFacts(State.DOWN, Effective.DOWN, endpoints_down=frozenset(range(9)))

weights = st.fixed_dictionaries(
    dict.fromkeys(NAMES, st.sampled_from((0.0, 0.5, 1.0, 1.0, 3.0, 10.0)))
).filter(lambda found: any(found.values()))
healths = st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from((1.0, 1.0, 0.75, 0.5, 0.1))))


@dataclass(frozen=True, slots=True)
class Made:
    """One service whose clients draw among the first of `tiers`."""

    rules: Policy
    plan: Plan

    def published(self, now: World, before: Published | None = None) -> Published:
        """In this world, from where it was before."""
        return publish(self.plan, now, 1 if before is None else 2, before)

    def expected(self, now: World) -> dict[RegionName, float]:
        """The shares by the decision, in which the tables have no part."""
        decision = decide(self.rules, self.rules.services[WEB], tiny_map().places.row(SYDNEY), now)
        found = decision.selections[Family.A].candidates
        total = sum(item.weight for item in found)
        return {decision.regions[item.regions[0]]: item.weight / total for item in found}


@st.composite
def made(draw: st.DrawFn, *more: Step) -> Made:
    """Ties, weights, several addresses of different weights, answers of several regions."""
    names = draw(st.permutations(NAMES))
    cut = draw(st.integers(2, len(names)))
    equal = (tuple(names[:cut]), *((name,) for name in names[cut:]))
    parts = []
    for row, name in enumerate(NAMES):
        ends = draw(st.lists(st.sampled_from((1.0, 1.0, 2.0, 5.0)), min_size=1, max_size=3))
        parts.append(region(name, *(Endpoint(f"192.0.{row}.{at}", 4, part) for at, part in enumerate(ends))))
    limit = Limit(draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    chain: tuple[Step, ...] = (Geo((GeoRule(None, equal),)), Weighted(draw(weights)), limit, *more)
    web = service("web", regions=NAMES, chain=chain)
    rules = policy([zone("example.com", (), {"www": "web"})], [web], parts)
    return Made(rules, plan(rules, tiny_map(), World()))


def world(parts: dict[RegionName, float], *down: RegionName) -> World:
    """Regions degraded so far, and some down."""
    up = {name: RegionFacts(State.UP, Effective.UP, health=part) for name, part in parts.items()}
    return World(regions={**up, **dict.fromkeys(down, DOWN)})


def drawn(now: Published, at: float = 86_400.0) -> NDArray[np.int64]:
    """The region that each client network gets, as a number, by the counter of its decision."""
    steering = Steering(now.snapshot, 0)
    steer, base = steering.steer, steering.counter_base
    found = (steer(FIRST + (number << 8), 4, 24, at)[2] for number in range(NETWORKS))
    return (np.fromiter(found, np.int64, NETWORKS) - base) // REASONS


def shares(regions: NDArray[np.int64]) -> dict[RegionName, float]:
    """By name, the part of the networks."""
    counts = np.bincount(regions, minlength=len(NAMES)) / NETWORKS
    return dict(zip(NAMES, counts.tolist(), strict=True))


def near(one: dict[RegionName, float], other: dict[RegionName, float]) -> bool:
    """Within 1 % everywhere."""
    return all(abs(one.get(name, 0.0) - other.get(name, 0.0)) < 0.01 for name in NAMES)


@settings(max_examples=150, deadline=None)
@given(made(), healths, st.sets(st.sampled_from(NAMES), max_size=3))
def test_the_bands_are_the_weights(
    service: Made, parts: dict[RegionName, float], down: set[RegionName]
) -> None:
    """Of all values that a hash can have, each region answers the part that is its weight's."""
    now = world(parts, *down)
    found = service.published(now)
    runs = found.snapshot.groups[0].runs[SLOT_A]
    widths: Counter[RegionName] = Counter()
    lower = 0
    begin = runs.first[0]
    for index in range(begin, begin + runs.count[0]):
        widths[NAMES[runs.tally[index] // REASONS]] += runs.threshold[index] - lower
        lower = runs.threshold[index]
    assert lower == TOP
    assert {name: width / TOP for name, width in widths.items()} == pytest.approx(
        service.expected(now), abs=1e-6
    )


@settings(max_examples=10, deadline=None, derandomize=True)
@given(made(), healths)
def test_clients_draw_by_weight(service: Made, parts: dict[RegionName, float]) -> None:
    """Within 1 % over many networks, at one moment, and each moment anew."""
    now = world(parts)
    found = service.published(now)
    first, second = drawn(found), drawn(found, 86_400.0 + 30.0)
    wanted = service.expected(now)
    assert near(shares(first), wanted)
    assert near(shares(second), wanted)
    stayed = sum(part * part for part in wanted.values())
    assert abs(float((first == second).mean()) - stayed) < 0.015


@settings(max_examples=10, deadline=None, derandomize=True)
@given(made(Sticky()), healths, st.sampled_from(NAMES))
def test_who_sticks_moves_only_when_it_must(
    service: Made, parts: dict[RegionName, float], lost: RegionName
) -> None:
    """Shares as weighted; a loss moves at most the region's share and 1 %, its own clients and nobody else,
    by weight; its return moves back exactly those; time moves nobody.
    """
    whole, less = world(parts), world(parts, lost)
    first = service.published(whole)
    before = drawn(first)
    assert near(shares(before), service.expected(whole))
    assert (drawn(first, 9e6) == before).all()
    gone = service.published(less, first)
    after = drawn(gone)
    moved = after != before
    assert (moved == (before == NAMES.index(lost))).all()
    assert moved.mean() <= service.expected(whole).get(lost, 0.0) + 0.01
    assert near(shares(after), service.expected(less))
    back = service.published(whole, gone)
    assert (drawn(back) == before).all()
    assert back.snapshot.bodies == first.snapshot.bodies


@pytest.mark.parametrize(
    ("was", "planned", "most"),
    [
        ((1.0, 0.0, 0.0), (0.7, 0.3, 0.0), 0.3),
        ((0.5, 0.5, 0.0), (0.4, 0.4, 0.2), 0.2),
        ((0.5, 0.5, 0.0), (0.5, 0.1, 0.4), 0.55),
    ],
)
def test_a_capacity_plan_moves_only_what_overflows(
    was: tuple[float, ...], planned: tuple[float, ...], most: float
) -> None:
    """Of sticky networks so many leave a full region as the plan says; nobody comes to it, the others stay.

    Of several equal regions of which one alone is full, some of another one's make room for its clients.
    """
    names = NAMES[:3]
    first = tuple(name for name, part in zip(names, was, strict=True) if part > 0)
    tiers = (first, tuple(name for name in names if name not in first))
    web = service("web", regions=names, chain=(Geo((GeoRule(None, tiers),)), Sticky(), Capacity()))
    rules = policy(
        [zone("example.com", (), {"www": "web"})],
        [web],
        [region(name, f"192.0.2.{at}") for at, name in enumerate(names)],
    )
    made_of = Made(rules, plan(rules, tiny_map(), World()))
    quiet = made_of.published(World())
    ranked = decide(rules, rules.services[WEB], tiny_map().places.row(SYDNEY), World()).ranked.tiers
    spread = Spread({(names, (1.0,) * 3, None): Shares.of(3, {ranked: planned})})
    full = made_of.published(replace(World(), capacity=CapacityPlan(0.0, frozenset(), spread)), quiet)
    before, after = drawn(quiet), drawn(full)
    for number, (old, new) in enumerate(zip(was, planned, strict=True)):
        assert abs((before == number).mean() - old) < 0.01
        assert abs((after == number).mean() - new) < 0.01
        if new < old:
            assert not ((after == number) & (before != number)).any(), "nobody comes to a full region"
    assert (before != after).mean() < most + 0.01
