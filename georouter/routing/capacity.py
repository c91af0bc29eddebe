"""The capacity plan: which part of whose clients goes elsewhere, so that no region gets too much.

    rankings x demand --selection as it is--> load per region --what is above its limit--> the next best

Rule 1. Everybody stays where selection puts them as long as that fits: the plan only moves what overflows,
        at the least added round trip, and never across a fence or to a region that cannot answer.
Rule 2. All services with a capacity step share their regions' room; what services without one are known to
        put there is taken off first.
Rule 3. What fits nowhere is spread in proportion to the room (`routing.transport`) and reported.
Rule 4. Where a `failover` step keeps a state its active region gets everybody, whatever is full; regions that
        stand by get nobody. Should the active one be lost, the one that its step would choose gets them.
Rule 5. From one plan to the next at most `max_step` of the demand moves. The spreads for the loss of one
        more region are whole, and so is the plan after a loss that none was ready for: then everything has
        to be right at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from georouter.facts.failover import FailoverRule
from georouter.facts.plan import CapacityPlan, Crew, Shares, Spread, Tiers
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity
from georouter.routing import sifting
from georouter.routing.groups import STAY_MS, Asking, Groups, group
from georouter.routing.rank import Ranked
from georouter.routing.select import UNKNOWN, UP, Selector, level, part_of, weight_of
from georouter.routing.steps.failover import after_loss, stand
from georouter.routing.steps.weighted import ramped
from georouter.routing.transport import Array
from georouter.words.ids import RegionName, ServiceName

__all__ = ["Asking", "CapacityPlanner", "make_plan"]

_LEAST = 1e-6
"""Smaller parts of a ranking's clients are rounding."""
_CROWDED = 1e-3
"""The part of its room that a region keeps on paper when others have taken all of it."""

LOST = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)


def make_plan(
    policy: Policy,
    askings: Sequence[Asking],
    world: World,
    now: float,
    *,
    previous: CapacityPlan | None = None,
    losses: Iterable[RegionName] | None = None,
) -> CapacityPlan:
    """The plan for this world, and for the loss of each further region (or only of `losses`).

    `askings` are the services whose demand is known, with and without a capacity step. Raises
    NoSolverError without HiGHS.
    """
    planner = CapacityPlanner(policy, askings)
    wanted = planner.used if losses is None else losses
    return replace(planner.plan(world, now, previous), losses=planner.losses(world, wanted))


class CapacityPlanner:
    """Plans for one set of clients. `used` are the regions of services with a capacity step."""

    def __init__(self, policy: Policy, askings: Sequence[Asking]) -> None:
        self._policy, self._askings = policy, askings
        self._groups = group(policy, askings)
        self.used = tuple(
            dict.fromkeys(name for asking in askings if asking.rule.capacity for name in asking.universe)
        )

    def plan(self, world: World, now: float, previous: CapacityPlan | None) -> CapacityPlan:
        """The plan for this world alone. NoSolverError."""
        present = self._spread(world)
        kept = previous.prepared(world.away) if previous is not None else None
        if kept is not None:
            present = _toward(kept, present, self._policy, self._askings, world)
        return CapacityPlan(made_at=now, away=world.away, now=present)

    def losses(self, world: World, names: Iterable[RegionName]) -> dict[RegionName, Spread]:
        """What to do at the loss of one more region; those away already are left out. NoSolverError."""
        return {name: self._spread(self._without(world, name)) for name in names if name not in world.away}

    def _without(self, world: World, name: RegionName) -> World:
        """The world once the region is lost, and failover steps have moved on from it."""
        after = replace(world, regions={**world.regions, name: LOST})
        moved = {
            service: after_loss(rule, standing, after)
            for service, standing in world.standings.items()
            if standing.active == name and (rule := self._failover(service)) is not None
        }
        return replace(after, standings={**world.standings, **moved}) if moved else after

    def _failover(self, service: ServiceName) -> FailoverRule | None:
        known = self._policy.services.get(service)
        step = None if known is None else known.failover
        return None if step is None else step.rule

    def _spread(self, world: World) -> Spread:
        """The whole answer for one situation."""
        situation = _Situation(self._policy, self._groups, world)
        for asking, columns, of in zip(self._askings, self._groups.columns, self._groups.of, strict=True):
            situation.add(asking, columns, of)
        return situation.spread()


class _Situation:
    """Where selection puts everybody, and what has to move."""

    def __init__(self, policy: Policy, groups: Groups, world: World) -> None:
        regions = len(groups.names)
        self.policy, self.groups, self.world = policy, groups, world
        self.fixed = np.zeros(regions)
        self.limit = np.full(regions, np.inf)
        self.natural = np.zeros(groups.price.shape)
        """Per group and region: the clients who are there and may be moved."""
        self.able = np.zeros((len(groups.crews), regions), dtype=np.bool_)
        self.crew = {crew: number for number, crew in enumerate(groups.crews)}

    def add(self, asking: Asking, columns: NDArray[np.int64], of: NDArray[np.int64]) -> None:
        """Put a service's clients where selection does."""
        facts = _facts(asking, self.world)
        select = Selector(asking.rule, facts)
        step = asking.rule.capacity
        able = frozenset(
            region
            for region, fact in enumerate(facts)
            if level(fact, weight_of(fact, asking.rule.weights[region])) <= UNKNOWN and not _divided(fact)
        )
        if step is not None:
            self._limit(columns, step)
            self.able[self.crew[asking.crew], columns[sorted(able)]] = True
        numbers = np.flatnonzero(asking.demand > 0)
        if not len(numbers):
            return
        homes = _Homes(select, facts, asking.rule.weights, able)
        home_of = np.array([homes.number(asking.rankings[one]) for one in numbers.tolist()], dtype=np.int64)
        amounts = asking.demand[numbers, None]
        movable, fixed = (amounts * np.array(parts)[home_of] for parts in (homes.movable, homes.fixed))
        if step is None:
            fixed += movable
        else:
            self.natural[np.ix_(of[numbers], columns)] += movable
        self.fixed[columns] += fixed.sum(axis=0)

    def _limit(self, columns: NDArray[np.int64], step: Capacity) -> None:
        """The strictest limit of the services that use a region."""
        part = step.failure_limit if self.world.away else step.steady_limit
        for column in columns:
            name = self.groups.names[column]
            capacity = self.policy.regions[name].capacity
            if capacity is not None:
                room = part * capacity * self.world.region(name).health
                self.limit[column] = min(self.limit[column], room)

    def spread(self) -> Spread:
        """The cheapest way to keep every limit."""
        loads = self.fixed + self.natural.sum(axis=0)
        over = loads > self.limit * (1 + 1e-9)
        of, home = np.nonzero(self.natural)
        if not over.any() or not len(of):
            return Spread({}, self._by_name(loads), self._overload(loads, over))
        supply = self.natural[of, home]
        crowded = np.maximum(self.limit - self.fixed, _CROWDED * self.limit)
        room = np.where(np.isfinite(self.limit), crowded, 10.0 * supply.sum() + 1.0)
        found = sifting.solve(self._cost(of, home), supply, room)
        after = self.fixed + found.flow.sum(axis=0)
        return Spread(
            self._shares(of, found.flow),
            self._by_name(after),
            self._overload(after, after > self.limit * (1 + 1e-6)),
        )

    def _cost(self, of: NDArray[np.int64], home: NDArray[np.int64]) -> Array:
        """What moving costs the clients of group `of[i]` who are at `home[i]`: nothing where they stay."""
        price = self.groups.price
        dearer: Array = np.maximum(price[of] - price[of, home][:, None], 0.0) + STAY_MS
        dearer[~self.able[self.groups.crew_of[of]]] = np.inf
        dearer[np.arange(len(of)), home] = 0.0
        return dearer

    def _by_name(self, loads: Array) -> dict[RegionName, float]:
        return _known(dict(zip(self.groups.names, loads.tolist(), strict=True)))

    def _overload(self, loads: Array, over: NDArray[np.bool_]) -> dict[RegionName, float]:
        names = self.groups.names
        return {names[index]: float(loads[index] / self.limit[index]) for index in np.flatnonzero(over)}

    def _shares(self, of: NDArray[np.int64], flow: Array) -> dict[Crew, Shares]:
        """Per ranking the part of its clients for each region, where that is not what selection says."""
        amounts = np.zeros_like(self.natural)
        np.add.at(amounts, of, flow)
        total = amounts.sum(axis=1, keepdims=True)
        made = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
        made[made <= _LEAST] = 0.0
        natural = np.divide(self.natural, total, out=np.zeros_like(amounts), where=total > 0)
        moved = np.flatnonzero(np.abs(made - natural).max(axis=1, initial=0.0) > _LEAST)
        shares: dict[Crew, Shares] = {}
        for number in np.unique(self.groups.crew_of[moved]).tolist():
            crew = self.groups.crews[number]
            ours = moved[self.groups.crew_of[moved] == number]
            parts = made[np.ix_(ours, [self.groups.names.index(name) for name in crew[0]])]
            tiers = [self.groups.tiers[one] for one in ours.tolist()]
            shares[crew] = Shares(len(crew[0]), tiers, parts / parts.sum(axis=1, keepdims=True))
        return shares


class _Homes:
    """Where selection puts rankings: the n-th ones' parts for each region of the universe are `movable[n]`,
    who may be sent elsewhere, and `fixed[n]`.

    Where a region of the first tier is up, the first tier alone decides, as in `select`.
    """

    def __init__(
        self,
        select: Selector,
        facts: Sequence[RegionFacts],
        weights: Sequence[float],
        able: frozenset[int],
    ) -> None:
        self.movable: list[Array] = []
        self.fixed: list[Array] = []
        self._select, self._width, self._able = select, len(facts), able
        levels = list(map(level, facts, map(weight_of, facts, weights)))
        whole = all(fact.cohort is None for fact in facts)
        self._up = frozenset(region for region, stands in enumerate(levels) if whole and stands == UP)
        self._known: dict[tuple[int, ...], int] = {}

    def number(self, ranked: Ranked) -> int:
        """The index of what the ranking gets."""
        first = ranked.tiers[0] if ranked.tiers else ()
        known = self._known.get(first)
        if known is None:
            known = len(self.fixed)
            self._put(ranked)
            if not self._up.isdisjoint(first):
                self._known[first] = known
        return known

    def _put(self, ranked: Ranked) -> None:
        movable, fixed = np.zeros(self._width), np.zeros(self._width)
        candidates = self._select(ranked).candidates
        total = sum(candidate.weight for candidate in candidates)
        homes = [candidate.regions[0] for candidate in candidates if candidate.cohort is None]
        listed = self._able.intersection(region for tier in ranked.tiers for region in tier)
        free = listed.issuperset(homes)  # a fallback is no place in the ranking
        for candidate in candidates:
            part = movable if free and candidate.cohort is None else fixed
            part[candidate.regions[0]] += candidate.weight / total
        self.movable.append(movable)
        self.fixed.append(fixed)


def _known(loads: Mapping[RegionName, float]) -> dict[RegionName, float]:
    return {name: load for name, load in loads.items() if load > 0}


def _toward(kept: Spread, wanted: Spread, policy: Policy, askings: Sequence[Asking], world: World) -> Spread:
    """From the shares in force to the wanted ones, as far as `max_step` lets them go at once."""
    moved, total, step = 0.0, 0.0, 1.0
    rows: list[tuple[Crew, Tiers, Array, Array, float]] = []
    for asking in askings:
        if asking.rule.capacity is None:
            continue
        step = min(step, asking.rule.capacity.max_step)
        facts = _facts(asking, world)
        select = Selector(asking.rule, facts)
        nothing = Shares.of(len(facts), {})
        old, new = (each.shares.get(asking.crew, nothing) for each in (kept, wanted))
        for ranked, amount in zip(asking.rankings, asking.demand.tolist(), strict=True):
            total += amount
            was, will = old.get(ranked.tiers), new.get(ranked.tiers)
            if was is not None or will is not None:
                natural = _natural(select, ranked, len(asking.universe))
                before = _usable(was, natural, facts)
                after = natural if will is None else np.array(will)
                moved += amount * float(np.abs(after - before).sum()) / 2
                rows.append((asking.crew, ranked.tiers, before, after, amount))
    if moved <= step * total:
        return wanted
    part = step * total / moved
    shares: dict[Crew, dict[Tiers, tuple[float, ...]]] = {}
    loads = dict(wanted.loads)
    for crew, tiers, before, after, amount in rows:
        mixed = before + part * (after - before)
        shares.setdefault(crew, {})[tiers] = tuple(mixed.tolist())
        for region, change in zip(crew[0], (mixed - after).tolist(), strict=True):
            loads[region] = loads.get(region, 0.0) + amount * change
    over = {
        name: load / limit
        for name, load in loads.items()
        if (limit := _room(policy, askings, world, name)) and load > limit * (1 + 1e-6)
    }
    flat = {crew: Shares.of(len(crew[0]), parts) for crew, parts in shares.items()}
    return Spread(flat, _known(loads), over)


def _room(policy: Policy, askings: Sequence[Asking], world: World, name: RegionName) -> float | None:
    """What a region may take by the strictest of the services that use it; None for no limit."""
    capacity = policy.regions[name].capacity
    steps = [asking.rule.capacity for asking in askings if asking.rule.capacity and name in asking.universe]
    if capacity is None or not steps:
        return None
    part = min(step.failure_limit if world.away else step.steady_limit for step in steps)
    return part * capacity * world.region(name).health


def _natural(select: Selector, ranked: Ranked, width: int) -> Array:
    shares = np.zeros(width)
    candidates = [item for item in select(ranked).candidates if item.cohort is None]
    total = sum(candidate.weight for candidate in candidates)
    for candidate in candidates:
        shares[candidate.regions[0]] += candidate.weight / total
    return shares


def _facts(asking: Asking, world: World) -> tuple[RegionFacts, ...]:
    """The facts as the service's failover and ramp have them."""
    facts = stand(asking.rule.stands, asking.universe, world)
    return ramped(asking.rule.ramp, asking.rule.ramps, asking.universe, facts, world)


def _divided(fact: RegionFacts) -> bool:
    """Whether the region has a cohort, which is nobody's to move; nobody is moved onto it, either."""
    return fact.cohort is not None and part_of(fact) < 1


def _usable(shares: tuple[float, ...] | None, natural: Array, facts: Sequence[RegionFacts]) -> Array:
    """Old shares without regions that have gone since; selection's own where nothing is left."""
    if shares is None:
        return natural
    there = np.array([fact.effective in {Effective.UP, Effective.UNKNOWN} for fact in facts])
    left = np.where(there, np.array(shares), 0.0)
    return left / left.sum() if left.sum() > 0 else natural
