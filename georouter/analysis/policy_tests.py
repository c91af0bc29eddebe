"""The policy's own tests: ask the decision, compare with what the operator expects."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from georouter.analysis.proportions import Compiled, Compiler, percentages
from georouter.answers.layout import Reason
from georouter.facts.world import Effective, Ramping, RegionFacts, State, World
from georouter.geo.locate import locate
from georouter.geo.map import UNPLACED, GeoMap, Places
from georouter.policy.model import Policy, PolicyTest, Service
from georouter.policy.names import Names
from georouter.policy.tenants import Tenant
from georouter.policy.units import instant_text
from georouter.routing.decide import Decision, Family, decide
from georouter.routing.steps.pin import is_missing, pin_of, tenant_of
from georouter.wire.codes import type_number
from georouter.wire.names import lower, parse_name
from georouter.words.ids import RegionName

_DOWN = RegionFacts(observed=State.DOWN, effective=Effective.DOWN, forced=Effective.DOWN, health=0.0)
_UP = RegionFacts(observed=State.UP, effective=Effective.UP)


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one test. `reason` says why it failed and is empty when it passed. `shares` is what
    each region gets of the client networks there, where the test asks for that.
    """

    test: PolicyTest
    answered: frozenset[RegionName]
    reason: str = ""
    shares: Mapping[RegionName, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether exactly the expected regions may answer."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class _Asked:
    """A test's client and question where they end."""

    test: PolicyTest
    service: Service
    tenant: Tenant | None
    row: int
    place: Places
    world: World
    decision: Decision

    def family(self) -> Family:
        """Whose selection it is: of what was asked for, or of A, and where that has no answer, of AAAA."""
        if self.test.type in {"HTTPS", "SVCB"}:
            return Family.BOUND
        if self.test.type:
            return Family(self.test.type)
        return Family.A if self.decision.selections[Family.A].candidates else Family.AAAA

    def compile(self, compiler: Compiler) -> Compiled | None:
        """The same question compiled."""
        type_ = type_number(self.test.type or self.family().value)
        name, client = lower(parse_name(self.test.name)), self.test.client
        return compiler.compile(self.service, self.tenant, name, type_, client, self.row, self.world)

    def why(self, expected: str, got: str) -> str:
        """Why the test failed: what came instead, and how it came about."""
        steps = "; ".join(
            f"{trace.step}: {reason}"
            for trace in self.decision.steps
            for reason in trace.reasons[:1]
            if reason
        )
        ranking = " > ".join(" = ".join(tier) for tier in self.decision.tiers) or "no region is allowed"
        where = _where(self.place, self.row)
        text = f"expected {expected}, got {got}; the client is {where}; ranking: {ranking}"
        return f"{text}; {steps}" if steps else text


def run(policy: Policy, map: GeoMap) -> tuple[Result, ...]:  # noqa: A002 - the map of the Internet
    """Run every test of `policy` on `map`, which has the policy's networks laid over it.

    The client is the first address of the test's network. All regions are up but those the test
    names; nothing was measured, and there is no capacity plan.
    """
    if not policy.tests:
        return ()  # a million names need no index that nobody asks
    names, compiler = Names(policy.zones.values()), Compiler(policy, map)
    return tuple(_result(test, policy, map, names, compiler) for test in policy.tests)


def _result(
    test: PolicyTest,
    policy: Policy,
    map: GeoMap,  # noqa: A002
    names: Names,
    compiler: Compiler,
) -> Result:
    end = names.end_of(parse_name(test.name))
    if end is None:
        return Result(test, frozenset(), f'no service answers the name "{test.name}"')
    service = policy.services[names.steered[end[0]]]
    tenant = tenant_of(service, *end)
    if end[0] != end[1] and is_missing(service, tenant):
        return _missing(test, service)
    row, _ = locate(map, test.client.network_address)
    place = map.places.row(row)
    ramps = {} if test.ramp is None else {service.name: Ramping(test.ramp)}
    degraded = {name: replace(_UP, health=health) for name, health in test.degraded.items()}
    world = World(regions={**degraded, **dict.fromkeys(test.down, _DOWN)}, ramps=ramps)
    decision = decide(policy, service, place, world, tenant=tenant)
    asked = _Asked(test, service, tenant, row, place, world, decision)
    if test.refused:
        return _refused(asked)
    if test.shares is not None:
        return _shared(asked, test.shares, compiler)
    if test.at:
        return _at(asked, compiler)
    answered = _answers(decision, test.type)
    if answered == test.expect:
        return Result(test, answered)
    return Result(test, answered, asked.why(_listed(test.expect), _got(asked, answered)))


def _missing(test: PolicyTest, service: Service) -> Result:
    """A name that only a tenant could have has no answer."""
    if not test.expect and not test.refused:
        return Result(test, frozenset())
    step = pin_of(service)
    name = step.directory.name if step else ""
    expected = "a refusal" if test.refused else _listed(test.expect)
    why = f"expected {expected}, got no such name: {test.name} is no tenant's in {name}"
    return Result(test, frozenset(), why)


def _refused(asked: _Asked) -> Result:
    """A fence has to leave no region, whatever records are asked for."""
    test, selection = asked.test, asked.decision.selections[asked.family()]
    answered = _answers(asked.decision, test.type)
    if selection.reason is Reason.REFUSED and not answered:
        return Result(test, answered)
    return Result(test, answered, asked.why("a refusal, as no region is allowed", _got(asked, answered)))


def _shared(asked: _Asked, expected: Mapping[RegionName, float], compiler: Compiler) -> Result:
    """Every region has to get what the test says, and one that it does not name nothing."""
    test = asked.test
    compiled = asked.compile(compiler)
    got = compiled.shares() if compiled is not None else {}
    answered = frozenset(got)
    wrong = [
        name
        for name in (*expected, *(other for other in got if other not in expected))
        if abs(got.get(name, 0.0) - expected.get(name, 0.0)) > test.within + 1e-6
    ]
    if not wrong:
        return Result(test, answered, shares=got)
    off = ", ".join(f"{name} is off by {got.get(name, 0.0) - expected.get(name, 0.0):+.1%}" for name in wrong)
    reason = asked.why(f"{percentages(expected)}, within {test.within:.1%}", f"{percentages(got)} ({off})")
    return Result(test, answered, reason, got)


def _at(asked: _Asked, compiler: Compiler) -> Result:
    """Those that answer this client at the instants of the test."""
    test, compiled = asked.test, asked.compile(compiler)
    candidates = asked.decision.selections[asked.family()].candidates
    drawn = [(instant, None if compiled is None else compiled.drawn(instant)) for instant in test.at]
    given = {
        name: frozenset(asked.decision.regions[region] for region in candidate.regions)
        for candidate in candidates
        for name in [asked.decision.regions[candidate.regions[0]]]
    }
    each = [(instant, frozenset() if name is None else given[name]) for instant, name in drawn]
    answered = frozenset[RegionName]().union(*(regions for _, regions in each))
    if answered == test.expect:
        return Result(test, answered)
    got = ", ".join(f"{_listed(regions)} at {instant_text(instant)}" for instant, regions in each)
    return Result(test, answered, asked.why(_listed(test.expect), got))


def _answers(decision: Decision, type_: str) -> frozenset[RegionName]:
    """HTTPS and SVCB hold what A and AAAA do."""
    if not type_:
        return decision.answers()
    families = (Family(type_),) if type_ in (Family.A, Family.AAAA) else (Family.A, Family.AAAA)
    return frozenset[RegionName]().union(*map(decision.answers, families))


def _got(asked: _Asked, answered: frozenset[RegionName]) -> str:
    if answered or asked.decision.selections[asked.family()].reason is not Reason.REFUSED:
        return _listed(answered)
    return "a refusal"


def _where(place: Places, row: int) -> str:
    """The place in a few words, from its most to its least specific part."""
    if row == UNPLACED:
        return "not placed by the database"
    parts = [
        place.cities[int(place.city[0])],
        place.subdivision[0].decode("ascii", "replace"),
        place.country[0].decode("ascii", "replace"),
        place.continent[0].decode("ascii", "replace"),
    ]
    found = [part for part in parts if part]
    return f"in {', '.join(found)}" if found else "at a place without a name"


def _listed(regions: frozenset[RegionName]) -> str:
    return ", ".join(sorted(regions)) or "no region"
