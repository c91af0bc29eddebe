"""Selection: levels, reasons, shares, limits, the worst case."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.answers.layout import Reason
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import AllDown, Endpoint, Location, Region, Service
from georouter.policy.steps import Limit, Sticky, Weighted
from georouter.routing.decide import Family, decide
from georouter.routing.rank import Ranked, Ranking
from georouter.routing.select import (
    REFUSED,
    LastKnown,
    Rule,
    Selection,
    Selector,
    able,
    bound,
    having,
    last_up,
    rule_of,
    select,
)
from georouter.words.ids import RegionName
from tests.routing.chains import (
    fence_of,
    managed,
    managed_orders,
    services,
    sites,
    spots,
    standing,
    worlds,
)
from tests.routing.scenes import (
    DISABLED,
    DOWN,
    DRAINED,
    UNKNOWN,
    UP,
    Spot,
    names,
    places_of,
    policy_of,
    service_of,
)

FROZEN_AND_DRAINED = replace(DRAINED, observed=State.DOWN, frozen=State.UP)
"""What is observed of it does not count now; the operator's word does."""
FORCED_UP = RegionFacts(State.DOWN, Effective.UP, forced=Effective.UP)
THREE = Ranked(((0,), (1,), (2,)))
TWO_AND_ONE = Ranked(((0, 1), (2,)))


def rule(
    *weights: float,
    limit: int = 1,
    when: AllDown = AllDown.SERVE_ALL,
    fallback: tuple[int, ...] = (),
) -> Rule:
    """A rule for as many regions as weights."""
    return Rule(weights or (1.0, 1.0, 1.0), Limit(limit), when, fallback)


def firsts(selection: Selection) -> list[int]:
    """Which regions decide."""
    return [candidate.regions[0] for candidate in selection.candidates]


@pytest.mark.parametrize(
    ("facts", "answer", "reason"),
    [
        ((UP, UP, UP), 0, Reason.PRIMARY),
        ((DOWN, UP, UP), 1, Reason.FAILOVER),
        ((DOWN, DOWN, UP), 2, Reason.FAILOVER),
        ((UNKNOWN, UP, UP), 1, Reason.FAILOVER),
        ((UNKNOWN, UNKNOWN, UNKNOWN), 0, Reason.PRIMARY),
        ((DOWN, UNKNOWN, UNKNOWN), 1, Reason.FAILOVER),
        ((DRAINED, UP, UP), 1, Reason.FORCED),
        ((DISABLED, UP, UP), 1, Reason.FORCED),
        ((FROZEN_AND_DRAINED, UP, UP), 1, Reason.FORCED),
        ((DOWN, DRAINED, UP), 2, Reason.FORCED),
        ((DOWN, UP, DRAINED), 1, Reason.FAILOVER),
        ((DRAINED, DRAINED, DOWN), 0, Reason.FORCED),
        ((FORCED_UP, UP, UP), 0, Reason.PRIMARY),
        ((DOWN, DOWN, FORCED_UP), 2, Reason.FAILOVER),
        ((UNKNOWN, FORCED_UP, UNKNOWN), 1, Reason.FORCED),
        ((DOWN, DOWN, DOWN), 0, Reason.ALL_DOWN),
    ],
)
def test_first_tier_at_the_best_level_answers(
    facts: Sequence[RegionFacts], answer: int, reason: Reason
) -> None:
    """Up before unknown before drained before down; the reason says what moved the answer."""
    selection = select(THREE, rule(), facts)
    assert firsts(selection) == [answer]
    assert selection.reason is reason
    assert all(candidate.reason is reason for candidate in selection.candidates)


def test_equal_regions_share_by_weight_and_health() -> None:
    """A region at half health gets half its share."""
    facts = (UP, replace(UP, health=0.5), UP)
    selection = select(TWO_AND_ONE, rule(3, 2, 1), facts)
    assert [candidate.weight for candidate in selection.candidates] == [3.0, 1.0]


def test_drained_or_down_member_leaves_its_tier_quietly() -> None:
    """The other member of the first tier answers; that is no failover."""
    for lost in (DOWN, DRAINED):
        selection = select(TWO_AND_ONE, rule(), (lost, UP, UP))
        assert firsts(selection) == [1]
        assert selection.reason is Reason.PRIMARY


@pytest.mark.parametrize(
    ("facts", "answers", "reason"),
    [
        ((UP, UP, UP), [1], Reason.PRIMARY),
        ((UP, DOWN, UP), [2], Reason.FAILOVER),
        ((UP, DOWN, UNKNOWN), [2], Reason.FAILOVER),
        ((UP, DOWN, DOWN), [0], Reason.FAILOVER),
        ((UNKNOWN, DOWN, DOWN), [0], Reason.FAILOVER),
        ((UP, DRAINED, DRAINED), [0], Reason.FORCED),
        ((DOWN, DRAINED, DOWN), [1], Reason.FORCED),
    ],
)
def test_weight_zero_answers_when_all_others_are_gone(
    facts: Sequence[RegionFacts], answers: list[int], reason: Reason
) -> None:
    """Region 0 weighs nothing: it waits behind every other tier, but before drained ones."""
    selection = select(TWO_AND_ONE, rule(0, 1, 1), facts)
    assert firsts(selection) == answers
    assert selection.reason is reason


def test_first_tier_without_weight_is_not_the_primary() -> None:
    """Primary is the first tier with a weighted region; where nothing weighs, the first tier."""
    assert select(THREE, rule(0, 1, 1), (UP, UP, UP)).reason is Reason.PRIMARY
    assert firsts(select(THREE, rule(0, 1, 1), (UP, UP, UP))) == [1]
    nothing = select(TWO_AND_ONE, rule(0, 0, 0), (UP, UP, UP))
    assert nothing.reason is Reason.PRIMARY
    assert [candidate.weight for candidate in nothing.candidates] == [1.0, 1.0]


def test_health_zero_sheds_everything() -> None:
    """A region whose health is 0 answers like one of weight 0."""
    selection = select(THREE, rule(), (replace(UP, health=0.0), UP, UP))
    assert firsts(selection) == [1]
    assert selection.reason is Reason.FAILOVER


def test_several_regions_follow_the_chosen_one_in_cyclic_order() -> None:
    """Then later tiers; only at the level that answers; nobody twice."""
    ranked = Ranked(((0, 1, 2), (3,), (4,)))
    facts = (UP, UP, UP, UNKNOWN, UP)
    selection = select(ranked, rule(1, 1, 1, 1, 1, limit=4), facts)
    assert [candidate.regions for candidate in selection.candidates] == [
        (0, 1, 2, 4),
        (1, 2, 0, 4),
        (2, 0, 1, 4),
    ]
    short = select(ranked, rule(1, 1, 1, 1, 1, limit=2), (UP, DOWN, UP, UP, UP))
    assert [candidate.regions for candidate in short.candidates] == [(0, 2), (2, 0)]


def test_what_both_families_say_together() -> None:
    """A, or AAAA where A has no answer; with `sticky` every region of either is in the choice."""
    a = select(TWO_AND_ONE, rule(3, 2, 1), (UP, UP, UP), frozenset({0}))
    aaaa = select(TWO_AND_ONE, rule(3, 2, 1), (UP, UP, UP), frozenset({0, 1}))
    assert bound(rule(3, 2, 1), a, aaaa) == a
    sticky = replace(rule(3, 2, 1), sticky=Sticky())
    assert [(item.regions, item.weight) for item in bound(sticky, a, aaaa).candidates] == [
        ((0,), 3.0),
        ((1,), 2.0),
    ]
    none = select(TWO_AND_ONE, rule(), (DOWN, UP, UP), frozenset())
    assert bound(rule(), none, aaaa) == aaaa
    refused = Selection((), Reason.ALL_DOWN, servfail=True)
    assert bound(rule(), none, refused) == refused
    assert bound(rule(), refused, none) == refused


def test_who_is_able() -> None:
    """Regions with a live endpoint of a family: another one steps in; where there is none, nobody answers."""
    both = tuple(Endpoint(text, family) for text, family in (("192.0.2.1", 4), ("2001:db8::1", 6)))
    regions = [Region(name, Location(0, 0), both) for name in names("a", "b")]
    half = replace(UP, endpoints_down=frozenset({0}))
    gone = replace(DOWN, endpoints_down=frozenset({0, 1}))
    for facts, ipv4 in (
        ((UP, UP), None),
        ((half, UP), {1}),
        ((half, half), set()),
        ((gone, gone), None),  # all down: as if they were up
        ((replace(half, forced=Effective.UP), half), {0}),
    ):
        assert able(regions, facts, frozenset({0, 4}), None) == ipv4
        assert able(regions, facts, frozenset({0, 6}), None) is None


class TestAllDown:
    """What happens when every allowed region is down."""

    facts = (DOWN, DOWN, DOWN)

    def test_serve_all_answers_as_if_all_were_up(self) -> None:
        """The first tier answers by its weights."""
        selection = select(TWO_AND_ONE, rule(3, 1, 1), self.facts)
        assert [(candidate.regions, candidate.weight) for candidate in selection.candidates] == [
            ((0,), 3.0),
            ((1,), 1.0),
        ]
        assert selection.reason is Reason.ALL_DOWN

    def test_last_known_keeps_to_the_last_regions_up(self) -> None:
        """In ranking order; outside the fence or unknown means serving all."""
        last_known = rule(when=AllDown.LAST_KNOWN)
        assert firsts(select(THREE, last_known, self.facts, last_known=known({1, 2}))) == [1]
        assert firsts(select(THREE, last_known, self.facts)) == [0]
        fenced = Ranked(((0,), (1,)))
        assert firsts(select(fenced, last_known, self.facts, last_known=known({2}))) == [0]

    def test_servfail_gives_no_candidates(self) -> None:
        """The operator prefers an error."""
        selection = select(THREE, rule(when=AllDown.SERVFAIL), self.facts)
        assert selection == Selection((), Reason.ALL_DOWN, servfail=True)

    def test_fallback_prefers_those_up(self) -> None:
        """Fallback regions are equal; the ones that can answer do, else all of them."""
        ranked = Ranked(((0,), (1,)), (2, 3))
        fallback = rule(1, 1, 1, 1, when=AllDown.FALLBACK, fallback=(2, 3))
        some = select(ranked, fallback, (DOWN, DOWN, DOWN, UP))
        assert (firsts(some), some.reason) == ([3], Reason.FALLBACK)
        none = select(ranked, fallback, (DOWN, DOWN, DOWN, DOWN))
        assert (firsts(none), none.reason) == ([2, 3], Reason.FALLBACK)
        assert {candidate.reason for candidate in none.candidates} == {Reason.FALLBACK}

    def test_fallback_outside_the_fence_is_servfail(self) -> None:
        """A fence is not crossed, and a region known to be down is not what was asked for."""
        fallback = rule(when=AllDown.FALLBACK, fallback=(2,))
        selection = select(Ranked(((0,), (1,))), fallback, self.facts)
        assert selection == Selection((), Reason.FALLBACK, servfail=True)

    def test_fallback_when_the_fence_leaves_nothing_else(self) -> None:
        """All regions that the fence allows of the service (none) are down: fall back."""
        fallback = rule(when=AllDown.FALLBACK, fallback=(2,))
        assert firsts(select(Ranked((), (2,)), fallback, (UP, UP, UP))) == [2]


@pytest.mark.parametrize("when", AllDown)
def test_empty_fence_is_refused(when: AllDown) -> None:
    """Nothing allowed, nothing answered, whatever `when_all_down` says."""
    assert select(Ranked(()), rule(when=when, fallback=(2,)), (UP, UP, UP)) == REFUSED


class TestFamilies:
    """Answers limited to the regions that have the record family asked for."""

    def test_later_region_answers_where_the_first_lacks_the_family(self) -> None:
        """That is how the service is built, not a failover."""
        selection = select(THREE, rule(), (UP, UP, UP), frozenset({1, 2}))
        assert (firsts(selection), selection.reason) == ([1], Reason.PRIMARY)

    @pytest.mark.parametrize("standing", [DOWN, DRAINED, UNKNOWN])
    def test_worse_regions_do_not_answer_for_lack_of_records(self, standing: RegionFacts) -> None:
        """Only a worse region has AAAA while another is up: no AAAA."""
        selection = select(THREE, rule(), (standing, UP, UP), frozenset({0}))
        assert selection.candidates == ()
        assert not selection.servfail

    def test_nobody_has_the_family(self) -> None:
        """NODATA, even when everything is down and the service answers SERVFAIL then."""
        selection = select(THREE, rule(when=AllDown.SERVFAIL), (DOWN, DOWN, DOWN), frozenset())
        assert (selection.candidates, selection.servfail) == ((), False)

    def test_all_down_answers_from_those_that_have_it(self) -> None:
        """Serving all means all that can be served."""
        assert firsts(select(THREE, rule(), (DOWN, DOWN, DOWN), frozenset({2}))) == [2]

    def test_fallback_without_the_family_is_nodata(self) -> None:
        """The fallback region answers other types, so this one does not exist there."""
        fallback = rule(when=AllDown.FALLBACK, fallback=(2,))
        ranked = Ranked(((0,), (1,)), (2,))
        selection = select(ranked, fallback, (DOWN, DOWN, UP), frozenset({0, 1}))
        assert (selection.candidates, selection.servfail) == ((), False)

    def test_having_reads_endpoint_families(self) -> None:
        """A hostname answers every family."""
        service = service_of(regions=["us-east", "us-west", "eu-west"])
        addresses = {"us-east": ["2001:db8::1", "192.0.2.1"], "us-west": ["lb.example.net"]}
        policy = policy_of(service, addresses=addresses)
        assert having(policy, service.regions, Family.A.endpoint_families) == {0, 1, 2}
        assert having(policy, service.regions, Family.AAAA.endpoint_families) == {0, 1}


def test_rule_collects_what_the_chain_says() -> None:
    """Weights merge, later words count, strangers are ignored."""
    service = service_of(
        Weighted({RegionName("us-east"): 3.0, RegionName("nobody"): 9.0}),
        Limit(2, 5),
        Weighted({RegionName("eu-west"): 0.0}),
        regions=["us-east", "eu-west"],
        when_all_down=AllDown.FALLBACK,
        fallback=names("ap-south", "us-east"),
    )
    assert rule_of(service) == Rule((3.0, 0.0, 1.0), Limit(2, 5), AllDown.FALLBACK, (2, 0))


def known(regions: set[int]) -> LastKnown:
    """These were up in the last answers, whoever asked."""
    return frozenset({(frozenset(), frozenset(regions))})


def test_every_fence_has_a_past_of_its_own() -> None:
    """What clients inside another fence were answered says nothing, unless nobody had this fence."""
    down = (DOWN, DOWN, DOWN)
    last_known = rule(when=AllDown.LAST_KNOWN)
    past = frozenset({(frozenset({0, 1}), frozenset({1})), (frozenset({1, 2}), frozenset({2}))})
    for tiers, answer in ((((0,), (1,)), 1), (((1,), (2,)), 2), (((1,), (0,)), 1), (((0,), (1,), (2,)), 1)):
        assert firsts(select(Ranked(tiers), last_known, down, last_known=past)) == [answer]
    narrow = select(Ranked(((0,), (1,))), last_known, down, usable=frozenset({1, 2}), last_known=past)
    assert firsts(narrow) == [1]


@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weight", [0.0, 2.0])
@pytest.mark.parametrize("tiers", [((0, 1),), ((1,), (0,)), ((0,), (1,))])
def test_records_that_a_ramp_s_region_does_not_have(part: float, weight: float, tiers: Ranking) -> None:
    """Others answer them to the cohort, too, however far the ramp has come, and whatever the others weigh."""
    facts = (UP, replace(UP, cohort=part))
    select_b = Selector(rule(weight, 1.0), facts, frozenset({0}))(Ranked(tiers))
    assert firsts(select_b) == [0]
    assert [item.cohort for item in select_b.candidates] == [None]


def test_selector_gives_equal_answers_as_one_object() -> None:
    """Rankings that end in the same answer share it, so that a compiler can share bodies."""
    selector = Selector(rule(), (UP, UP, DOWN))
    assert selector(Ranked(((2,), (0,), (1,)))) is selector(Ranked(((2,), (0,), (1,))))
    assert selector(Ranked(((0,), (1,)))) is selector(Ranked(((0,), (2,))))


@settings(max_examples=300, deadline=None)
@given(
    services,
    sites,
    spots,
    worlds,
    st.none() | st.tuples(managed_orders, st.integers(0, 5), st.booleans()),
)
def test_fences_hold_and_no_down_region_answers_while_another_is_up(
    service: Service,
    sites: dict[str, tuple[float, float]],
    spot: Spot,
    world: World,
    failover: tuple[list[RegionName], int, bool] | None,
) -> None:
    """The two promises of selection, for any chain, any client and any state of the world.

    The exception is named: a failover that holds its active region. When all that the fence allows are
    down it is `when_all_down` that answers, from inside the fence all the same.
    """
    held: frozenset[RegionName] = frozenset()
    if failover is not None:
        order, active, holds = failover
        service = managed(service, order)
        stands = standing(service, active, held=holds)
        world = replace(world, standings={service.name: stands})
        held = frozenset({stands.active}) if holds else held
    decision = decide(policy_of(service, sites), service, places_of(spot), world)
    allowed = fence_of(service, spot)
    down = {name for name in decision.regions if world.region(name).effective is Effective.DOWN}
    alive = (allowed & set(service.regions)) - down
    spare = (allowed & set(service.fallback)) - down
    past = world.last_known.get(service.name, {})
    known = set(service.regions) & last_up(past.items(), allowed)
    for family in Family:
        answered = decision.answers(family)
        assert answered <= allowed
        if held & allowed:
            assert not answered & (down - held), "held or up, nobody else"
        elif alive:
            assert not answered & down
            assert answered <= set(service.regions)
        elif service.when_all_down is AllDown.FALLBACK and spare:
            assert answered <= spare
        elif service.when_all_down is AllDown.SERVFAIL:
            assert not answered
        elif service.when_all_down is AllDown.LAST_KNOWN and known:
            assert answered <= known
        for candidate in decision.selections[family].candidates:
            assert len(set(candidate.regions)) == len(candidate.regions) <= rule_of(service).limit.regions
            assert candidate.weight > 0
    if not allowed:
        assert decision.selections[Family.ANY] == REFUSED
    elif alive:
        assert decision.selections[Family.ANY].candidates
