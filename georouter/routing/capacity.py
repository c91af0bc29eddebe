"""The capacity plan: which part of whose clients goes elsewhere, so that no region gets too much.

    rankings x demand --selection as it is--> load per region --what is above its limit--> the next best

Rule 1. Everybody stays where selection puts them as long as that fits: the plan only moves what overflows,
        at the least added round trip, and never across a fence or to a region that cannot answer.
Rule 2. All services with a capacity step share their regions' room; what services without one are known to
        put there is taken off first.
Rule 3. What fits nowhere is spread in proportion to the room (`routing.transport`) and reported.
Rule 4. From one plan to the next at most `max_step` of the demand moves. The spreads for the loss of one
        more region are whole: then everything has to be right at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from georouter.facts.plan import CapacityPlan, Crew, Shares, Spread, Tiers
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity
from georouter.routing.rank import Ranked
from georouter.routing.select import UNKNOWN, Rule, Selector, level
from georouter.routing.transport import Array, Transport
from georouter.words.ids import RegionName

Universe = tuple[RegionName, ...]

STAY_MS = 5.0
"""Nobody is moved for less, and ties stay where they are."""
_TIER_MS = 50.0
"""What a tier counts for clients whose round trips nobody can estimate."""
_LEAST = 1e-6
"""Smaller parts of a ranking's clients are rounding."""
_CROWDED = 1e-3
"""The part of its room that a region keeps on paper when others have taken all of it."""

LOST = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """The clients of one service, by ranking.

    `demand[k]` is in the unit of capacity, `rtt_ms[k, r]` the mean estimated round trip of the clients of
    `rankings[k]` to region r of the universe, NaN where there is no estimate.
    """

    universe: Universe
    rankings: tuple[Ranked, ...]
    demand: Array
    rtt_ms: Array
    rule: Rule

    @property
    def crew(self) -> Crew:
        """By whom the plan knows it."""
        return self.universe, self.rule.weights


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
    used = dict.fromkeys(name for asking in askings if asking.rule.capacity for name in asking.universe)
    present = _spread(policy, askings, world)
    kept = previous.spread(world.away) if previous is not None else None
    if kept is not None:
        present = _toward(kept, present, policy, askings, world)
    wanted = [name for name in (used if losses is None else losses) if name not in world.away]
    return CapacityPlan(
        made_at=now,
        away=world.away,
        now=present,
        losses={
            name: _spread(policy, askings, replace(world, regions={**world.regions, name: LOST}))
            for name in wanted
        },
    )


def _spread(policy: Policy, askings: Sequence[Asking], world: World) -> Spread:
    """The whole answer for one situation."""
    crowd = _Crowd(policy, world)
    for asking in askings:
        crowd.add(asking)
    return crowd.spread()


@dataclass(frozen=True, slots=True)
class _Part:
    """Clients of one ranking whom selection would send to one region (index into the universe)."""

    crew: Crew
    tiers: Tiers
    home: int


class _Crowd:
    """Everybody who asks in one situation."""

    def __init__(self, policy: Policy, world: World) -> None:
        self.names = tuple(policy.regions)
        self.column = {name: index for index, name in enumerate(self.names)}
        self.policy, self.world = policy, world
        self.loads = np.zeros(len(self.names))
        self.fixed = np.zeros(len(self.names))
        self.limit = np.full(len(self.names), np.inf)
        self.parts: dict[_Part, float] = {}
        self.cost: dict[_Part, Array] = {}
        self.whole: dict[tuple[Crew, Tiers], dict[int, float]] = {}

    def add(self, asking: Asking) -> None:
        """Put a service's clients where selection does."""
        facts = [self.world.region(name) for name in asking.universe]
        select = Selector(asking.rule, facts)
        columns = np.array([self.column[name] for name in asking.universe], dtype=np.int64)
        step = asking.rule.capacity
        if step is not None:
            self._limit(columns, step)
        able = frozenset(
            region
            for region, fact in enumerate(facts)
            if level(fact, asking.rule.weights[region] * max(fact.health, 0.0)) <= UNKNOWN
        )
        for number in np.flatnonzero(asking.demand > 0).tolist():
            ranked, amount = asking.rankings[number], float(asking.demand[number])
            selection = select(ranked)
            total = sum(candidate.weight for candidate in selection.candidates)
            homes: dict[int, float] = {}
            for candidate in selection.candidates:
                home = candidate.regions[0]
                homes[home] = homes.get(home, 0.0) + candidate.weight / total
            for home, share in homes.items():
                self.loads[columns[home]] += amount * share
            if step is None or not able.issuperset(homes):
                for home, share in homes.items():
                    self.fixed[columns[home]] += amount * share
                continue
            self._move(asking, number, able, homes, amount)

    def _limit(self, columns: NDArray[np.int64], step: Capacity) -> None:
        """The strictest limit of the services that use a region."""
        part = step.failure_limit if self.world.away else step.steady_limit
        for column in columns:
            name = self.names[column]
            capacity = self.policy.regions[name].capacity
            if capacity is not None:
                room = part * capacity * self.world.region(name).health
                self.limit[column] = min(self.limit[column], room)

    def _move(
        self, asking: Asking, number: int, able: frozenset[int], homes: Mapping[int, float], amount: float
    ) -> None:
        """Clients that may be sent elsewhere, at a price."""
        tiers = asking.rankings[number].tiers
        price = _prices(tiers, asking.rtt_ms[number], able)
        ours = [region for region in range(len(asking.universe)) if np.isfinite(price[region])]
        for home, share in homes.items():
            part = _Part(asking.crew, tiers, home)
            if part not in self.parts:
                cost = np.full(len(self.names), np.inf)
                for region in ours:
                    dearer = max(price[region] - price[home], 0.0) + STAY_MS
                    cost[self.column[asking.universe[region]]] = 0.0 if region == home else dearer
                self.parts[part], self.cost[part] = 0.0, cost
            self.parts[part] += amount * share
        whole = self.whole.setdefault((asking.crew, tiers), {})
        for home, share in homes.items():
            whole[home] = whole.get(home, 0.0) + amount * share

    def spread(self) -> Spread:
        """The cheapest way to keep every limit."""
        loads = dict(zip(self.names, self.loads.tolist(), strict=True))
        if not (self.loads > self.limit * (1 + 1e-9)).any() or not self.parts:
            over = self.loads > self.limit * (1 + 1e-9)
            return Spread({}, _known(loads), self._overload(self.loads, over))
        parts = list(self.parts)
        supply = np.array([self.parts[part] for part in parts])
        cost = np.array([self.cost[part] for part in parts])
        crowded = np.maximum(self.limit - self.fixed, _CROWDED * self.limit)
        room = np.where(np.isfinite(self.limit), crowded, 10.0 * supply.sum() + 1.0)
        solution = Transport(cost, supply).solve(room)
        loads_after = self.fixed + solution.flow.sum(axis=0)
        return Spread(
            self._shares(parts, solution.flow),
            _known(dict(zip(self.names, loads_after.tolist(), strict=True))),
            self._overload(loads_after, loads_after > self.limit * (1 + 1e-6)),
        )

    def _overload(self, loads: Array, over: NDArray[np.bool_]) -> dict[RegionName, float]:
        return {self.names[index]: float(loads[index] / self.limit[index]) for index in np.flatnonzero(over)}

    def _shares(self, parts: Sequence[_Part], flow: Array) -> dict[Crew, Shares]:
        """Per ranking the part of its clients for each region, where that is not what selection says."""
        flows: dict[tuple[Crew, Tiers], Array] = {}
        for part, row in zip(parts, flow, strict=True):
            columns = [self.column[name] for name in part.crew[0]]
            key = (part.crew, part.tiers)
            flows[key] = flows.get(key, 0.0) + row[columns]
        shares: dict[Crew, dict[Tiers, tuple[float, ...]]] = {}
        for (crew, tiers), amounts in flows.items():
            total = float(amounts.sum())
            made = np.where(amounts / total > _LEAST, amounts / total, 0.0)
            natural = np.zeros(len(amounts))
            for home, amount in self.whole[crew, tiers].items():
                natural[home] = amount / total
            if np.abs(made - natural).max() > _LEAST:
                shares.setdefault(crew, {})[tiers] = tuple((made / made.sum()).tolist())
        return dict(shares)


def _known(loads: Mapping[RegionName, float]) -> dict[RegionName, float]:
    return {name: load for name, load in loads.items() if load > 0}


def _prices(tiers: Tiers, rtt_ms: Array, able: frozenset[int]) -> Array:
    """What a region costs these clients in milliseconds: never less than one of an earlier tier.

    Infinite for regions outside the ranking and for those that cannot answer.
    """
    price = np.full(len(rtt_ms), np.inf)
    floor = 0.0
    for number, tier in enumerate(tiers):
        guesses = [rtt_ms[region] if np.isfinite(rtt_ms[region]) else number * _TIER_MS for region in tier]
        dearest = floor
        for region, guess in zip(tier, guesses, strict=True):
            cost = max(float(guess), floor)
            dearest = max(dearest, cost)
            if region in able:
                price[region] = cost
        floor = dearest + STAY_MS
    return price


def _toward(kept: Spread, wanted: Spread, policy: Policy, askings: Sequence[Asking], world: World) -> Spread:
    """From the shares in force to the wanted ones, as far as `max_step` lets them go at once."""
    moved, total, step = 0.0, 0.0, 1.0
    rows: list[tuple[Crew, Tiers, Array, Array, float]] = []
    for asking in askings:
        if asking.rule.capacity is None:
            continue
        step = min(step, asking.rule.capacity.max_step)
        facts = [world.region(name) for name in asking.universe]
        select = Selector(asking.rule, facts)
        old, new = kept.shares.get(asking.crew, {}), wanted.shares.get(asking.crew, {})
        for ranked, amount in zip(asking.rankings, asking.demand.tolist(), strict=True):
            total += amount
            if ranked.tiers in old or ranked.tiers in new:
                natural = _natural(select, ranked, len(asking.universe))
                before = _usable(old.get(ranked.tiers), natural, facts)
                after = np.array(new.get(ranked.tiers, natural))
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
    return Spread(dict(shares), _known(loads), over)


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
    selection = select(ranked)
    total = sum(candidate.weight for candidate in selection.candidates)
    for candidate in selection.candidates:
        shares[candidate.regions[0]] += candidate.weight / total
    return shares


def _usable(shares: tuple[float, ...] | None, natural: Array, facts: Sequence[RegionFacts]) -> Array:
    """Old shares without regions that have gone since; selection's own where nothing is left."""
    if shares is None:
        return natural
    there = np.array([fact.effective in {Effective.UP, Effective.UNKNOWN} for fact in facts])
    left = np.where(there, np.array(shares), 0.0)
    return left / left.sum() if left.sum() > 0 else natural
