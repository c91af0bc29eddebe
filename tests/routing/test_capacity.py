"""The capacity plan: limits kept, fences kept, nobody moved without need."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.facts.failover import FailoverRule
from georouter.facts.plan import CapacityPlan, Shares
from georouter.facts.world import Effective, RegionFacts, Standing, State, World
from georouter.policy.model import AllDown, Policy
from georouter.policy.steps import Capacity, Failover, Limit
from georouter.routing.capacity import Asking, make_plan
from georouter.routing.rank import Ranked, Ranking
from georouter.routing.select import Rule, Selector, planned, rule_of
from georouter.routing.steps.failover import stand
from georouter.words.ids import RegionName
from tests.compiler.build import LOCATIONS, policy, region, service, world

A, B, C = map(RegionName, ("eu", "us", "ap"))
STEP = Capacity()
FAR = np.array([[10.0, 80.0, 200.0], [80.0, 10.0, 150.0], [200.0, 150.0, 10.0]])
"""Round trips of clients near each of the three regions."""
NEAR: tuple[Ranking, ...] = (((0,), (1,), (2,)), ((1,), (0,), (2,)), ((2,), (1,), (0,)))


def rules(*capacities: float | None) -> Policy:
    """Three regions with these capacities."""
    regions = [
        dataclasses.replace(region(name, "192.0.2.1"), capacity=capacity)
        for name, capacity in zip((A, B, C), capacities, strict=True)
    ]
    return policy([], [], regions)


def asking(
    demand: Sequence[float],
    rankings: Sequence[Ranking] = NEAR,
    step: Capacity | None = STEP,
    weights: tuple[float, ...] = (1.0, 1.0, 1.0),
) -> Asking:
    """Clients near each of the regions."""
    rule = Rule(weights, Limit(), AllDown.SERVE_ALL, (), None, step)
    rtt = np.array([FAR[ranking[0][0]] for ranking in rankings])
    return Asking(
        (A, B, C), tuple(Ranked(item) for item in rankings), np.array(demand, dtype=float), rtt, rule
    )


def served(plan: CapacityPlan, clients: Asking, now: World) -> Mapping[RegionName, float]:
    """The load that selection makes of the plan."""
    there = dataclasses.replace(now, capacity=plan)
    facts = [there.region(name) for name in clients.universe]
    select = Selector(clients.rule, facts, shares=planned(clients.rule, clients.universe, there))
    loads = dict.fromkeys(clients.universe, 0.0)
    for ranked, amount in zip(clients.rankings, clients.demand, strict=True):
        candidates = select(ranked).candidates
        total = sum(candidate.weight for candidate in candidates)
        for candidate in candidates:
            loads[clients.universe[candidate.regions[0]]] += amount * candidate.weight / total
    return loads


def test_what_fits_stays() -> None:
    """At a thousand each of 1500 with a steady limit of 67 % nothing is planned."""
    plan = make_plan(rules(1500, 1500, 1500), [asking([1000, 1000, 1000])], world(), 5.0)
    assert plan.now.shares == {}
    assert plan.now.loads == {A: 1000, B: 1000, C: 1000}
    assert (plan.made_at, plan.away) == (5.0, frozenset())


def test_the_loss_of_one_of_three() -> None:
    """The plan that is ready fills both survivors and overloads none, where nearest alone would."""
    clients = asking([1000, 1000, 1000])
    plan = make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0)
    for lost in (A, B, C):
        gone = world(down=[lost])
        loads = served(plan, clients, gone)
        assert loads == {name: pytest.approx(0 if name == lost else 1500) for name in (A, B, C)}
        assert plan.losses[lost].loads == pytest.approx({name: 1500 for name in (A, B, C) if name != lost})
        bare = served(CapacityPlan(0.0, frozenset(), plan.now), clients, gone)
        assert max(bare.values()) == pytest.approx(2000)


def test_the_overflow_goes_where_it_costs_least() -> None:
    """Of the first region's 1500 only what is above 1005 moves, to the next in round trip."""
    clients = asking([1500, 200, 200])
    loads = served(make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0), clients, world())
    assert loads == {A: pytest.approx(1005), B: pytest.approx(695), C: pytest.approx(200)}


def test_a_fence_is_never_crossed() -> None:
    """Clients with one allowed region overload it, and it is reported; the others stay out."""
    clients = asking([3000, 100, 100], [((0,),), NEAR[1], NEAR[2]])
    plan = make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0)
    assert served(plan, clients, world()) == pytest.approx({A: 3000, B: 100, C: 100})
    assert plan.now.overload == {A: pytest.approx(3000 / 1005)}


def test_too_much_for_all_is_spread_in_proportion() -> None:
    """Twice the limit everywhere, whatever is nearest, by capacity."""
    clients = asking([4000, 500, 0])
    plan = make_plan(rules(1000, 2000, 1500), [clients], world(), 0.0)
    loads = served(plan, clients, world())
    assert loads == pytest.approx({A: 1000, B: 2000, C: 1500})
    assert plan.now.overload == pytest.approx(dict.fromkeys((A, B, C), 1 / 0.67))


def test_services_share_the_room() -> None:
    """Two planned services and one without the step: what the last one takes is gone."""
    one, two = asking([800, 0, 0]), asking([400, 0, 0], weights=(2.0, 1.0, 1.0))
    other = asking([405, 0, 0], step=None)
    plan = make_plan(rules(1500, 1500, 1500), [one, two, other], world(), 0.0)
    loads = served(plan, one, world())[A] + served(plan, two, world())[A]
    assert loads == pytest.approx(1005 - 405)
    assert served(plan, other, world())[A] == 405


def test_the_strictest_limit_counts() -> None:
    """A region used under two limits keeps the lower."""
    strict = asking([500, 0, 0], step=Capacity(steady_limit=0.5))
    plan = make_plan(rules(1000, 1000, 1000), [asking([500, 0, 0]), strict], world(), 0.0)
    assert plan.now.loads[A] == pytest.approx(500)


def test_degraded_regions_take_less() -> None:
    """Graded health scales capacity."""
    sick = World(regions={**world().regions, A: RegionFacts(State.UP, Effective.UP, health=0.5)})
    clients = asking([1000, 100, 100])
    plan = make_plan(rules(1500, 1500, 1500), [clients], sick, 0.0)
    assert served(plan, clients, sick)[A] == pytest.approx(0.67 * 750)


DB = dataclasses.replace(
    service("db", regions=(A, B, C), chain=[Failover(((A,), (B,), (C,)), FailoverRule((A, B, C)))]),
    demand=1.0,
)
"""Its first region is active, the others stand by."""


def stood(now: World, active: RegionName, *, held: bool = False) -> World:
    """The service's active region."""
    standbys = tuple(name for name in (A, B, C) if name != active)
    return dataclasses.replace(now, standings={DB.name: Standing(active, standbys, held)})


def managed(amount: float, step: Capacity | None = STEP) -> Asking:
    """The clients of that service: all prefer the order."""
    clients = asking([amount], [((0,), (1,), (2,))], step)
    return dataclasses.replace(clients, rule=dataclasses.replace(rule_of(DB), capacity=step))


@pytest.mark.parametrize("step", [STEP, None])
def test_standbys_get_nobody_while_another_is_active(step: Capacity | None) -> None:
    """However full the active region is, its clients stay, and others make room for them there."""
    made = dataclasses.replace(rules(1500, 1500, 1500), services={DB.name: DB})
    near = asking([600, 600, 600])
    for active in (A, B, C):
        now = stood(world(), active)
        plan = make_plan(made, [managed(900, step), near], now, 0.0)
        assert plan.now.loads[active] == pytest.approx(1005)
        assert sum(plan.now.loads.values()) == pytest.approx(2700)
        assert served(plan, near, now)[active] == pytest.approx(105)
        full = make_plan(made, [managed(2000), near], now, 0.0)
        facts = stand(DB.name, (A, B, C), now)
        shares = planned(managed(2000).rule, (A, B, C), dataclasses.replace(now, capacity=full))
        (candidate,) = Selector(managed(2000).rule, facts, shares=shares)(managed(1).rankings[0]).candidates
        assert (A, B, C)[candidate.regions[0]] == active
        assert full.now.overload[active] > 1.9


def test_the_loss_of_the_active_region_is_planned_with_the_next() -> None:
    """What is ready for it counts the load where the failover will bring it; other losses leave it alone."""
    made = dataclasses.replace(rules(1500, 1500, 1500), services={DB.name: DB})
    near = asking([400, 400, 400])
    plan = make_plan(made, [managed(1300), near], stood(world(), C), 0.0)
    lost = plan.losses[C]
    assert lost.loads == pytest.approx({A: 1500, B: 1000})
    assert lost.overload == {}
    assert plan.losses[A].loads[C] == pytest.approx(1500)
    assert served(plan, near, world(down=["ap"])) == pytest.approx({A: 200, B: 1000, C: 0})
    held = stood(world(down=["ap"]), C, held=True)
    assert make_plan(made, [managed(1300)], held, 0.0).now.loads == {C: 1300}


def test_equal_regions_keep_their_weights() -> None:
    """Where it fits, weights stand; where not, only the overflow moves."""
    tier: tuple[Ranking, ...] = (((0, 1, 2),),)
    clients = asking([1200], tier, weights=(3.0, 2.0, 1.0))
    assert make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0).now.shares == {}
    loads = served(make_plan(rules(750, 1500, 1500), [clients], world(), 0.0), clients, world())
    assert loads[A] == pytest.approx(0.67 * 750)
    assert loads[B] + loads[C] == pytest.approx(1200 - 0.67 * 750)
    assert min(loads[B] - 400, loads[C] - 200) > -1e-6


def test_regions_without_capacity_have_no_limit() -> None:
    """They take what overflows elsewhere."""
    clients = asking([1500, 0, 0])
    loads = served(make_plan(rules(1500, None, 1500), [clients], world(), 0.0), clients, world())
    assert loads == {A: pytest.approx(1005), B: pytest.approx(495), C: 0}


def test_standbys_are_left_alone() -> None:
    """A region that weighs 0 answers only when all others are gone: no overflow goes there."""
    clients = asking([1500, 0, 0], weights=(1.0, 0.0, 1.0))
    loads = served(make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0), clients, world())
    assert loads == {A: pytest.approx(1005), B: 0.0, C: pytest.approx(495)}


def test_who_is_at_the_fallback_stays_there() -> None:
    """It is no place in their ranking: they take room, and no plan moves them."""
    away = dataclasses.replace(
        asking([2000, 0, 0], [((0,),), *NEAR[1:]]), rankings=(Ranked(((0,),), (1,)), *map(Ranked, NEAR[1:]))
    )
    away = dataclasses.replace(
        away, rule=dataclasses.replace(away.rule, when_all_down=AllDown.FALLBACK, fallback=(1,))
    )
    plan = make_plan(rules(1500, 1500, 1500), [away], world(down=[A]), 0.0)
    assert plan.now.shares == {}
    assert plan.now.loads == {B: 2000}
    assert plan.now.overload == {B: pytest.approx(2000 / 1500)}
    near = asking([0, 1000, 0])
    plan = make_plan(rules(1500, 1500, 1500), [away, near], world(down=[A]), 0.0)
    assert plan.now.loads == {B: pytest.approx(2001.5), C: pytest.approx(998.5)}


def test_steps_are_bounded() -> None:
    """From plan to plan a tenth of the demand moves, until the wanted loads are reached; then it rests."""
    clients = asking([2000, 100, 100])
    made = rules(1500, 1500, 1500)
    plan = make_plan(made, [dataclasses.replace(clients, demand=np.array([900.0, 100, 100]))], world(), 0.0)
    loads = [served(plan, clients, world())[A]]
    for turn in range(8):
        plan = make_plan(made, [clients], world(), float(turn), previous=plan)
        loads.append(served(plan, clients, world())[A])
        assert plan.now.loads[A] == pytest.approx(loads[-1])
        assert (A in plan.now.overload) == (loads[-1] > 1005 + 1e-3)
    moves = [old - new for old, new in itertools.pairwise(loads)]
    assert moves[:4] == pytest.approx([220] * 4)
    assert max(moves) <= 220 + 1e-6
    assert loads[-1] == loads[-2] == pytest.approx(1005)


def test_a_failure_is_not_bounded() -> None:
    """What is ready for the loss of a region is whole, and is the base of the plan after it."""
    clients = asking([1000, 1000, 1000])
    made = rules(1500, 1500, 1500)
    first = make_plan(made, [clients], world(), 0.0)
    gone = world(down=[A])
    second = make_plan(made, [clients], gone, 1.0, previous=first)
    assert served(second, clients, gone) == pytest.approx({A: 0, B: 1500, C: 1500})
    assert set(second.losses) == {B, C}


def test_a_failure_before_its_plan_was_ready_is_not_bounded() -> None:
    """A loss that nothing was worked out for gets a whole plan, and not a tenth of the way to one."""
    clients = asking([1000, 1000, 1000])
    made = rules(1500, 1500, 1500)
    first = make_plan(made, [clients], world(), 0.0, losses=())
    gone = world(down=[A])
    second = make_plan(made, [clients], gone, 1.0, previous=first)
    assert second.now.loads == {B: pytest.approx(1500), C: pytest.approx(1500)}
    late = make_plan(made, [clients], world(), 0.0, losses=(C,))
    assert make_plan(made, [clients], gone, 1.0, previous=late).now == second.now


def test_a_second_loss_leaves_what_is_left() -> None:
    """Without a plan for it, the shares of those who are gone go to the others of the ranking."""
    clients = asking([1000, 1000, 1000])
    plan = make_plan(rules(1500, 1500, 1500), [clients], world(), 0.0, losses=(A,))
    assert served(plan, clients, world(down=[A, B])) == pytest.approx({A: 0, B: 0, C: 3000})


@settings(deadline=None, max_examples=60)
@given(
    demand=st.lists(st.integers(0, 2000), min_size=3, max_size=3).filter(any),
    capacity=st.lists(st.integers(100, 2000), min_size=3, max_size=3),
    down=st.sets(st.sampled_from((A, B, C)), max_size=2),
    drained=st.sets(st.sampled_from((A, B, C)), max_size=1),
    fenced=st.booleans(),
)
def test_whatever_happens(
    demand: list[int], capacity: list[int], down: set[RegionName], drained: set[RegionName], fenced: bool
) -> None:
    """Nobody is lost, no fence is crossed, no down region answers while an allowed one is up, limits hold."""
    rankings = (((0,), (1,)), *NEAR[1:]) if fenced else NEAR
    clients = asking(demand, rankings)
    now = world(down=sorted(down), drained=sorted(drained - down))
    plan = make_plan(rules(*capacity), [clients], now, 0.0)
    loads = served(plan, clients, now)
    assert sum(loads.values()) == pytest.approx(sum(demand))
    shares = plan.now.shares.get(clients.crew, Shares.of(3, {}))
    for tiers, parts in ((tiers, shares.get(tiers)) for tiers in rankings):
        if parts is None:
            continue
        allowed = {member for tier in tiers for member in tier}
        assert {index for index, part in enumerate(parts) if part > 0} <= allowed
        assert sum(parts) == pytest.approx(1.0)
    up = [name for name in (A, B, C) if now.regions[name].effective is Effective.UP]
    if A in up or (up and not fenced):
        for name in {A, B, C} - set(up):
            assert loads[name] == 0 or (fenced and A not in up and B not in up)
    part = 1.0 if now.away else 0.67
    limits = dict(zip((A, B, C), capacity, strict=True))
    for name in up:
        assert loads[name] <= part * limits[name] * plan.now.overload.get(name, 1.0) + 1e-3
    assert set(LOCATIONS) >= set(plan.now.loads)
