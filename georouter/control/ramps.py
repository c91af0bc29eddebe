"""Services with a ramp: moves them along and tells of it.

beliefs --> glances --> `facts.ramp` --> how far each has come --> world
"""

from collections.abc import Callable, Mapping

from georouter.control.beliefs import Beliefs
from georouter.control.events import RampAsked
from georouter.control.outlets import Tell
from georouter.facts import ramp as machine
from georouter.facts.ramp import Glance, Ramp, RampRule
from georouter.policy.model import Policy
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import RegionName, ServiceName


class Ramps:
    """Owned by the control loop; changes `beliefs.ramps`. `record` keeps a change in the audit log."""

    def __init__(
        self, beliefs: Beliefs, *, tell: Tell, record: Callable[..., None], metrics: Metrics
    ) -> None:
        self._beliefs = beliefs
        self._tell = tell
        self._record = record
        self._metrics = metrics
        self._rules: dict[ServiceName, RampRule] = {}

    def adopt(self, policy: Policy, now: float) -> None:
        """Follow a new policy; what it has no more is forgotten."""
        found = ((name, service.ramp) for name, service in policy.services.items())
        self._rules = {name: rule for name, rule in found if rule is not None}
        before = self._beliefs.ramps
        self._beliefs.ramps = {
            name: machine.begin(rule, before.get(name), now) for name, rule in self._rules.items()
        }
        self._metrics.keep_ramps({(name, rule.region) for name, rule in self._rules.items()})
        for name, state in self._beliefs.ramps.items():
            self._metrics.ramp(name, state.region, state.part, state.phase.value)
            old = before.get(name)
            if old is None or old.region != state.region:
                self._tell("ramp.begins", service=name, region=state.region, part=round(state.part, 4))

    def advance(self, now: float) -> bool:
        """Let time and beliefs act; whether answers may have to change."""
        if self._frozen:
            self._beliefs.ramps = {
                name: machine.stand(ramp, now) for name, ramp in self._beliefs.ramps.items()
            }
            return False
        moved = False
        for name, rule in self._rules.items():
            before = self._beliefs.ramps[name]
            after = machine.advance(rule, before, self._glances(rule, now), now)
            if after.phase is not before.phase:
                self._record(f"ramp.{after.phase.value}", **self._fields(name, after))
            moved |= self._take(name, after)
        return moved

    def asked(self, event: RampAsked, now: float) -> bool:
        """An operator's wish; `event.done` hears whether it can be."""
        rule, before = self._rules.get(event.service), self._beliefs.ramps.get(event.service)
        problem: str | None = None
        moved = False
        if rule is None or before is None:
            problem = f"service {event.service} has no ramp"
        else:
            said = f"{event.author} asked for it: {event.reason}"
            try:
                moved = self._take(event.service, machine.order(rule, before, event.order, said, now))
            except ValueError as error:
                problem = str(error)
        if event.done is not None and not event.done.done():
            event.done.set_result(problem)
        return moved

    def clock_set(self, by_s: float) -> None:
        """The wall clock was set ahead by so much."""
        self._beliefs.ramps = {name: machine.move(state, by_s) for name, state in self._beliefs.ramps.items()}

    def next_wake(self) -> float | None:
        """When time alone may move a ramp (Unix seconds); the end of a freeze is the brake's."""
        if self._frozen:
            return None
        wakes = (machine.next_wake(rule, self._beliefs.ramps[name]) for name, rule in self._rules.items())
        return min((at for at in wakes if at is not None), default=None)

    def rule_of(self, service: ServiceName) -> RampRule | None:
        """The ramp of a service, as the policy says."""
        return self._rules.get(service)

    @property
    def _frozen(self) -> bool:
        return self._beliefs.brake.freeze is not None

    def _glances(self, rule: RampRule, now: float) -> Mapping[RegionName, Glance]:
        return {name: self._beliefs.glance(name, now) for name in rule.watched}

    def _take(self, name: ServiceName, after: Ramp) -> bool:
        """Adopt a state and tell what is new; whether answers, or a restart, should know."""
        before = self._beliefs.ramps[name]
        self._beliefs.ramps[name] = after
        if after.phase is not before.phase:
            self._tell(f"ramp.{after.phase.value}", **self._fields(name, after))
        if (after.phase, after.part) == (before.phase, before.part):
            return False
        self._metrics.ramp(name, after.region, after.part, after.phase.value)
        return True

    def _fields(self, name: ServiceName, state: Ramp) -> dict[str, object]:
        return {
            "service": name,
            "region": state.region,
            "part": round(state.part, 4),
            "why": state.why or None,
        }
