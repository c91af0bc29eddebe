import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.compiler.prefixes import Beginning, bits, prefixes
from georouter.compiler.selections import Before, Selections, select_all
from georouter.compiler.steering import Steering, Table, steer
from georouter.facts.plan import Shares
from georouter.facts.world import Effective, RegionFacts, State
from georouter.policy.model import AllDown
from georouter.policy.steps import Limit, Nearest, Weighted
from georouter.routing.rank import Ranked
from georouter.routing.select import LastKnown, select
from georouter.words.ids import RegionName
from tests.compiler.build import policy, service, tiny_map, world, zone

COUNT = 5
OWN = 4
"""The last region is a fallback only."""

FACTS = st.one_of(
    st.builds(
        RegionFacts,
        observed=st.sampled_from(State),
        effective=st.sampled_from([Effective.UP, Effective.UNKNOWN, Effective.DOWN]),
        health=st.sampled_from([1.0, 1.0, 0.5, 0.0]),
    ).map(lambda fact: dataclasses.replace(fact, effective=Effective(fact.observed.value))),
    st.builds(
        lambda observed, forced: RegionFacts(observed, forced, forced),
        st.sampled_from(State),
        st.sampled_from([Effective.UP, Effective.DRAINED, Effective.DOWN]),
    ),
)
WORLD = st.tuples(*[FACTS] * COUNT)


def rankings(seed: int) -> tuple[Ranked, ...]:
    """Distinct rankings of four regions, some of them fenced, some with equal regions."""
    dice = random.Random(seed)
    found: dict[Ranked, None] = {}
    for _ in range(40):
        regions = list(range(OWN))
        dice.shuffle(regions)
        regions = regions[: dice.choice([0, 2, 3, 4, 4, 4])]
        tiers: list[tuple[int, ...]] = []
        while regions:
            size = min(dice.choice([1, 1, 2]), len(regions))
            tiers.append(tuple(sorted(regions[:size])))
            regions = regions[size:]
        found[Ranked(tuple(tiers), dice.choice([(), (4,)]))] = None
    return tuple(found)


def fixture(seed: int, limit: int, all_down: AllDown, weights: tuple[float, ...]) -> tuple[Table, Steering]:
    """A table over these rankings and a group with this rule."""
    names = [RegionName(name) for name in ("eu", "eu2", "us", "ap")]
    chain = [Nearest(), Limit(limit), Weighted(dict(zip(names, weights, strict=True)))]
    made = steer(
        policy([zone("example.com")], [service("web", chain=chain, when_all_down=all_down)]),
        tiny_map(),
        world(),
    )
    group = made.steerings[0]
    rule = dataclasses.replace(group.rule, weights=(*weights, 1.0), fallback=(4,))
    every = rankings(seed)
    table = dataclasses.replace(made.tables[0], rankings=every, mapped=len(every), prefixes=prefixes(every))
    return table, dataclasses.replace(group, rule=rule)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 20),
    limit=st.integers(1, 3),
    all_down=st.sampled_from(AllDown),
    weights=st.tuples(*[st.sampled_from([1.0, 1.0, 2.0, 0.0])] * OWN),
    worlds=st.lists(WORLD, min_size=1, max_size=3),
    usable=st.none() | st.frozensets(st.integers(0, COUNT - 1)),
    last=st.frozensets(st.tuples(*[st.frozensets(st.integers(0, COUNT - 1))] * 2), max_size=3),
    keep=st.lists(st.booleans(), min_size=COUNT, max_size=COUNT),
)
def test_every_ranking_selects_as_if_asked_alone(  # noqa: PLR0917 - one for each thing that varies
    seed: int,
    limit: int,
    all_down: AllDown,
    weights: tuple[float, ...],
    worlds: list[tuple[RegionFacts, ...]],
    usable: frozenset[int] | None,
    last: LastKnown,
    keep: list[bool],
) -> None:
    """Skipping common beginnings, and reusing the previous world's, never changes a selection."""
    table, group = fixture(seed, limit, all_down, weights)
    before: Before | None = None
    for now in worlds:
        facts = now
        if before is not None:
            facts = tuple(
                old if kept else new for old, new, kept in zip(before.facts, now, keep, strict=True)
            )
        made = select_all(table, group, facts, usable, last, before)
        for ranking, ranked in enumerate(table.rankings):
            assert made.distinct[made.of[ranking]] == select(ranked, group.rule, facts, usable, last)
        scratch = select_all(table, group, facts, usable, last)
        assert made.distinct == scratch.distinct
        assert np.array_equal(made.of, scratch.of)
        _check_kept(made, before)
        before = Before(facts, made)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 20),
    limit=st.integers(1, 3),
    now=WORLD,
    usable=st.none() | st.frozensets(st.integers(0, COUNT - 1)),
    said=st.dictionaries(st.integers(0, 39), st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * COUNT)),
)
def test_a_plan_speaks_to_its_own_rankings(
    seed: int,
    limit: int,
    now: tuple[RegionFacts, ...],
    usable: frozenset[int] | None,
    said: dict[int, tuple[float, ...]],
) -> None:
    """Those of whom it says nothing are skipped as ever, and the others asked one by one."""
    table, group = fixture(seed, limit, AllDown.SERVE_ALL, (1.0, 1.0, 2.0, 0.0))
    every = table.rankings
    shares = Shares.of(COUNT, {every[one].tiers: parts for one, parts in said.items() if one < len(every)})
    made = select_all(table, group, now, usable, frozenset(), None, shares)
    for number, ranked in enumerate(every):
        alone = select(ranked, group.rule, now, usable, frozenset(), shares)
        assert made.distinct[made.of[number]] == alone


def _check_kept(made: Selections, before: Before | None) -> None:
    for selection, kept in zip(made.distinct, made.kept, strict=True):
        assert kept < 0 or (before is not None and before.selections.distinct[kept] == selection)


@pytest.mark.parametrize("seed", range(5))
def test_prefixes_cover_every_ranking_once(seed: int) -> None:
    """Leaves are the rankings; a node's runs are those of its children, its reach their union."""
    every = rankings(seed)
    tree = prefixes(every)
    assert sorted(tree.order.tolist()) == list(range(len(every)))

    def check(node: Beginning) -> None:
        allowed = 0
        for ranking in tree.order[node.low : node.high].tolist():
            allowed |= bits(every[ranking].allowed)
            assert node.taken & ~bits(every[ranking].allowed) == 0
        assert node.reach == allowed
        if node.further:
            assert node.further[0].low == node.low
            assert node.further[-1].high == node.high
            for left, right in zip(node.further, node.further[1:], strict=False):
                assert left.high == right.low
        else:
            assert node.high - node.low == 1
        for child in node.further:
            check(child)

    check(tree.root)


def test_few_questions_while_regions_are_up() -> None:
    """With everything up the selector is asked once per first tier, not once per ranking."""
    table, group = fixture(3, 1, AllDown.SERVE_ALL, (1.0, 1.0, 1.0, 1.0))
    up = (RegionFacts(State.UP, Effective.UP),) * COUNT
    made = select_all(table, group, up, None, frozenset())
    firsts = {ranked.tiers[:1] for ranked in table.rankings if ranked.tiers}
    assert len(made.settled) <= len(firsts)
    shares = Shares.of(COUNT, {table.rankings[0].tiers: (0.0, 0.5, 0.5, 0.0, 0.0)})
    planned = select_all(table, group, up, None, frozenset(), None, shares)
    assert len(made.settled) - 1 <= len(planned.settled) < len(made.settled) + COUNT
