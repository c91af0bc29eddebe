"""Which spread counts when regions go and return."""

import pickle

import numpy as np
import pytest

from georouter.facts.plan import CapacityPlan, Shares, Spread, Tiers
from georouter.words.ids import RegionName

A, B, C = map(RegionName, "abc")
NOW, WITHOUT_B = Spread(loads={A: 1.0}), Spread(loads={C: 2.0})
PLAN = CapacityPlan(0.0, frozenset({A}), NOW, {B: WITHOUT_B})


def test_the_spread_for_who_is_away() -> None:
    """One more loss has its own, an unplanned or second one and a return keep the present one."""
    assert PLAN.spread(frozenset({A})) is NOW
    assert PLAN.spread(frozenset({A, B})) is WITHOUT_B
    assert PLAN.spread(frozenset({A, C})) is NOW
    assert PLAN.spread(frozenset({A, B, C})) is NOW
    assert PLAN.spread(frozenset()) is NOW


def test_what_was_prepared() -> None:
    """Nothing for losses that were not worked out; what stands now for who is away, and for who is back."""
    assert PLAN.prepared(frozenset({A})) is NOW
    assert PLAN.prepared(frozenset({A, B})) is WITHOUT_B
    assert PLAN.prepared(frozenset({A, C})) is None
    assert PLAN.prepared(frozenset({A, B, C})) is None
    assert PLAN.prepared(frozenset()) is NOW


def test_what_counts_now() -> None:
    """The spread for who is away, alone: what is ready for other losses is not part of it."""
    settled = PLAN.settled(frozenset({A, B}))
    assert settled == CapacityPlan(0.0, frozenset({A, B}), WITHOUT_B)
    assert settled.spread(frozenset({A, B})) is WITHOUT_B


FIRST: Tiers = ((0,), (1, 2))
SECOND: Tiers = ((0, 1), (2,))
THIRD: Tiers = ((2,), (1,), (0,))
PARTS = {FIRST: (0.25, 0.0, 0.75), SECOND: (0.0, 1.0, 0.0), THIRD: (0.1, 0.2, 0.7)}


def test_shares_by_ranking() -> None:
    """What went in comes out, also on the other side of a pipe; of other rankings nothing is said."""
    for shares in (made := Shares.of(3, PARTS), pickle.loads(pickle.dumps(made))):
        assert {ranking: shares.get(ranking) for ranking in PARTS} == PARTS
        assert shares.get(((0,), (1,), (2,))) is None
        assert FIRST in shares
        assert ((1,),) not in shares
        assert len(shares) == 3


def test_equal_shares_are_equal() -> None:
    """So that a plan that says the same changes nothing, and nothing said is nothing."""
    made = Shares.of(3, PARTS)
    assert made == Shares(3, (FIRST, SECOND, THIRD), np.array([*PARTS.values()]))
    assert hash(made) == hash(Shares.of(3, PARTS))
    assert made != Shares.of(3, PARTS | {FIRST: (0.5, 0.0, 0.5)})
    assert made != Shares.of(3, {FIRST: PARTS[FIRST]})
    assert made != PARTS
    assert not Shares.of(3, {})
    assert Shares.of(3, {}).get(FIRST) is None


def test_shares_are_small() -> None:
    """Ten thousand rankings that each go to one region take a few bytes each."""
    rankings = [((one // 100,), (100 + one % 100,)) for one in range(10_000)]
    shares = Shares(200, rankings, np.eye(200)[np.arange(10_000) % 200])
    assert len(pickle.dumps(shares)) < 150_000


def test_the_first_of_two_with_one_hash_counts() -> None:
    """-1 and -2 have one hash in CPython: stand-ins for what happens once in 2**64 times."""
    one, two = ((-1,),), ((-2,),)
    assert Shares.of(2, {one: (0.5, 0.5), two: (0.0, 1.0)}).get(two) == pytest.approx((0.5, 0.5))
