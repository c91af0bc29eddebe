import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.choice import pick
from georouter.answers.layout import REASONS
from georouter.answers.tables import SLOT_A, SLOT_AAAA, Runs
from georouter.compiler.contents import Contents
from georouter.compiler.runs import TOP, cumulative, make_runs
from georouter.compiler.selections import Before, select_all
from georouter.compiler.steering import Steering, Table, steer
from georouter.facts.world import Effective, RegionFacts, State
from georouter.policy.model import Endpoint
from georouter.policy.steps import Weighted
from georouter.words.ids import RegionName
from tests.compiler.build import policy, region, service, tiny_map, world, zone

UP = RegionFacts(State.UP, Effective.UP)
DOWN = RegionFacts(State.DOWN, Effective.DOWN)
PARTS = (
    region("eu", Endpoint("192.0.2.1", 4, 2.0), Endpoint("192.0.2.2", 4, 1.0), "2001:db8::1"),
    region("us", "192.0.2.3", "2001:db8::3"),
    region("ap", "192.0.2.4", "2001:db8::4", "2001:db8::44"),
)


def fixture() -> tuple[Table, Steering]:
    """Three regions in one tier, weights 3 : 1 : 2."""
    weights = {RegionName("eu"): 3.0, RegionName("us"): 1.0, RegionName("ap"): 2.0}
    web = service("web", regions=("eu", "us", "ap"), chain=[Weighted(weights)])
    made = steer(policy([zone("example.com")], [web], PARTS), tiny_map(), world())
    return made.tables[0], made.steerings[0]


def runs_of(facts: tuple[RegionFacts, ...], slot: int) -> Runs:
    """The runs of the fixture in this world."""
    table, group = fixture()
    return make_runs(select_all(table, group, facts), Contents(group, slot, facts)).runs


def share(runs: Runs, column: str) -> dict[int, float]:
    """How much of the hash values goes to each value of a column, for ranking 0."""
    found: dict[int, float] = {}
    lower = 0
    for index in range(runs.first[0], runs.first[0] + runs.count[0]):
        value = getattr(runs, column)[index]
        found[value] = found.get(value, 0.0) + (runs.threshold[index] - lower) / TOP
        lower = runs.threshold[index]
    assert lower == TOP
    return found


def test_shares() -> None:
    """Regions get what their weights say, addresses what theirs say within the region."""
    runs = runs_of((UP, UP, UP), SLOT_A)
    regions = {tally // REASONS: part for tally, part in share(runs, "tally").items()}
    assert regions == pytest.approx({0: 1 / 2, 1: 1 / 6, 2: 1 / 3}, abs=1e-8)
    bodies = sorted(share(runs, "body").values())
    assert bodies == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 3], abs=1e-8)


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from([UP, DOWN]), min_size=3, max_size=3))
def test_a_and_aaaa_choose_the_same_region(value: int, facts: list[RegionFacts]) -> None:
    """For one hash value both families name one region, however many addresses each rotates."""
    tallies = []
    for slot in (SLOT_A, SLOT_AAAA):
        runs = runs_of(tuple(facts), slot)
        tallies.append(runs.tally[pick(runs, runs.first[0], runs.count[0], value)])
    assert tallies[0] == tallies[1]


@given(
    st.lists(st.floats(0, 1000), min_size=1, max_size=9).filter(any),
    st.integers(0, TOP),
    st.integers(1, TOP),
)
def test_cumulative(weights: list[float], lower: int, width: int) -> None:
    """Bounds ascend to the top, and the parts are in proportion to within one value."""
    upper = lower + width
    bounds = cumulative(weights, lower, upper)
    assert bounds == sorted(bounds)
    assert bounds[-1] == upper
    total = sum(weights)
    for weight, (start, end) in zip(weights, itertools.pairwise([lower, *bounds]), strict=True):
        assert abs((end - start) - width * weight / total) <= 2 + width * 1e-9


def test_pieces_are_reused_with_the_same_result() -> None:
    """Runs made with the previous pieces are the runs made from nothing."""
    table, group = fixture()
    worlds = [
        (UP, UP, UP),
        (UP, DOWN, UP),
        (dataclasses.replace(UP, endpoints_down=frozenset({0})), UP, UP),
        (dataclasses.replace(UP, endpoints_down=frozenset({0})), UP, DOWN),
        (UP, UP, UP),
    ]
    before = None
    pieces = None
    for facts in worlds:
        selections = select_all(table, group, facts, before=before)
        laid = make_runs(selections, Contents(group, SLOT_A, facts), pieces)
        scratch = make_runs(select_all(table, group, facts), Contents(group, SLOT_A, facts))
        assert laid.runs == scratch.runs
        before, pieces = Before(facts, selections), laid.pieces
