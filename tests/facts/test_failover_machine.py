"""Failing over and back, replayed with a clock of our own."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.facts.failover import (
    BeyondMaxLag,
    Choose,
    Failback,
    Failover,
    FailoverRule,
    Kind,
    Notice,
    OnRefusal,
    Phase,
    Reply,
    Sight,
)
from georouter.facts.failover_machine import (
    advance,
    answered,
    begin,
    fail_back,
    move,
    next_wake,
    notified,
    standing,
)
from georouter.facts.world import Effective
from georouter.words.ids import RegionName

A, B, C = (RegionName(name) for name in "abc")
ORDER = (A, B, C)
UP, UNKNOWN, DRAINED, DOWN = Effective.UP, Effective.UNKNOWN, Effective.DRAINED, Effective.DOWN


@dataclass
class Play:
    """One service over time; `sights` is what is seen now."""

    rule: FailoverRule = field(default_factory=lambda: FailoverRule(ORDER))
    now: float = 1000.0
    sights: dict[RegionName, Sight] = field(default_factory=lambda: dict.fromkeys(ORDER, Sight(UP)))

    def __post_init__(self) -> None:
        self.state = begin(self.rule, None, self.now)
        self.see()

    def see(self, after_s: float = 0.0, **sights: Sight | Effective) -> "Play":
        """Some time later regions look like this."""
        self.now += after_s
        for name, sight in sights.items():
            self.sights[RegionName(name)] = Sight(sight) if isinstance(sight, Effective) else sight
        self.state = advance(self.rule, self.state, self.sights, self.now)
        return self

    def hook(self, reply: Reply, said: str = "", after_s: float = 0.0) -> "Play":
        """The promotion hook replies to the question that is open."""
        self.now += after_s
        assert self.state.sequence is not None
        self.state = answered(self.rule, self.state, self.state.sequence.id, reply, said, self.now)
        return self.see()

    @property
    def held(self) -> bool:
        """Whether a region that is down answers by the machine's will."""
        return standing(self.rule, self.state, self.sights).held


def rule(**fields: object) -> FailoverRule:
    """The order with this."""
    return replace(FailoverRule(ORDER), **fields)  # type: ignore[arg-type]


def test_down_and_back() -> None:
    """Without anything else: a failed check, down, the next takes over; back when it is up."""
    play = Play().see(1, a=Sight(UP, suspect=True))
    assert (play.state.phase, play.state.active) == (Phase.DETECTED, A)
    play.see(1, a=DOWN)
    last = play.state.last
    assert (play.state.phase, play.state.active) == (Phase.STEADY, B)
    assert last is not None
    assert (last.kind, last.detected_at, last.confirmed_at, last.chosen_at, last.switched_at) == (
        Kind.FAILOVER,
        1001,
        1002,
        1002,
        1002,
    )
    assert last.why == "a is down"
    assert play.see(10, a=UP).state.active == A
    assert play.state.last is not None
    assert (play.state.last.kind, play.state.last.why) == (Kind.FAILBACK, "a is up again")


def frozen(effective: Effective = UP, *, well: bool = True) -> Sight:
    """A region while the brake holds: what it acts as, and whether checks find it up."""
    return Sight(effective, suspect=effective is UP and not well, well=well, frozen=True)


def test_time_that_is_frozen_counts_where_checks_succeed() -> None:
    """The better region was found up all the while: it takes over when the brake lets go, not before."""
    play = Play(rule(failback_after_s=600.0)).see(1, a=DOWN).see(60, a=UP)
    play.see(300, a=frozen(), b=frozen(), c=frozen(well=False))
    assert play.see(400).state.active == B
    assert play.state.phase is Phase.STEADY
    assert next_wake(play.rule, play.state) is None
    play.see(0, a=UP, b=UP, c=DOWN)
    assert (play.state.active, play.state.up_since[A]) == (A, 1061.0)


def test_time_that_only_the_brake_gave_does_not_count() -> None:
    """It kept the better region up, which was down by its checks: its while begins when these find it up."""
    play = Play(rule(failback_after_s=600.0)).see(1, a=DOWN).see(60, a=UP)
    play.see(500, a=frozen(well=False), b=frozen(), c=frozen(well=False))
    assert A not in play.state.up_since
    play.see(200, a=frozen()).see(10, a=UP, b=UP, c=UP)
    assert (play.state.active, play.state.phase) == (B, Phase.DETECTED)
    assert next_wake(play.rule, play.state) == play.now - 10 + 600.0
    assert play.see(589).state.active == B
    assert play.see(1).state.active == A


def test_a_region_found_up_while_it_acts_as_down() -> None:
    """It fell long before the freeze, so it acts as down; its checks succeed again, which counts."""
    play = Play(rule(failback_after_s=600.0)).see(1, a=DOWN)
    play.see(100, a=frozen(DOWN, well=False), b=frozen(), c=frozen(well=False))
    play.see(10, a=frozen(DOWN)).see(250, a=UP, b=UP, c=UP)
    assert play.state.active == B
    assert play.see(349).state.active == B
    assert play.see(1).state.active == A


def test_a_failback_under_way_waits_and_operators_do_not() -> None:
    """Detected, then frozen: it is given up and found anew; by hand it goes through."""
    play = Play(rule(failback_after_s=60.0)).see(1, a=DOWN).see(1, a=UP)
    assert play.state.phase is Phase.DETECTED
    play.see(1, a=frozen(), b=frozen(), c=frozen())
    assert play.see(100).state.active == B
    state = fail_back(play.rule, play.state, play.sights, play.now, to=None, asked="ada")
    assert state.active == A


@pytest.mark.parametrize(("reply", "active"), [(Reply.REFUSED, B), (Reply.UNANSWERED, A)])
def test_a_refused_failback_is_not_asked_for_again(reply: Reply, active: RegionName) -> None:
    """Not before the brake lets go, that is; one that got no answer may have been done, and goes on."""
    play = Play(rule(promotes=True, retry_s=30.0)).see(1, a=DOWN).hook(Reply.ACCEPTED).see(1, a=UP)
    assert play.state.phase is Phase.PROMOTING
    play.hook(reply)
    assert play.state.phase is Phase.REFUSED
    play.see(40, a=frozen(), b=frozen(), c=frozen())
    if play.state.phase is Phase.PROMOTING:
        play.hook(Reply.ACCEPTED)
    assert play.state.active == active
    assert play.see(40).state.active == active


def test_a_failure_that_is_not_confirmed() -> None:
    """Detected, and forgotten when the check passes again."""
    play = Play().see(1, a=Sight(UP, suspect=True)).see(1, a=UP)
    assert (play.state.phase, play.state.active, play.state.sequence) == (Phase.STEADY, A, None)


def test_a_drain_moves_and_its_end_moves_back() -> None:
    """A drained region goes to the end of the choices, and stays where no other is."""
    assert Play().see(1, a=DRAINED).state.active == B
    assert Play().see(1, b=DOWN, c=DOWN).see(1, a=DRAINED).state.active == A
    assert Play().see(1, a=DOWN, b=DRAINED).state.active == C
    assert Play().see(1, a=DOWN, b=DRAINED, c=DOWN).state.active == B


def test_unknown_is_as_good_as_up_only_for_who_answers() -> None:
    """An active region nobody has asked yet stays; a standby that is up comes before one unknown."""
    assert Play().see(1, a=UNKNOWN).state.active == A
    assert Play().see(1, a=DOWN, b=UNKNOWN).state.active == C


def test_everything_down_holds_nothing() -> None:
    """There is nobody to switch to: `when_all_down` decides; the first that comes back is taken."""
    play = Play().see(1, a=DOWN, b=DOWN, c=DOWN)
    assert (play.state.active, play.state.phase, play.held) == (A, Phase.BLOCKED, False)
    assert play.state.why == "no other region is up"
    assert play.see(5, c=UP).state.active == C


def test_manual_failback_waits_for_an_operator() -> None:
    """However long; the order is known and the reason kept."""
    play = Play(rule(failback=Failback.MANUAL)).see(1, a=DOWN).see(1, a=UP).see(86400)
    assert play.state.active == B
    assert "until an operator asks" in standing(play.rule, play.state, play.sights).why
    play.state = fail_back(play.rule, play.state, play.sights, play.now, to=None, asked="asked by ada: calm")
    assert play.state.active == A
    assert play.state.last is not None
    assert (play.state.last.why, play.state.last.by_hand) == ("asked by ada: calm", True)


@pytest.mark.parametrize(
    ("see", "to", "problem"),
    [
        ({}, None, "a answers, which is the first"),
        ({"a": DOWN}, None, "a is down"),
        ({"a": DOWN}, C, "c is not before b"),
    ],
)
def test_what_an_operator_cannot_have(see: dict[str, Effective], to: RegionName | None, problem: str) -> None:
    """Said, with what there is."""
    play = Play(rule(failback=Failback.MANUAL)).see(1, **see)
    with pytest.raises(ValueError, match=problem):
        fail_back(play.rule, play.state, play.sights, play.now, to=to, asked="x")


def test_after_being_up_for_a_while() -> None:
    """`after: 10m` counts time without a break."""
    play = Play(rule(failback_after_s=600.0)).see(1, a=DOWN).see(10, a=UP)
    assert (play.state.phase, next_wake(play.rule, play.state)) == (Phase.DETECTED, 1011 + 600)
    play.see(500, a=DOWN).see(1, a=UP)
    assert next_wake(play.rule, play.state) == 1512 + 600
    assert play.see(599).state.active == B
    assert play.see(1).state.active == A
    assert play.state.last is not None
    assert (play.state.last.detected_at, play.state.last.confirmed_at) == (1512, 2112)


def test_hold_down() -> None:
    """No failback so soon; and who was just left is the last choice, but one."""
    play = Play(rule(hold_down_s=60.0)).see(1, a=DOWN).see(1, a=UP)
    assert (play.state.active, play.state.phase) == (B, Phase.DETECTED)
    assert play.see(1, b=DOWN).state.active == C
    assert play.see(1, c=DOWN).state.active == A


def test_least_lag() -> None:
    """Of the standbys that are up the one that misses least; one that says nothing comes last."""
    play = Play(rule(choose=Choose.LEAST_LAG)).see(1, b=Sight(UP, lag=900.0), c=Sight(UP, lag=20.0))
    assert play.see(1, a=DOWN).state.active == C
    play = Play(rule(choose=Choose.LEAST_LAG)).see(1, b=UP, c=Sight(UP, lag=1e6))
    assert play.see(1, a=DOWN).state.active == C


def test_nobody_beyond_max_lag() -> None:
    """The region that is down keeps answering, which is said; the first that has caught up takes over."""
    play = Play(rule(max_lag=100.0)).see(1, b=Sight(UP, lag=500.0), c=UP).see(1, a=DOWN)
    assert (play.state.phase, play.state.active, play.held) == (Phase.BLOCKED, A, True)
    assert play.state.why == (
        "b has replication_lag_ms 500, more than max_lag 100; c has no fresh replication_lag_ms"
    )
    assert play.see(5, b=Sight(UP, lag=100.0)).state.active == B
    assert not play.held


def test_beyond_max_lag_if_the_policy_says_so() -> None:
    """One within it is chosen first, however the order is."""
    serve = rule(max_lag=100.0, beyond_max_lag=BeyondMaxLag.SERVE)
    play = Play(serve).see(1, b=Sight(UP, lag=500.0), c=Sight(UP, lag=50.0))
    assert play.see(1, a=DOWN).state.active == C
    assert play.see(1, c=DOWN).state.active == B


def test_a_primary_that_lags_does_not_take_over_again() -> None:
    """By itself not, and not by hand."""
    play = Play(rule(max_lag=100.0)).see(1, b=Sight(UP, lag=1.0)).see(1, a=DOWN)
    play.see(1, a=Sight(UP, lag=5000.0))
    assert play.state.active == B
    with pytest.raises(ValueError, match="a has replication_lag_ms 5000, more than max_lag 100"):
        fail_back(play.rule, play.state, play.sights, play.now, to=None, asked="x")
    assert play.see(1, a=Sight(UP, lag=10.0)).state.active == A


PROMOTES = rule(promotes=True)


def test_promotion_comes_before_the_switch() -> None:
    """Answers stay at the old region until the hook says yes; every moment is kept."""
    play = Play(PROMOTES).see(1, a=DOWN)
    assert (play.state.phase, play.state.active, play.held) == (Phase.PROMOTING, A, True)
    assert play.see(1).state.phase is Phase.PROMOTING
    play.hook(Reply.ACCEPTED, after_s=2)
    last = play.state.last
    assert (play.state.phase, play.state.active, play.held) == (Phase.STEADY, B, False)
    assert last is not None
    assert (last.promoting_at, last.promoted_at, last.switched_at) == (1001, 1004, 1004)


def test_a_refusal_stays_and_asks_again_as_a_new_question() -> None:
    """Every `retry`; the region's recovery ends it."""
    play = Play(PROMOTES).see(1, a=DOWN)
    first = play.state.sequence
    assert first is not None
    play.hook(Reply.REFUSED, "not in sync")
    assert (play.state.phase, play.state.active, play.held) == (Phase.REFUSED, A, True)
    assert play.state.why == "the promotion hook refused: not in sync"
    assert next_wake(play.rule, play.state) == play.now + 30
    assert play.see(29).state.phase is Phase.REFUSED
    assert play.see(1).state.phase is Phase.PROMOTING
    assert play.state.sequence is not None
    assert (play.state.sequence.id != first.id, play.state.sequence.asked) == (True, 2)
    play.hook(Reply.REFUSED).see(1, a=UP)
    assert (play.state.phase, play.state.active) == (Phase.STEADY, A)


def test_no_answer_is_asked_again_with_the_same_id() -> None:
    """Even if the region recovers: the standby may have been promoted."""
    play = Play(PROMOTES).see(1, a=DOWN)
    first = play.state.sequence
    assert first is not None
    play.hook(Reply.UNANSWERED, "timeout").see(1, a=UP)
    assert play.state.phase is Phase.REFUSED
    play.see(30)
    assert play.state.sequence is not None
    assert (play.state.phase, play.state.sequence.id) == (Phase.PROMOTING, first.id)
    assert play.hook(Reply.ACCEPTED).state.active == B
    assert play.state.sequence is not None
    assert play.state.sequence.kind is Kind.FAILBACK


def test_switch_in_spite_of_a_refusal() -> None:
    """`on_refusal: switch`; a failback that is refused stays all the same."""
    play = Play(rule(promotes=True, on_refusal=OnRefusal.SWITCH)).see(1, a=DOWN).hook(Reply.UNANSWERED)
    assert (play.state.active, play.state.last is not None and play.state.last.reply) == (B, Reply.UNANSWERED)
    play.see(1, a=UP).hook(Reply.REFUSED)
    assert (play.state.active, play.state.phase) == (B, Phase.REFUSED)
    assert play.see(30).state.phase is Phase.PROMOTING


def test_a_failback_by_hand_that_is_refused_is_over() -> None:
    """The operator may ask again."""
    play = (
        Play(rule(promotes=True, failback=Failback.MANUAL)).see(1, a=DOWN).hook(Reply.ACCEPTED).see(1, a=UP)
    )
    play.state = fail_back(play.rule, play.state, play.sights, play.now, to=A, asked="asked by ada")
    assert play.state.phase is Phase.PROMOTING
    with pytest.raises(ValueError, match="under way"):
        fail_back(play.rule, play.state, play.sights, play.now, to=A, asked="asked by bob")
    play.hook(Reply.REFUSED)
    assert (play.state.active, play.state.phase) == (B, Phase.STEADY)


def test_the_target_dies_while_it_is_refused() -> None:
    """Another one is chosen, as a new question."""
    play = Play(PROMOTES).see(1, a=DOWN).hook(Reply.REFUSED).see(1, b=DOWN)
    assert play.state.sequence is not None
    assert (play.state.phase, play.state.sequence.target) == (Phase.PROMOTING, C)


def test_what_was_promoted_answers() -> None:
    """Though it died meanwhile: the next sequence begins from there."""
    play = Play(PROMOTES).see(1, a=DOWN).see(1, b=DOWN).hook(Reply.ACCEPTED)
    assert play.state.active == B
    assert play.state.sequence is not None
    assert (play.state.phase, play.state.sequence.target) == (Phase.PROMOTING, C)


def test_strangers_answer_nothing() -> None:
    """A reply to a question that is not open changes nothing."""
    play = Play(PROMOTES).see(1, a=DOWN)
    assert answered(play.rule, play.state, "other", Reply.ACCEPTED, "", 1.0) is play.state
    assert notified(play.state, "other", 1.0, sent=True) is play.state


@pytest.mark.parametrize(("sent", "notice"), [(True, Notice.SENT), (False, Notice.FAILED)])
def test_the_notice(sent: bool, notice: Notice) -> None:
    """Switched first, then told; a webhook that fails holds up nothing."""
    play = Play(rule(notifies=True)).see(1, a=DOWN)
    assert (play.state.active, play.state.phase) == (B, Phase.NOTIFYING)
    assert play.state.last is not None
    play.state = notified(play.state, play.state.last.id, play.now + 1, sent=sent)
    assert play.state.phase is Phase.STEADY
    assert (play.state.last is not None and play.state.last.notice) is notice


def test_a_notice_under_way_does_not_hold_up_the_next_failover() -> None:
    """The webhook may take its time."""
    assert Play(rule(notifies=True)).see(1, a=DOWN).see(1, b=DOWN).state.active == C


def test_a_reload() -> None:
    """A region that is gone is not active; a hook that is gone is not waited for."""
    assert begin(FailoverRule((B, C)), Failover(A), 5.0).active == B
    play = Play(PROMOTES).see(1, a=DOWN)
    state = begin(FailoverRule(ORDER), play.state, play.now)
    assert advance(FailoverRule(ORDER), state, play.sights, play.now).active == B
    gone = begin(replace(PROMOTES, order=(A, C)), play.state, play.now)
    assert (gone.phase, gone.sequence) == (Phase.STEADY, None)
    notifying = Play(rule(notifies=True)).see(1, a=DOWN).state
    assert begin(FailoverRule(ORDER), notifying, 5.0).phase is Phase.STEADY


def test_a_clock_that_is_set() -> None:
    """What waits goes on waiting as long, and the open question keeps its id."""
    play = Play(rule(failback_after_s=600.0)).see(1, a=DOWN).see(10, a=UP)
    play.state = move(play.state, 1e9)
    play.now += 1e9
    assert play.see(599).state.active == B
    assert play.see(1).state.active == A
    asked = Play(PROMOTES).see(1, a=DOWN).state
    assert asked.sequence is not None
    assert move(asked, -5000.0).sequence == asked.sequence


SEEN = (
    *(Sight(effective, lag=50.0) for effective in Effective),
    Sight(UP),
    Sight(UP, lag=150.0),
    Sight(UP, suspect=True, lag=50.0),
    Sight(DOWN, lag=150.0),
)
RULES = st.builds(
    FailoverRule,
    order=st.just(ORDER),
    failback=st.sampled_from(Failback),
    failback_after_s=st.sampled_from([0.0, 30.0]),
    choose=st.sampled_from(Choose),
    max_lag=st.none() | st.just(100.0),
    beyond_max_lag=st.sampled_from(BeyondMaxLag),
    hold_down_s=st.sampled_from([0.0, 60.0]),
    promotes=st.booleans(),
    on_refusal=st.sampled_from(OnRefusal),
    notifies=st.booleans(),
)
EVENTS = st.sampled_from(
    [
        *(("see", name, sight) for name in ORDER for sight in SEEN),
        *(("hook", reply, None) for reply in Reply for _ in range(3)),
        *(("wait", seconds, None) for seconds in (0.0, 1.0, 1.0, 29.0, 30.0, 59.0, 61.0)),
        ("ask", None, None),
        ("restart", None, None),
    ]
)


@settings(max_examples=300)
@given(RULES, st.lists(EVENTS, min_size=20, max_size=60))
def test_whatever_happens(rule: FailoverRule, events: list[tuple[str, object, object]]) -> None:
    """The promises of the module, after every event."""
    play = Play(rule)
    for what, one, two in events:
        before, left = play.state.active, dict(play.state.left)
        by_hand = False
        match what, one, two:
            case "see", str(name), Sight():
                play.sights[RegionName(name)] = two
            case "wait", float(seconds), _:
                play.now += seconds
            case "hook", Reply(), _ if play.state.phase is Phase.PROMOTING:
                play.hook(one)
            case "ask", _, _:
                try:
                    play.state = fail_back(rule, play.state, play.sights, play.now, to=None, asked="x")
                    by_hand = True
                except ValueError:
                    pass
            case "restart", _, _:
                play.state = begin(rule, play.state, play.now)
        play.see()
        assert play.state.active in ORDER
        check_no_worse_than_allowed(play)
        if play.state.active != before and not by_hand:
            check_switch(play, before, left)
        assert advance(rule, play.state, play.sights, play.now) is play.state or settled(play)


def settled(play: Play) -> bool:
    """Whether advancing again at the same moment changes nothing."""
    return advance(play.rule, play.state, play.sights, play.now) == play.state


def check_no_worse_than_allowed(play: Play) -> None:
    """A region that is down answers while another is up only where Rule 3 says so."""
    if play.sights[play.state.active].effective is not DOWN:
        return
    others = [name for name in ORDER if play.sights[name].effective is not DOWN]
    if not others:
        assert not play.held
        return
    assert play.held
    if play.state.phase is Phase.BLOCKED:
        assert play.rule.max_lag is not None
        assert play.rule.beyond_max_lag is BeyondMaxLag.REFUSE
        lags = [play.sights[name].lag for name in others]
        assert all(lag is None or lag > play.rule.max_lag for lag in lags)
    else:
        assert play.rule.promotes
        assert play.state.phase in {Phase.PROMOTING, Phase.REFUSED}
    assert play.state.sequence is not None
    assert standing(play.rule, play.state, play.sights).why


def check_switch(play: Play, before: RegionName, left: dict[RegionName, float]) -> None:
    """No way back within the hold-down while the region that answered is fine; never by itself if manual."""
    last = play.state.last
    assert last is not None
    if last.kind is Kind.FAILBACK and last.by_hand:
        return
    if last.kind is Kind.FAILBACK:
        assert play.rule.failback is Failback.AUTO
        assert max(left.values()) + play.rule.hold_down_s <= (last.confirmed_at or 0.0)
    if last.chosen_at != play.now or play.rule.promotes:
        return
    if last.target is not None and play.rule.max_lag and play.rule.beyond_max_lag is BeyondMaxLag.REFUSE:
        assert (play.sights[last.target].lag or 1e9) <= play.rule.max_lag
    if last.target is not None and play.now - left.get(last.target, -1e9) < play.rule.hold_down_s:
        rest = [
            name for name in ORDER if name not in {before, last.target} and play.sights[name].effective is UP
        ]
        within = [name for name in rest if (play.sights[name].lag or 1e9) <= (play.rule.max_lag or 1e9)]
        assert all(play.now - left.get(name, -1e9) < play.rule.hold_down_s for name in within)
