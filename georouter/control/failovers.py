"""Services whose `failover` step keeps a state: moves them along, has their hooks called, tells of it.

    beliefs --> sights --> `facts.failover_machine` --> standings --> world
                                    |
                                    '--> calls (elsewhere) --> CallDone --> here again

Rule 1. A call is made because the state says that it is open, never because something just happened: so
        a call that a crash cut short is made again, with the same id.
Rule 2. Before a promotion is asked for, the state that says so is on disk (the caller of hooks sees to it).
"""

import asyncio
from collections.abc import Callable, Mapping

from georouter.control.beliefs import Beliefs
from georouter.control.events import CallDone, FailbackAsked
from georouter.control.orders import Answer, Call, MakeCall
from georouter.control.outlets import Tell
from georouter.facts import failover_machine as machine
from georouter.facts.failover import Failover, FailoverRule, Notice, Phase, Reply, Sequence, Sight
from georouter.policy.model import Policy
from georouter.policy.steps import Failover as Step
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import RegionName, ServiceName


class Failovers:
    """Owned by the control loop; changes `beliefs.failovers` and `beliefs.standings`.

    `done` takes the event that a call has ended; `record` keeps a switch in the audit log.
    """

    def __init__(
        self,
        beliefs: Beliefs,
        *,
        call: MakeCall,
        done: Callable[[CallDone], None],
        tell: Tell,
        record: Callable[..., None],
        metrics: Metrics,
    ) -> None:
        self._beliefs = beliefs
        self._call = call
        self._done = done
        self._tell = tell
        self._record = record
        self._metrics = metrics
        self._steps: dict[ServiceName, Step] = {}
        self._calls: dict[tuple[ServiceName, str, str], asyncio.Task[None]] = {}

    def adopt(self, policy: Policy, now: float) -> None:
        """Follow a new policy; what it has no more is forgotten."""
        found = ((name, service.failover) for name, service in policy.services.items())
        self._steps = {name: step for name, step in found if step is not None}
        before = self._beliefs.failovers
        self._beliefs.failovers = {
            name: machine.begin(rule, before.get(name), now) for name, rule in self._rules()
        }
        self._metrics.keep_failovers(
            {(name, region) for name, rule in self._rules() for region in rule.order}
        )
        self._show()

    def advance(self, now: float) -> bool:
        """Let time and beliefs act; whether answers may have to change."""
        changed = False
        for name, rule in self._rules():
            sights = self._sights(rule, now)
            before = self._beliefs.failovers[name]
            after = machine.advance(rule, before, sights, now)
            changed |= self._take(name, rule, after, now)
        return changed

    def call_done(self, event: CallDone, now: float) -> bool:
        """A hook has answered, or not."""
        call, answer = event.call, event.answer
        self._calls.pop((call.service, call.event, call.id), None)
        step, before = self._steps.get(call.service), self._beliefs.failovers.get(call.service)
        if step is None or step.rule is None or before is None:
            return False
        if call.event == "promote":
            self._metrics.promotion(call.service, answer.reply.value)
            after = machine.answered(step.rule, before, call.id, answer.reply, answer.said, now)
        else:
            sent = answer.reply is Reply.ACCEPTED
            self._metrics.notification(call.service, sent=sent)
            after = machine.notified(before, call.id, now, sent=sent)
        self._tell_call(call, answer)
        return self._take(call.service, step.rule, after, now)

    def fail_back(self, asked: FailbackAsked, now: float) -> bool:
        """An operator's wish; `asked.done` hears whether it can be."""
        step, before = self._steps.get(asked.service), self._beliefs.failovers.get(asked.service)
        problem: str | None = None
        changed = False
        if step is None or step.rule is None or before is None:
            problem = f"service {asked.service} has no failover step that could be failed back"
        else:
            text = f"{asked.author} asked for it: {asked.reason}"
            try:
                sights = self._sights(step.rule, now)
                after = machine.fail_back(step.rule, before, sights, now, to=asked.to, asked=text)
                changed = self._take(asked.service, step.rule, after, now)
            except ValueError as error:
                problem = str(error)
        if asked.done is not None and not asked.done.done():
            asked.done.set_result(problem)
        return changed

    def clock_set(self, by_s: float) -> None:
        """The wall clock was set ahead by so much: what is under way takes as long as it would have."""
        self._beliefs.failovers = {
            name: machine.move(state, by_s) for name, state in self._beliefs.failovers.items()
        }

    def next_wake(self) -> float | None:
        """When time alone may move a service (Unix seconds)."""
        wakes = (machine.next_wake(rule, self._beliefs.failovers[name]) for name, rule in self._rules())
        return min((at for at in wakes if at is not None), default=None)

    def stop(self) -> None:
        """Give up calls under way; the next start makes them again."""
        for task in self._calls.values():
            task.cancel()

    def step_of(self, service: ServiceName) -> Step | None:
        """The step of a service that keeps a state."""
        return self._steps.get(service)

    # -- inside ----------------------------------------------------------------------------------

    def _rules(self) -> list[tuple[ServiceName, FailoverRule]]:
        return [(name, step.rule) for name, step in self._steps.items() if step.rule is not None]

    def _sights(self, rule: FailoverRule, now: float) -> Mapping[RegionName, Sight]:
        return {name: self._beliefs.sight(name, rule.signal, now) for name in rule.order}

    def _take(self, name: ServiceName, rule: FailoverRule, after: Failover, now: float) -> bool:
        """Adopt a state: tell what is new, start the calls it asks for; whether answers may move."""
        before = self._beliefs.failovers[name]
        self._beliefs.failovers[name] = after
        self._tell_change(name, before, after)
        self._start_calls(name, after)
        standing = machine.standing(rule, after, self._sights(rule, now))
        old = self._beliefs.standings.get(name)
        self._beliefs.standings = {**self._beliefs.standings, name: standing}
        return old != standing or before.phase is not after.phase

    def _show(self) -> None:
        for name in self._steps:
            state = self._beliefs.failovers[name]
            self._metrics.failover(name, state.active, state.phase.value, state.switched_at)
        self._beliefs.standings = {
            name: standing for name, standing in self._beliefs.standings.items() if name in self._steps
        }

    def _start_calls(self, name: ServiceName, state: Failover) -> None:
        step, found, last = self._steps[name], state.sequence, state.last
        if step.promote is not None and found is not None and state.phase is Phase.PROMOTING:
            self._start(Call(name, "promote", found.id, step.promote, message("promote", name, found)))
        if step.notify is not None and last is not None and last.notice is Notice.PENDING:
            self._start(Call(name, "switched", last.id, step.notify, message("switched", name, last)))

    def _start(self, call: Call) -> None:
        key = (call.service, call.event, call.id)
        if key not in self._calls:
            self._calls[key] = asyncio.get_running_loop().create_task(self._make(call), name=call.event)

    async def _make(self, call: Call) -> None:
        try:
            answer = await self._call(call)
        except Exception as error:  # noqa: BLE001 - a hook that breaks in a new way has not answered
            answer = Answer(Reply.UNANSWERED, f"{type(error).__name__}: {error}")
        self._done(CallDone(call, answer))

    # -- what people hear ------------------------------------------------------------------------

    def _tell_change(self, name: ServiceName, before: Failover, after: Failover) -> None:
        if before.last is not after.last and after.last is not None and before.active != after.active:
            self._switched(name, after.last)
        if (before.phase, before.active) != (after.phase, after.active):
            self._metrics.failover(name, after.active, after.phase.value, after.switched_at)
        if before.phase is not after.phase:
            found = after.sequence
            fields: dict[str, object] = {"service": name, "active": after.active}
            if found is not None:
                fields |= {"kind": found.kind.value, "to": found.target, "why": after.why or found.why}
            self._tell(f"failover.{after.phase.value}", **fields)
        elif after.why != before.why and after.phase is Phase.BLOCKED:
            self._tell("failover.blocked", service=name, active=after.active, why=after.why)

    def _switched(self, name: ServiceName, last: Sequence) -> None:
        self._metrics.switched(name, last.kind.value)
        fields: dict[str, object] = {
            "service": name,
            "kind": last.kind.value,
            "was": last.origin,
            "now": last.target,
            "why": last.why,
            "promotion": None if last.reply is None else last.reply.value,
            "seconds": round((last.switched_at or last.detected_at) - last.detected_at, 3),
        }
        self._tell("failover.switched", **fields)
        self._record(f"failover.{last.kind.value}", **fields, id=last.id)

    def _tell_call(self, call: Call, answer: Answer) -> None:
        what = "promotion" if call.event == "promote" else "notice"
        word = answer.reply.value
        if call.event != "promote":
            word = "sent" if answer.reply is Reply.ACCEPTED else "failed"
        self._tell(f"failover.{what}_{word}", service=call.service, id=call.id, said=answer.said or None)


def message(event: str, service: ServiceName, found: Sequence) -> dict[str, str | float | None]:
    """What a hook is told. Times are Unix seconds."""
    return {
        "event": event,
        "id": found.id,
        "service": service,
        "kind": found.kind.value,
        "from": found.origin,
        "to": found.target,
        "why": found.why,
        "at": found.promoting_at if event == "promote" else found.switched_at,
    }
