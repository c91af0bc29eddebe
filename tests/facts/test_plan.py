"""Which spread counts when regions go and return."""

from georouter.facts.plan import CapacityPlan, Spread
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
