"""Selection: which regions of a ranking answer right now, in which proportion, and why.

Each region stands at a level: 0 up, 1 unknown, both with a weight; 2 up and 3 unknown with weight 0;
4 drained with a weight, 5 drained with weight 0; 6 and 7 stand by, up or drained, because the
`failover` step has another region active; 8 down. A region that is down but held by that step stands
at 0. A weight is the configured one times the
region's graded health; the region of a ramp that has come to nobody has weight 0. Rule 1: the best level
that any region reaches counts, and the first tier that has a region there answers, through its regions at
that level. Rule 2: when all are down, `when_all_down` says what happens. Rule 3: nothing outside the
ranking's fence is ever answered. Rule 4: where the region of a ramp answers, it does so for its cohort alone,
and everybody else gets what there would be if it had weight 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from georouter.answers.layout import Reason
from georouter.facts.plan import Shares
from georouter.facts.ramp import RampRule
from georouter.facts.world import Effective, RegionFacts, Role, State, World
from georouter.policy.model import AllDown, Endpoint, Policy, Region, Service
from georouter.policy.steps import Capacity, Limit, Sticky, Weighted
from georouter.routing.rank import Ranked, Ranking, restrict
from georouter.routing.scene import universe
from georouter.words.ids import RegionName, ServiceName

UP, UNKNOWN, IDLE_UP, IDLE_UNKNOWN, DRAINED, IDLE_DRAINED, STANDBY, STANDBY_DRAINED, DOWN = range(9)


LastKnown: TypeAlias = frozenset[tuple[frozenset[int], frozenset[int]]]
"""`facts.world.Known` by indices: pairs of what clients may get and what they got last."""


_T = TypeVar("_T", int, RegionName)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the policy says about selection: weight per region of the universe, limits, and the worst case.

    With `sticky` the choice among a selection's candidates is a client network's for good, else for one TTL.
    With `capacity` the plan may send a part of the clients elsewhere. With a `ramp` one region has a cohort.
    """

    weights: tuple[float, ...]
    limit: Limit
    when_all_down: AllDown
    fallback: tuple[int, ...]
    sticky: Sticky | None = None
    capacity: Capacity | None = None
    ramp: RampRule | None = None
    ramps: ServiceName | None = None
    """The service, where it has a ramp: how far that has come is its own."""
    stands: ServiceName | None = None
    """The service, where its `failover` step keeps a state: who is active is its own."""

    @property
    def alone(self) -> ServiceName | None:
        """The service, where it has something of its own that decides where its clients are."""
        return self.ramps or self.stands


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer: its regions in order (the first one decides) and its share of the choice.

    With `cohort` it is for that part (0..1) of all clients alone, always the same ones, and the choice among
    the others is everybody else's. Its weight then is what makes its share that part.
    """

    regions: tuple[int, ...]
    weight: float
    reason: Reason
    cohort: float | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be answered. At most the first candidate has a cohort; where it is the only one, the others
    get NODATA.

    Without candidates: SERVFAIL if `servfail`, REFUSED if that is the reason, else NODATA.
    """

    candidates: tuple[Candidate, ...]
    reason: Reason
    servfail: bool = False


def rule_of(service: Service) -> Rule:
    """Everything the chain says about selection; of two steps that disagree the later one counts."""
    names = universe(service)
    weights = dict.fromkeys(names, 1.0)
    limit, sticky, capacity, ramp = Limit(), None, None, None
    for step in service.chain:
        match step:
            case Weighted():
                weights.update({name: weight for name, weight in step.weights.items() if name in weights})
                ramp = step.ramp
            case Limit():
                limit = step
            case Sticky():
                sticky = step
            case Capacity():
                capacity = step
            case _:
                pass
    return Rule(
        weights=tuple(weights.values()),
        limit=limit,
        when_all_down=service.when_all_down,
        fallback=tuple(names.index(name) for name in dict.fromkeys(service.fallback)),
        sticky=sticky,
        capacity=capacity,
        ramp=ramp,
        ramps=None if ramp is None else service.name,
        stands=None if service.failover is None else service.name,
    )


def having(policy: Policy, regions: Sequence[RegionName], families: frozenset[int]) -> frozenset[int]:
    """Which of `regions` have an endpoint of one of these families (4, 6; 0 for hostnames)."""

    def fits(endpoints: tuple[Endpoint, ...]) -> bool:
        return any(endpoint.family in families for endpoint in endpoints)

    return frozenset(column for column, name in enumerate(regions) if fits(policy.regions[name].endpoints))


def able(
    regions: Sequence[Region],
    facts: Sequence[RegionFacts],
    families: frozenset[int],
    usable: frozenset[int] | None,
) -> frozenset[int] | None:
    """Of the regions that have endpoints of these families, those that have a live one.

    So a region whose IPv4 endpoints are down while its IPv6 ones are up leaves A to the others, and where
    there are no others A has no answer. None: all of `regions` can, as in `usable`.
    """
    if not any(fact.endpoints_down for fact in facts):
        return usable
    having_any = range(len(regions)) if usable is None else usable
    alive = frozenset(
        column
        for column in having_any
        if any(endpoint.family in families for endpoint in live(regions[column], facts[column]))
    )
    return usable if len(alive) == len(having_any) else alive


def live(region: Region, facts: RegionFacts) -> tuple[Endpoint, ...]:
    """The endpoints that may be answered: those not down, if any; all while the region is forced up."""
    if facts.forced is Effective.UP:
        return region.endpoints
    alive = tuple(
        endpoint for index, endpoint in enumerate(region.endpoints) if index not in facts.endpoints_down
    )
    return alive or region.endpoints


def select(  # noqa: PLR0917 - as `Selector`, for one ranking
    ranked: Ranked,
    rule: Rule,
    facts: Sequence[RegionFacts],
    usable: frozenset[int] | None = None,
    last_known: LastKnown = frozenset(),
    shares: Shares | None = None,
) -> Selection:
    """The answer to one ranking. `facts` holds one entry per region of the universe.

    `shares` is what the capacity plan says of the service's rankings (see `planned`).

    `usable` keeps to regions that have the record family asked for; where they only reach a worse
    level than all regions do, the answer is NODATA rather than a worse region. See `Selector` to
    select for many rankings.
    """
    return Selector(rule, facts, usable, last_known, shares)(ranked)


def planned(rule: Rule, regions: tuple[RegionName, ...], world: World) -> Shares | None:
    """What the capacity plan says of the rankings of a universe; None where it says nothing."""
    if rule.capacity is None or world.capacity is None:
        return None
    return world.capacity.spread(world.away).shares.get((regions, rule.weights, rule.alone))


def known_last(service: ServiceName, regions: Sequence[RegionName], world: World) -> LastKnown:
    """What is known of a service's last answers; regions that it no longer has are left out."""
    column = {name: index for index, name in enumerate(regions)}
    return frozenset(
        (
            frozenset(column[name] for name in allowed if name in column),
            frozenset(column[name] for name in up if name in column),
        )
        for allowed, up in world.last_known.get(service, {}).items()
    )


def last_up(known: Iterable[tuple[frozenset[_T], frozenset[_T]]], allowed: frozenset[_T]) -> frozenset[_T]:
    """What those who may get these were answered last; where nobody had just these, what all others were."""
    pairs = tuple(known)
    mine = [up for among, up in pairs if among == allowed] or [up for _, up in pairs]
    return frozenset().union(*mine) & allowed


class Selector:
    """`select` prepared for one state of the world: call it with many rankings.

    Rankings whose answers are equal get the same object where an answer holds one region.
    """

    __slots__ = (
        "_cohort",
        "_facts",
        "_healthy",
        "_known",
        "_last",
        "_levels",
        "_others",
        "_part",
        "_plain",
        "_rule",
        "_shares",
        "_usable",
        "_weights",
    )

    def __init__(
        self,
        rule: Rule,
        facts: Sequence[RegionFacts],
        usable: frozenset[int] | None = None,
        last_known: LastKnown = frozenset(),
        shares: Shares | None = None,
    ) -> None:
        self._rule = rule
        self._shares = shares
        self._facts = facts
        self._usable = None if usable is None or usable.issuperset(range(len(facts))) else usable
        self._last = last_known
        self._weights = tuple(map(weight_of, facts, rule.weights))
        self._levels = tuple(map(level, facts, self._weights))
        self._plain = self._levels_without_overrides()
        self._known: dict[tuple[tuple[int, ...], Reason], Selection] = {}
        self._healthy: Selector | None = None
        self._cohort = next((column for column, fact in enumerate(facts) if fact.cohort), None)
        """The region with a cohort of more than nobody."""
        self._part = 0.0 if self._cohort is None else part_of(facts[self._cohort])
        self._others: Selector | None = None
        """What there is for who is not in the cohort, or asks for records that its region does not have."""
        if self._cohort is not None:
            idle = [fact if fact.cohort is None else replace(fact, cohort=0.0) for fact in facts]
            self._others = Selector(rule, idle, usable, last_known, shares)
            self._shares = None if self._part < 1 else self._shares  # they share out the others

    def __call__(self, ranked: Ranked) -> Selection:
        """The answer to `ranked`."""
        mine = self._select(ranked)
        if self._cohort is None:
            return mine
        first = next((item for item in mine.candidates if item.regions[0] == self._cohort), None)
        if first is not None and self._part >= 1:
            return Selection((replace(first, cohort=None),), mine.reason)
        rest = mine if self._others is None else self._others(ranked)
        if first is None:
            return rest
        total = sum(candidate.weight for candidate in rest.candidates) or 1.0
        first = replace(first, weight=self._part / (1 - self._part) * total, cohort=self._part)
        return Selection((first, *rest.candidates), rest.reason if rest.candidates else mine.reason)

    def _select(self, ranked: Ranked) -> Selection:
        """The answer with the region of a ramp among the others."""
        if not ranked.tiers and not (ranked.fallback and self._rule.when_all_down is AllDown.FALLBACK):
            return REFUSED
        shares = None if ranked.pinned or not self._shares else self._shares.get(ranked.tiers)
        if self._usable is None:
            return self._answer(ranked, shares, ranked)
        narrow = restrict(ranked, self._usable)
        if self._is_worse(narrow, ranked):
            return NODATA
        return self._answer(narrow, shares, ranked)

    def _answer(self, ranked: Ranked, shares: tuple[float, ...] | None, whole: Ranked) -> Selection:
        """The answer of what is left of the ranking `whole` for the records asked for."""
        best, position = winner(ranked.tiers, self._levels)
        if best == DOWN:
            return self._all_down(ranked, whole)
        reason = self._reason(ranked.tiers, best, position)
        if shares is not None and best <= UNKNOWN:
            spread = self._spread(ranked.tiers, best, position, reason, shares)
            if spread.candidates:
                return spread
        return self._candidates(ranked.tiers[position:], best, reason)

    def _spread(
        self, tiers: Ranking, best: int, position: int, reason: Reason, shares: tuple[float, ...]
    ) -> Selection:
        """The regions that the capacity plan names and that can answer, in its proportions."""
        levels, most = self._levels, self._rule.limit.regions
        able = [region for tier in tiers for region in tier if levels[region] == best]
        candidates = tuple(
            [
                Candidate(
                    (region, *(other for other in able if other != region))[:most] if most > 1 else (region,),
                    shares[region],
                    reason if region in tiers[position] else Reason.CAPACITY,
                )
                for region in able
                if shares[region] > 0
            ]
        )
        return Selection(candidates, reason)

    def _is_worse(self, narrow: Ranked, ranked: Ranked) -> bool:
        """Whether the regions of one record family stand worse than all regions together."""
        if not narrow.allowed:
            return True
        everywhere, _ = winner(ranked.tiers, self._levels)
        here, _ = winner(narrow.tiers, self._levels)
        if everywhere == DOWN and self._rule.when_all_down is AllDown.FALLBACK:
            wide, few = self._fallback(ranked), self._fallback(narrow)
            return bool(wide) and (not few or winner((few,), self._levels) > winner((wide,), self._levels))
        return here > everywhere or not narrow.tiers

    def _reason(self, tiers: Ranking, best: int, position: int) -> Reason:
        if any(self._facts[region].role is Role.HELD for region in tiers[position]):
            return Reason.HELD
        if best in {DRAINED, IDLE_DRAINED, STANDBY_DRAINED}:
            return Reason.FORCED
        primary = next((place for place, tier in enumerate(tiers) if self._weighs(tier)), 0)
        if position == primary and (best <= UNKNOWN or not self._weighs(tiers[primary])):
            return Reason.PRIMARY
        plain_best, plain_position = winner(tiers, self._plain)
        moved = plain_position < position or plain_best < best
        return Reason.FORCED if moved and plain_best != DOWN else Reason.FAILOVER

    def _weighs(self, tier: tuple[int, ...]) -> bool:
        """Whether the policy gives any region of the tier a share."""
        return any(self._rule.weights[region] > 0 and self._facts[region].cohort != 0 for region in tier)

    def _candidates(self, tiers: Ranking, best: int, reason: Reason) -> Selection:
        """Every region of the first tier at level `best`; further regions of an answer follow it in order."""
        tier = tiers[0]
        single = self._rule.limit.regions <= 1
        if single and (tier, reason) in self._known:
            return self._known[tier, reason]
        chosen = [region for region in tier if self._levels[region] == best]
        later = [region for after in tiers[1:] for region in after if self._levels[region] == best]
        heavy = any(self._weights[region] > 0 for region in chosen)
        candidates = tuple(
            Candidate(
                regions=(*chosen[place:], *chosen[:place], *later)[: max(1, self._rule.limit.regions)],
                weight=self._weights[region] if heavy else 1.0,
                reason=reason,
            )
            for place, region in enumerate(chosen)
        )
        selection = Selection(candidates, reason)
        if single:
            self._known[tier, reason] = selection
        return selection

    def _all_down(self, ranked: Ranked, whole: Ranked) -> Selection:
        match self._rule.when_all_down:
            case AllDown.SERVFAIL:
                return Selection((), Reason.ALL_DOWN, servfail=True)
            case AllDown.FALLBACK:
                return self._fall_back(ranked)
            case AllDown.LAST_KNOWN:
                kept = restrict(ranked, last_up(self._last, whole.allowed))
                return self._as_if_up(kept if kept.tiers else ranked, Reason.ALL_DOWN)
            case AllDown.SERVE_ALL:
                return self._as_if_up(ranked, Reason.ALL_DOWN)

    def _fall_back(self, ranked: Ranked) -> Selection:
        """The fallback regions that the fence allows, equal: those that can answer, else all of them.

        When the fence allows none of them there is nothing to fall back to: SERVFAIL, so that
        resolvers try elsewhere or serve what they have, instead of a region known to be down.
        """
        tier = self._fallback(ranked)
        if not tier:
            return Selection((), Reason.FALLBACK, servfail=True)
        best, _ = winner((tier,), self._levels)
        if best == DOWN:
            return self._as_if_up(Ranked((tier,)), Reason.FALLBACK)
        return self._candidates((tier,), best, Reason.FALLBACK)

    def _fallback(self, ranked: Ranked) -> tuple[int, ...]:
        allowed = ranked.allowed
        return tuple(region for region in self._rule.fallback if region in allowed)

    def _as_if_up(self, ranked: Ranked, reason: Reason) -> Selection:
        """The answer there would be if no region were down."""
        if self._healthy is None:
            self._healthy = Selector(self._rule, [as_if_up(fact) for fact in self._facts])
        best = self._healthy(ranked)
        return Selection(tuple(replace(candidate, reason=reason) for candidate in best.candidates), reason)

    def _levels_without_overrides(self) -> tuple[int, ...]:
        if all(fact.forced is None for fact in self._facts):
            return self._levels
        plain = [replace(fact, effective=fact.unforced, forced=None) for fact in self._facts]
        return tuple(map(level, plain, self._weights))


def bound(rule: Rule, one: Selection, other: Selection) -> Selection:
    """What HTTPS and SVCB are answered from, where `one` answers A and `other` AAAA: A, or else AAAA.

    With `sticky` a client keeps its region among all that either type has, so that a family that only some of
    them can answer moves nobody.
    """
    if not one.candidates:
        return other if other.candidates or one == NODATA else one
    if rule.sticky is None:
        return one
    there = {candidate.regions[0] for candidate in one.candidates}
    more = tuple(candidate for candidate in other.candidates if candidate.regions[0] not in there)
    return replace(one, candidates=(*one.candidates, *more))


REFUSED = Selection((), Reason.REFUSED)
"""A fence left no region."""

NODATA = Selection((), Reason.PRIMARY)
"""No region that may answer has records of the family asked for."""


def as_if_up(fact: RegionFacts) -> RegionFacts:
    """The same region if it were up and nobody had forced anything; who is active stays."""
    return RegionFacts(observed=State.UP, effective=Effective.UP, role=fact.role, cohort=fact.cohort)


def weight_of(fact: RegionFacts, weight: float) -> float:
    """What a region with this weight weighs now."""
    return 0.0 if fact.cohort == 0 else weight * max(fact.health, 0.0)


def part_of(fact: RegionFacts) -> float:
    """The part of the clients that a region with a cohort gets now: it sheds as others do."""
    return (fact.cohort or 0.0) * max(fact.health, 0.0)


def level(fact: RegionFacts, weight: float) -> int:
    """Where a region with this weight stands: the smaller, the sooner it answers."""
    if fact.role is Role.HELD:
        return UP
    if fact.role is Role.STANDBY and fact.effective is not Effective.DOWN:
        return STANDBY_DRAINED if fact.effective is Effective.DRAINED else STANDBY
    match fact.effective:
        case Effective.UP:
            return UP if weight > 0 else IDLE_UP
        case Effective.UNKNOWN:
            return UNKNOWN if weight > 0 else IDLE_UNKNOWN
        case Effective.DRAINED:
            return DRAINED if weight > 0 else IDLE_DRAINED
        case Effective.DOWN:
            return DOWN


def winner(tiers: Ranking, levels: Sequence[int]) -> tuple[int, int]:
    """The best level any tier reaches, and the first tier reaching it; `(DOWN, 0)` when none can answer."""
    best, position = DOWN, 0
    for place, tier in enumerate(tiers):
        for region in tier:
            if levels[region] < best:
                best, position = levels[region], place
                if best == UP:
                    return best, position
    return best, position
