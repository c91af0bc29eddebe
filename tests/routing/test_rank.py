"""Ranking as a whole: refinement, fences, one place among many, distinct rankings."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.world import World
from georouter.policy.model import Location, Service
from georouter.routing.rank import FALLBACK_TIER, OUTSIDE, Ranked, distinct, rank, restrict, steps_in_order
from georouter.routing.scene import make_scene
from georouter.routing.steps import STEPS, kind_of
from georouter.routing.tiers import is_ranked, start
from tests.routing.chains import fence_of, services, sites, spots, worlds
from tests.routing.scenes import LONDON, Spot, names, places_of, policy_of, ranked_of, service_of

NODE = Location(10.0, 10.0)
Sites = dict[str, tuple[float, float]]


def test_every_step_has_its_furniture() -> None:
    """Names are unique, types too, and each kind is found by its step."""
    assert len({kind.name for kind in STEPS}) == len(STEPS) == len({kind.step for kind in STEPS})
    assert all(kind.name == kind.step.__name__.lower() for kind in STEPS)


def test_empty_chain_makes_all_equal() -> None:
    """Without steps every region of the service is in tier 0, fallback regions apart."""
    ranked = ranked_of(service_of(regions=["us-east", "eu-west"], fallback=names("ap-south")), LONDON)[0]
    assert ranked == Ranked(((0, 1),), (2,))


def test_distinct_lists_rankings_in_order_of_appearance() -> None:
    """Gaps in numbers, fenced cells and fallback cells are read right; equal rows share an id."""
    tiers = np.array(
        [[2, 0, OUTSIDE, FALLBACK_TIER], [0, 0, 1, OUTSIDE], [2, 0, OUTSIDE, FALLBACK_TIER]], dtype=np.int16
    )
    rankings, ids = distinct(tiers)
    assert rankings == (Ranked(((1,), (0,)), (3,)), Ranked(((0, 1), (2,)), ()))
    assert ids.tolist() == [0, 1, 0]


def test_restrict_drops_regions_and_empty_tiers() -> None:
    """Order stays; a tier that loses everybody disappears."""
    ranked = Ranked(((0, 2), (1,), (3,)), (4, 5))
    assert restrict(ranked, frozenset({2, 3, 5})) == Ranked(((2,), (3,)), (5,))
    assert ranked.allowed == {0, 1, 2, 3, 4, 5}


@given(services, sites, st.lists(spots, min_size=1, max_size=4), worlds)
def test_steps_only_refine(service: Service, sites: Sites, spots: list[Spot], world: World) -> None:
    """No step merges tiers, reorders across them, or brings back what a fence dropped."""
    scene = make_scene(policy_of(service, sites, node=NODE), service, places_of(*spots), world)
    tiers = start(len(spots), scene.own, len(scene.regions))
    for step in steps_in_order(service):
        after = kind_of(step).rank(step, tiers, scene)
        assert after.dtype == np.int16
        for before_row, after_row in zip(tiers.tolist(), after.tolist(), strict=True):
            for one, other in [(x, y) for x in range(len(before_row)) for y in range(len(before_row))]:
                if before_row[one] == OUTSIDE:
                    assert after_row[one] == OUTSIDE
                if OUTSIDE not in {after_row[one], after_row[other]} and before_row[one] < before_row[other]:
                    assert after_row[one] < after_row[other]
        if kind_of(step).name != "residency":
            assert np.array_equal(is_ranked(tiers), is_ranked(after))
        tiers = after


@given(services, sites, st.lists(spots, min_size=1, max_size=5), worlds)
def test_one_place_ranks_as_it_does_among_many(
    service: Service, sites: Sites, spots: list[Spot], world: World
) -> None:
    """What explain sees for one place is the compiler's row for it."""
    policy = policy_of(service, sites, node=NODE)
    places = places_of(*spots)
    many = rank(policy, service, make_scene(policy, service, places, world))
    for row in range(len(spots)):
        one = rank(policy, service, make_scene(policy, service, places.row(row), world))
        assert np.array_equal(one[0], many[row])


@given(services, sites, st.lists(spots, min_size=1, max_size=5), worlds)
def test_rankings_have_no_gaps_and_stay_in_the_fence(
    service: Service, sites: Sites, spots: list[Spot], world: World
) -> None:
    """Tier numbers of a place count up from 0, and exactly the allowed regions appear."""
    policy = policy_of(service, sites, node=NODE)
    scene = make_scene(policy, service, places_of(*spots), world)
    tiers = rank(policy, service, scene)
    rankings, ids = distinct(tiers)
    for row, spot in enumerate(spots):
        used = sorted(set(tiers[row][is_ranked(tiers)[row]].tolist()))
        assert used == list(range(len(used)))
        ranked = rankings[ids[row]]
        assert {scene.regions[region] for region in ranked.allowed} == fence_of(service, spot)
        assert all(list(tier) == sorted(tier) for tier in ranked.tiers)
    assert all(one != other for one, other in pairwise(rankings))


@given(
    rows=st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([OUTSIDE, 0, 1, 2, FALLBACK_TIER]), min_size=width, max_size=width),
            min_size=2,
            max_size=8,
        )
    )
)
def test_many_rankings_are_those_of_each_row(rows: list[list[int]]) -> None:
    """All at once or one by one: the same tiers, the same fallback."""
    tiers = np.array(rows, dtype=np.int16)
    rankings, ids = distinct(tiers)
    for row, number in zip(tiers, ids.tolist(), strict=True):
        assert rankings[number] == distinct(row[None, :])[0][0]
