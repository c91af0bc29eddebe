"""The policy's own tests: ask the decision, compare with what the operator expects."""

from dataclasses import dataclass

from georouter.facts.world import Effective, Ramping, RegionFacts, State, World
from georouter.geo.locate import locate
from georouter.geo.map import UNPLACED, GeoMap, Places
from georouter.policy.model import Policy, PolicyTest, Service
from georouter.policy.names import Names
from georouter.routing.decide import Decision, Family, decide
from georouter.routing.steps.pin import is_missing, pin_of, tenant_of
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName

_DOWN = RegionFacts(observed=State.DOWN, effective=Effective.DOWN, forced=Effective.DOWN, health=0.0)


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one test. `reason` says why it failed and is empty when it passed."""

    test: PolicyTest
    answered: frozenset[RegionName]
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether exactly the expected regions may answer."""
        return not self.reason


def run(policy: Policy, map: GeoMap) -> tuple[Result, ...]:  # noqa: A002 - the map of the Internet
    """Run every test of `policy` on `map`, which has the policy's networks laid over it.

    The client is the first address of the test's network. All regions are up but those the test
    names; nothing was measured.
    """
    if not policy.tests:
        return ()  # a million names need no index that nobody asks
    names = Names(policy.zones.values())
    return tuple(_result(test, policy, map, names) for test in policy.tests)


def _result(test: PolicyTest, policy: Policy, map: GeoMap, names: Names) -> Result:  # noqa: A002
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
    world = World(regions=dict.fromkeys(test.down, _DOWN), ramps=ramps)
    decision = decide(policy, service, place, world, tenant=tenant)
    answered = _answers(decision, test.type)
    if answered == test.expect:
        return Result(test, answered)
    return Result(test, answered, _why(test, answered, _where(place, row), decision))


def _missing(test: PolicyTest, service: Service) -> Result:
    """A name that only a tenant could have has no answer."""
    if not test.expect:
        return Result(test, frozenset())
    step = pin_of(service)
    name = step.directory.name if step else ""
    why = f"expected {_listed(test.expect)}, got no such name: {test.name} is no tenant's in {name}"
    return Result(test, frozenset(), why)


def _answers(decision: Decision, type_: str) -> frozenset[RegionName]:
    """HTTPS and SVCB hold what A and AAAA do."""
    if not type_:
        return decision.answers()
    families = (Family(type_),) if type_ in (Family.A, Family.AAAA) else (Family.A, Family.AAAA)
    return frozenset[RegionName]().union(*map(decision.answers, families))


def _why(test: PolicyTest, answered: frozenset[RegionName], where: str, decision: Decision) -> str:
    steps = "; ".join(
        f"{trace.step}: {reason}" for trace in decision.steps for reason in trace.reasons[:1] if reason
    )
    ranking = " > ".join(" = ".join(tier) for tier in decision.tiers) or "no region is allowed"
    text = (
        f"expected {_listed(test.expect)}, got {_listed(answered)}; the client is {where}; ranking: {ranking}"
    )
    return f"{text}; {steps}" if steps else text


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
