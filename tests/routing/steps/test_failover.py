"""The explicit order, and who is active in it."""

from collections.abc import Mapping

import pytest

from georouter.answers.layout import Reason
from georouter.facts.failover import BeyondMaxLag, Choose, FailoverRule
from georouter.facts.signals import Grade
from georouter.facts.world import Reading, RegionFacts, Role, Standing
from georouter.policy.model import AllDown, Service
from georouter.policy.steps import Failover, Match, Residency, Step
from georouter.routing.decide import Decision, decide
from georouter.routing.steps.failover import after_loss, stand
from georouter.words.ids import RegionName, ServiceName, SignalName
from tests.routing.scenes import (
    DOWN,
    DRAINED,
    LONDON,
    NOWHERE,
    SITES,
    UNKNOWN,
    UP,
    World,
    order,
    places_of,
    policy_of,
    service_of,
    tiers_of,
)

STEP = Failover(order("us-west", "us-east eu-west"))
ALL = tuple(map(RegionName, SITES))
EAST, WEST, EU = (RegionName(name) for name in ("us-east", "us-west", "eu-west"))
MANAGED = Failover(tuple((name,) for name in ALL), FailoverRule(ALL))


def test_order_is_the_same_for_everybody() -> None:
    """Named tiers first, the unnamed together last."""
    expected = [["us-west"], ["us-east", "eu-west"], ["eu-central", "ap-south"]]
    assert tiers_of(service_of(STEP), LONDON) == expected
    assert tiers_of(service_of(STEP), NOWHERE) == expected


def test_explains_the_order() -> None:
    """The reason repeats the order and names who was left out."""
    service = service_of(STEP)
    reasons = decide(policy_of(service), service, places_of(LONDON), World()).steps[0].reasons
    assert reasons == (
        "the order is us-west > us-east = eu-west; not named, so last together: eu-central, ap-south",
    )


def decided(
    regions: Mapping[RegionName, RegionFacts],
    active: RegionName,
    *chain: Step,
    held: bool = False,
    when_all_down: AllDown = AllDown.SERVE_ALL,
) -> Decision:
    """What a service decides whose step has this region active."""
    service: Service = service_of(*(chain or (MANAGED,)), when_all_down=when_all_down)
    standing = Standing(active, tuple(name for name in ALL if name != active), held, "because")
    now = World(regions=regions, standings={service.name: standing})
    return decide(policy_of(service), service, places_of(LONDON), now)


def reason(decision: Decision) -> Reason:
    """Of any family."""
    return next(iter(decision.selections.values())).reason


@pytest.mark.parametrize(
    ("regions", "active", "held", "answer", "why"),
    [
        ({}, EAST, False, EAST, Reason.PRIMARY),
        ({}, WEST, False, WEST, Reason.FAILOVER),
        ({WEST: UNKNOWN}, WEST, False, WEST, Reason.FAILOVER),
        ({WEST: DRAINED}, WEST, False, WEST, Reason.FORCED),
        ({EAST: DOWN}, EAST, True, EAST, Reason.HELD),
        ({WEST: DOWN}, WEST, True, WEST, Reason.HELD),
        ({EAST: DOWN}, EAST, False, WEST, Reason.FAILOVER),
        ({EAST: DOWN, WEST: DRAINED}, EAST, False, EU, Reason.FORCED),
        (dict.fromkeys(ALL, DOWN), WEST, False, WEST, Reason.ALL_DOWN),
    ],
)
def test_the_active_region_answers(
    regions: Mapping[RegionName, RegionFacts], active: RegionName, held: bool, answer: RegionName, why: Reason
) -> None:
    """Unless it is down and not held; where all are down, it is the one to be served."""
    decision = decided(regions, active, held=held)
    assert (decision.answers(), reason(decision)) == (frozenset({answer}), why)


def test_a_fence_that_leaves_out_the_active_region() -> None:
    """Nothing crosses it: its clients get the first of the order that they may have."""
    fence = Residency(clients_of("GB"), frozenset({EU, RegionName("eu-central")}))
    assert decided({}, EAST, fence, MANAGED).answers() == {EU}
    assert decided({EU: DOWN}, EAST, fence, MANAGED).answers() == {"eu-central"}


def clients_of(country: str) -> Match:
    """Clients of one country."""
    return Match(countries=(country,))


def test_says_why_the_active_region_answers() -> None:
    """The second reason is the state machine's own."""
    assert decided({}, WEST).steps[0].reasons[1] == "because"


def test_only_a_step_that_keeps_a_state_looks() -> None:
    """Another service's standing, or a plain order, changes nothing."""
    assert decided({}, WEST, Failover(MANAGED.order)).answers() == {EAST}
    facts = stand(None, [EAST], World(standings={ServiceName("web"): Standing(EAST)}))
    assert facts[0].role is Role.NONE
    (told,) = stand(ServiceName("web"), [EU], World({EU: UP}, standings={ServiceName("web"): Standing(EAST)}))
    assert told.role is Role.NONE


A, B, C = map(RegionName, "abc")


@pytest.mark.parametrize(
    ("fields", "facts", "lags", "chosen"),
    [
        ({}, {}, {}, B),
        ({}, {B: DRAINED}, {}, C),
        ({}, {B: UNKNOWN}, {}, C),
        ({}, {B: DOWN, C: DRAINED}, {}, C),
        ({"choose": Choose.LEAST_LAG}, {}, {B: 90.0, C: 20.0}, C),
        ({"choose": Choose.LEAST_LAG}, {}, {B: 90.0}, B),
        ({"max_lag": 50.0}, {}, {B: 90.0, C: 20.0}, C),
        ({"max_lag": 50.0}, {}, {B: 90.0}, None),
        ({"max_lag": 50.0, "beyond_max_lag": BeyondMaxLag.SERVE}, {}, {B: 90.0, C: 95.0}, B),
    ],
)
def test_who_would_take_over(
    fields: dict[str, object],
    facts: dict[RegionName, RegionFacts],
    lags: dict[RegionName, float],
    chosen: RegionName | None,
) -> None:
    """As the state machine would choose; None: the lost one is held."""
    rule = FailoverRule((A, B, C), **fields)  # type: ignore[arg-type]
    lag = SignalName("replication_lag_ms")
    readings = {name: {lag: Reading(value, 0.0, Grade.OK, 30.0)} for name, value in lags.items()}
    now = World(regions={A: DOWN, **facts}, readings=readings)
    after = after_loss(rule, Standing(A, (B, C)), now)
    assert (after.active, after.held) == ((A, True) if chosen is None else (chosen, False))
    assert set(after.standbys) == {A, B, C} - {after.active}
    nobody = after_loss(rule, Standing(A, (B, C)), World(regions=dict.fromkeys((A, B, C), DOWN)))
    assert (nobody.active, nobody.held) == (A, False)
