"""How a service fails over and back: the state machine of the `failover` step.

    steady --the active region fails checks--> detected --it is down--> (choose) --> promoting --yes--> switch
       ^                                          |                        |             |
       |<-------it recovers before that-----------'        nobody may be--> blocked      '--no--> refused
       '--a better region is back--> detected --`hold_down`, `after`--> (choose)   ... as above

Rule 1. The active region answers while it is not worse off than every other: down is worse than
        drained, drained worse than unknown or up.
Rule 2. When it is, the best of the others is chosen: not drained, within `max_lag`, not left within
        `hold_down`, up rather than unknown, then by lag or by order.
Rule 3. Answers stay with a region that is down though another is up in these cases only: while the
        hook is asked (promoting), after it has said no or nothing (refused, `on_refusal: stay`), and
        while every other region is beyond `max_lag` (blocked, `beyond_max_lag: refuse`).
Rule 4. A better region takes over again only if it is up and within `max_lag`; by itself not before
        `hold_down` after the last switch and `after` being up. By hand, at once.
        While the brake holds nobody takes over again by itself; what then was observed as up counts as up.
Rule 5. What was promoted answers: an accepted promotion is followed by the switch, whatever has happened.
Rule 6. A question to the hook that got no answer is asked again with the same id; one that was refused
        is a new question. While one is unanswered the sequence goes on, even if the region recovers.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

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
    Sequence,
    Sight,
)
from georouter.facts.world import Effective, Standing
from georouter.words.ids import RegionName

Sights: TypeAlias = Mapping[RegionName, Sight]

_MOST_STEPS = 10
"""From steady to notifying it takes four; more would be a mistake of ours, which must not hang."""

_WORSE = {Effective.UP: 0, Effective.UNKNOWN: 0, Effective.DRAINED: 1, Effective.DOWN: 2}
_LEAVING = {Effective.DOWN: "is down", Effective.DRAINED: "is drained"}


def begin(rule: FailoverRule, saved: Failover | None, now: float) -> Failover:
    """The state under `rule`: what was saved, as far as it still makes sense."""
    if saved is None or saved.active not in rule.order:
        return Failover(rule.order[0], since=now)
    known = frozenset(rule.order)
    state = replace(
        saved,
        left={name: at for name, at in saved.left.items() if name in known},
        up_since={name: at for name, at in saved.up_since.items() if name in known},
    )
    found = state.sequence
    if found is not None and (found.origin != state.active or found.target not in {None, *known}):
        return replace(state, sequence=None, phase=Phase.STEADY, since=now, why="")
    if state.phase in {Phase.PROMOTING, Phase.REFUSED} and not rule.promotes:
        return _blocked(state, now, "the policy has no promotion hook any more")
    if state.phase is Phase.NOTIFYING and not rule.notifies:
        return _enter(state, Phase.STEADY, now)
    return state


def advance(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    """The state at `now`, given what is seen of every region of the order."""
    state = replace(state, up_since=_up_since(rule, state, sights, now))
    for _ in range(_MOST_STEPS):
        after = _step(rule, state, sights, now)
        if after is state:
            break
        state = after
    return state


def answered(  # noqa: PLR0917 - the state, and an answer at a time
    rule: FailoverRule, state: Failover, call: str, reply: Reply, said: str, now: float
) -> Failover:
    """The state after the promotion hook replied to the call with this id; strangers change nothing."""
    found = state.sequence
    if found is None or state.phase is not Phase.PROMOTING or found.id != call:
        return state
    found = replace(found, reply=reply, said=said)
    if reply is Reply.ACCEPTED:
        return _switch(rule, replace(state, sequence=replace(found, promoted_at=now)), now)
    if rule.on_refusal is OnRefusal.SWITCH and found.kind is Kind.FAILOVER:
        return _switch(rule, replace(state, sequence=found), now)
    what = "refused" if reply is Reply.REFUSED else "did not answer"
    why = f"the promotion hook {what}: {said}" if said else f"the promotion hook {what}"
    return _enter(replace(state, sequence=found), Phase.REFUSED, now, why)


def notified(state: Failover, call: str, now: float, *, sent: bool) -> Failover:
    """The state after the webhook took, or did not take, the notice of the switch with this id."""
    last = state.last
    if last is None or last.id != call or last.notice is not Notice.PENDING:
        return state
    notice = Notice.SENT if sent else Notice.FAILED
    state = replace(state, last=replace(last, notice=notice, notified_at=now if sent else None))
    return _enter(state, Phase.STEADY, now) if state.phase is Phase.NOTIFYING else state


def fail_back(
    rule: FailoverRule, state: Failover, sights: Sights, now: float, *, to: RegionName | None, asked: str
) -> Failover:
    """The state after an operator asked for it; `asked` says who and why. ValueError: why it cannot be."""
    place = rule.order.index(state.active)
    better = rule.order[:place]
    if not better:
        raise ValueError(f"{state.active} answers, which is the first of the order: there is nothing to do")
    if state.phase is Phase.PROMOTING:
        raise ValueError("a promotion is under way: wait for its end")
    if to is not None and to not in better:
        raise ValueError(f"{to} is not before {state.active} in the order; {', '.join(better)} would be")
    home = better[:1] if rule.choose is Choose.LEAST_LAG else better
    target = to or next((name for name in home if sights[name].effective is Effective.UP), home[0])
    problem = _unfit(rule, sights[target])
    if problem:
        raise ValueError(f"{target} {problem}")
    found = Sequence(Kind.FAILBACK, state.active, asked, now, confirmed_at=now, by_hand=True)
    return advance(rule, _chosen(rule, replace(state, sequence=found), target, now), sights, now)


def move(state: Failover, by_s: float) -> Failover:
    """The state once the wall clock was set ahead by `by_s`: whatever runs lasts as long as it would have.

    A sequence keeps its moments: its id, by which hooks know it, is made of one.
    """
    return replace(
        state,
        since=state.since + by_s,
        left={name: at + by_s for name, at in state.left.items()},
        up_since={name: at + by_s for name, at in state.up_since.items()},
    )


def standing(rule: FailoverRule, state: Failover, sights: Sights) -> Standing:
    """What selection acts on."""
    down = sights[state.active].effective is Effective.DOWN
    better = any(sights[name].effective is not Effective.DOWN for name in rule.order)
    held = down and better and state.phase in {Phase.BLOCKED, Phase.PROMOTING, Phase.REFUSED}
    standbys = tuple(name for name in rule.order if name != state.active)
    return Standing(state.active, standbys, held, why(rule, state))


def next_wake(rule: FailoverRule, state: Failover) -> float | None:
    """When time alone may change the state; None: it will not."""
    found = state.sequence
    if state.phase is Phase.REFUSED:
        return state.since + rule.retry_s
    if found is None or state.phase is not Phase.DETECTED or found.kind is not Kind.FAILBACK:
        return None
    return _due(rule, state, found.target)


def why(rule: FailoverRule, state: Failover) -> str:
    """Why the active region answers, for people."""
    active, found, last = state.active, state.sequence, state.last
    if state.phase in {Phase.BLOCKED, Phase.REFUSED}:
        return f"{active} stays: {state.why}"
    if state.phase is Phase.PROMOTING and found is not None:
        return f"{active} stays until {found.target} is promoted, because {found.why}"
    if active == rule.order[0]:
        return f"{active} is the first of the order"
    past = last.why if last is not None and last.switched_at is not None and last.target == active else ""
    since = f"{active} took over{f' because {past}' if past else ''}"
    if rule.failback is Failback.MANUAL:
        return f"{since}; failback is manual, so it stays until an operator asks for it"
    if state.phase is Phase.DETECTED and found is not None and found.kind is Kind.FAILBACK:
        return f"{since}; {found.target} is back and will take over again"
    return since


# -- one step ------------------------------------------------------------------------------------


def _step(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    match state.phase:
        case Phase.STEADY | Phase.NOTIFYING:
            return _watch(rule, state, sights, now)
        case Phase.DETECTED:
            return _confirm(rule, state, sights, now)
        case Phase.BLOCKED:
            return _unblock(rule, state, sights, now)
        case Phase.REFUSED:
            return _ask_again(rule, state, sights, now)
        case Phase.PROMOTING:
            return state


def _watch(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    active = sights[state.active]
    if _must_leave(rule, state, sights):
        return _failover(state, now, f"{state.active} {_LEAVING[active.effective]}", confirmed=True)
    if active.suspect:
        return _failover(state, now, f"{state.active} fails its checks", confirmed=False)
    target = _better(rule, state, sights)
    if target is None:
        return state
    found = Sequence(
        Kind.FAILBACK, state.active, f"{target} is up again", state.up_since.get(target, now), target
    )
    return _enter(replace(state, sequence=found), Phase.DETECTED, now)


def _confirm(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    found = state.sequence
    if found is None or (found.kind is Kind.FAILBACK and _must_leave(rule, state, sights)):
        return _enter(replace(state, sequence=None), Phase.STEADY, now)
    active = sights[state.active]
    if found.kind is Kind.FAILBACK:
        target = _better(rule, state, sights)
        if target is None or target != found.target or active.suspect:
            return _enter(replace(state, sequence=None), Phase.STEADY, now)
        if now < _due(rule, state, target):
            return state
        return _chosen(rule, replace(state, sequence=replace(found, confirmed_at=now)), target, now)
    if _must_leave(rule, state, sights):
        text = f"{state.active} {_LEAVING[active.effective]}"
        return _blocked(replace(state, sequence=replace(found, confirmed_at=now, why=text)), now, text)
    if active.suspect:
        return state
    return _enter(replace(state, sequence=None), Phase.STEADY, now)


def _unblock(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    if not _must_leave(rule, state, sights):
        return _recovered(state, now)
    target = choose(rule, state, sights, now)
    if target is not None:
        return _chosen(rule, state, target, now)
    text = _why_blocked(rule, state, sights)
    return state if text == state.why else replace(state, why=text)


def _ask_again(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Failover:
    found = state.sequence
    target = None if found is None else found.target
    if found is None or target is None:
        return _enter(replace(state, sequence=None), Phase.STEADY, now)
    open_question = found.reply is Reply.UNANSWERED
    leaving = _must_leave(rule, state, sights)
    if not open_question and not _is_needed(rule, found, sights, leaving=leaving):
        return _recovered(state, now)
    if leaving and target not in _choices(rule, state, sights):
        found = replace(found, kind=Kind.FAILOVER, by_hand=False)
        return _blocked(replace(state, sequence=found), now, _why_blocked(rule, state, sights))
    if now < state.since + rule.retry_s:
        return state
    if leaving and not open_question:
        target = choose(rule, state, sights, now) or target
    return _chosen(rule, state, target, now)


def _is_needed(rule: FailoverRule, found: Sequence, sights: Sights, *, leaving: bool) -> bool:
    """Whether a sequence that was refused should be tried again."""
    if found.kind is Kind.FAILOVER or found.target is None:
        return leaving
    target = sights[found.target]
    return not leaving and not found.by_hand and not target.frozen and not _unfit(rule, target)


# -- choosing ------------------------------------------------------------------------------------


def choose(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> RegionName | None:
    """Rule 2: who takes over from the active region; None if nobody may."""

    def cost(name: RegionName) -> tuple[bool, bool, bool, bool, float, int]:
        sight = sights[name]
        lag = float("inf") if sight.lag is None else sight.lag
        return (
            sight.effective is Effective.DRAINED,
            _is_beyond(rule, sight),
            now - state.left.get(name, float("-inf")) < rule.hold_down_s,
            sight.effective is Effective.UNKNOWN,
            lag if rule.choose is Choose.LEAST_LAG else 0.0,
            rule.order.index(name),
        )

    return min(_choices(rule, state, sights), key=cost, default=None)


def _choices(rule: FailoverRule, state: Failover, sights: Sights) -> list[RegionName]:
    """Everybody who is better off than the active region and may take over."""
    worst = _WORSE[sights[state.active].effective]
    found = [name for name in rule.order if _WORSE[sights[name].effective] < worst]
    if rule.beyond_max_lag is BeyondMaxLag.REFUSE:
        found = [name for name in found if not _is_beyond(rule, sights[name])]
    return found


def _must_leave(rule: FailoverRule, state: Failover, sights: Sights) -> bool:
    """Whether the active region is down, or drained while another one could answer."""
    here = _WORSE[sights[state.active].effective]
    return here == _WORSE[Effective.DOWN] or (
        here > 0 and any(_WORSE[sights[name].effective] < here for name in rule.order)
    )


def _better(rule: FailoverRule, state: Failover, sights: Sights) -> RegionName | None:
    """Who should take over again by itself, now or after a while."""
    active = sights[state.active]
    if rule.failback is Failback.MANUAL or active.suspect or active.frozen:
        return None
    better = rule.order[: rule.order.index(state.active)]
    if rule.choose is Choose.LEAST_LAG:
        better = better[:1]
    return next((name for name in better if not _unfit(rule, sights[name])), None)


def _unfit(rule: FailoverRule, sight: Sight) -> str:
    """Why a region cannot be failed back to; empty: it can."""
    if sight.effective is not Effective.UP:
        return f"is {sight.effective}"
    if sight.suspect:
        return "fails its checks"
    if not _is_beyond(rule, sight):
        return ""
    return f"has {_lag_text(rule, sight.lag)}"


def _is_beyond(rule: FailoverRule, sight: Sight) -> bool:
    return rule.max_lag is not None and (sight.lag is None or sight.lag > rule.max_lag)


def _lag_text(rule: FailoverRule, lag: float | None) -> str:
    if lag is None:
        return f"no fresh {rule.signal}"
    return f"{rule.signal} {lag:g}, more than max_lag {rule.max_lag:g}"


def _why_blocked(rule: FailoverRule, state: Failover, sights: Sights) -> str:
    others = [name for name in rule.order if name != state.active]
    alive = [name for name in others if sights[name].effective is not Effective.DOWN]
    if not alive:
        return "no other region is up"
    beyond = [name for name in alive if _is_beyond(rule, sights[name])]
    return (
        "; ".join(f"{name} has {_lag_text(rule, sights[name].lag)}" for name in beyond) or "nobody is better"
    )


def _due(rule: FailoverRule, state: Failover, target: RegionName | None) -> float:
    """From when on the region may take over again by itself."""
    up_since = state.up_since.get(target, state.since) if target is not None else state.since
    switched = state.switched_at
    held = float("-inf") if switched is None else switched + rule.hold_down_s
    return max(held, up_since + rule.failback_after_s)


# -- moves ---------------------------------------------------------------------------------------


def _failover(state: Failover, now: float, text: str, *, confirmed: bool) -> Failover:
    found = Sequence(Kind.FAILOVER, state.active, text, now, confirmed_at=now if confirmed else None)
    state = replace(state, sequence=found)
    return _blocked(state, now, text) if confirmed else _enter(state, Phase.DETECTED, now)


def _blocked(state: Failover, now: float, text: str) -> Failover:
    """Confirmed, nobody chosen (yet)."""
    return _enter(state, Phase.BLOCKED, now, text)


def _chosen(rule: FailoverRule, state: Failover, target: RegionName, now: float) -> Failover:
    if state.sequence is None:
        raise ValueError("nobody is chosen without a sequence")
    before = state.sequence
    if before.target != target or before.chosen_at is None:
        before = replace(before, target=target, chosen_at=now, promoting_at=None)
    refused = before.reply is Reply.REFUSED
    found = replace(before, attempt=before.attempt + refused, reply=None)
    state = replace(state, sequence=found)
    return _ask(state, now) if rule.promotes else _switch(rule, state, now)


def _ask(state: Failover, now: float) -> Failover:
    if state.sequence is None:
        raise ValueError("nobody is promoted without a sequence")
    found = state.sequence
    begun = found.promoting_at if found.promoting_at is not None else now
    found = replace(found, promoting_at=begun, asked=found.asked + 1)
    return _enter(replace(state, sequence=found), Phase.PROMOTING, now)


def _switch(rule: FailoverRule, state: Failover, now: float) -> Failover:
    found = state.sequence
    if found is None or found.target is None:
        raise ValueError("nobody to switch to")
    notice = Notice.PENDING if rule.notifies else Notice.NONE
    return Failover(
        active=found.target,
        phase=Phase.NOTIFYING if rule.notifies else Phase.STEADY,
        since=now,
        last=replace(found, switched_at=now, notice=notice),
        left={**state.left, found.origin: now},
        up_since=state.up_since,
    )


def _recovered(state: Failover, now: float) -> Failover:
    """The sequence ends where it began."""
    return _enter(replace(state, sequence=None), Phase.STEADY, now)


def _enter(state: Failover, phase: Phase, now: float, text: str = "") -> Failover:
    return replace(state, phase=phase, since=now, why=text)


def _up_since(rule: FailoverRule, state: Failover, sights: Sights, now: float) -> Mapping[RegionName, float]:
    """Since when each region has been up without a break; the same object while nothing changed."""
    found = {name: state.up_since.get(name, now) for name in rule.order if sights[name].is_well}
    return state.up_since if found == state.up_since else found
