"""What a change of policy does to traffic, not to text: who moves from where to where, by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.measured import Queries, asking
from georouter.analysis.moving import Moving, compare, follow
from georouter.analysis.shift import Shift
from georouter.analysis.simulate import with_plan
from georouter.analysis.traffic import Clients, Served, Side
from georouter.facts.world import Ramping
from georouter.policy.model import Policy
from georouter.policy.names import Names
from georouter.routing.select import rule_of
from georouter.wire.names import name_text
from georouter.words.ids import RegionName, ServiceName

_Pair: TypeAlias = tuple[ServiceName, ServiceName]

LEAST = 1e-9
"""Less than this is rounding, not movement."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to the clients of names, while ramps are at one of their ends."""

    shift: Shift
    moving: Moving | None = None
    """What happens to tenants whose names these are; None where there are none."""
    measured: Shift | None = None
    """What happens to the log's queries for these names; None where none is."""

    @property
    def moved(self) -> float:
        """The part of the clients, or of the tenants if more of them move."""
        return max(self.shift.moved, self.moving.part if self.moving is not None else 0.0)

    @property
    def matters(self) -> bool:
        """Whether any client or tenant notices."""
        moving = self.moving
        if moving is not None and (moving.moved > LEAST or moving.rehomed or moving.joined or moving.left):
            return True
        shifts = [self.shift] if self.measured is None else [self.shift, self.measured]
        return any(shift.moved > LEAST or shift.newly_refused > LEAST for shift in shifts)


@dataclass(frozen=True, slots=True)
class Change:
    """Names answered by one service before and by one (perhaps the same) after.

    `effect` is with every ramp at its beginning, `end` with every ramp at its target, None where no ramp has
    a part in it. In between shares go straight from one to the other, so that no more clients move than at
    one of the two (where a capacity plan decides, more may).
    """

    names: tuple[str, ...]
    before: ServiceName
    after: ServiceName
    ttl_before_s: int
    ttl_after_s: int
    effect: Effect
    end: Effect | None = None
    queries: int = 0
    """How many of the log's queries are for these names."""

    @property
    def effects(self) -> tuple[Effect, ...]:
        """One, or that of the beginning and that of the end."""
        return (self.effect,) if self.end is None else (self.effect, self.end)

    @property
    def moved(self) -> float:
        """The part of the clients or tenants that moves, at the beginning or at the end."""
        return max(effect.moved for effect in self.effects)

    @property
    def matters(self) -> bool:
        """Whether any client or tenant notices."""
        return self.ttl_before_s != self.ttl_after_s or any(effect.matters for effect in self.effects)


@dataclass(frozen=True, slots=True)
class Measured:
    """What happens to the queries of a log; `lost` of them are for names that are no longer steered."""

    queries: int
    lost: int
    moved: float
    """The part of all queries; a lost one has moved."""
    moved_at_end: float | None = None
    """The same with every ramp at its target; None where no ramp has a part in it."""

    @property
    def most(self) -> float:
        """The larger of the two."""
        return max(self.moved, self.moved_at_end or 0.0)


@dataclass(frozen=True, slots=True)
class Diff:
    """`lost` and `won` are names that only one side steers; `readdressed` regions have other endpoints.

    `demand` is the share of the stated demand that moves, None where no service on both sides has one;
    `measured` is None without a log. `planned`: capacity plans have a part in it. `unplanned` are services
    of the two sides whose `capacity` step did nothing here, for want of a demand.
    """

    clients: str
    changes: tuple[Change, ...]
    lost: tuple[str, ...]
    won: tuple[str, ...]
    readdressed: tuple[RegionName, ...]
    demand: float | None
    measured: Measured | None = None
    planned: bool = False
    unplanned: tuple[tuple[ServiceName, ...], tuple[ServiceName, ...]] = ((), ())

    @property
    def moved(self) -> float:
        """The largest share of clients that move under any name; all of them where a name is lost."""
        return 1.0 if self.lost else max((change.moved for change in self.changes), default=0.0)

    @property
    def matters(self) -> bool:
        """Whether any client of any name notices."""
        return bool(self.lost or self.won or self.readdressed) or any(item.matters for item in self.changes)


def diff(before: Side, after: Side, clients: Clients, queries: Queries | None = None) -> Diff:
    """Compare what both policies decide for the same clients in the worlds of the two sides.

    Each side follows its own capacity plan, made for `clients`. Ramps are compared where they begin (or where
    the worlds have them), and once more at their targets. `queries` are those of a log, if there is one: what
    happens to them is told beside. Raises NoSolverError where a plan is asked for and cannot be made.
    """
    old, new = (_steered(side.policy) for side in (before, after))
    pairs: dict[_Pair, list[str]] = {}
    for name, service in old.items():
        if name in new:
            pairs.setdefault((service, new[name]), []).append(name)
    start = _Stage(_planned(before, clients.before, clients), _planned(after, clients.after, clients))
    planned = start.before is not before or start.after is not after
    ramping = {pair for pair in pairs if _ramped(before, pair[0]) or _ramped(after, pair[1])}
    if planned and any(service.ramp for side in (before, after) for service in side.policy.services.values()):
        ramping = set(pairs)  # a ramp changes loads, and so where the plan puts others
    end = None
    if ramping:
        ended = (_ended(before), _ended(after))
        end = _Stage(_planned(ended[0], clients.before, clients), _planned(ended[1], clients.after, clients))
    effects = start.effects(pairs, clients, queries or {})
    later = end.effects(ramping, clients, queries or {}) if end is not None else {}
    counts = _counts(queries or {})
    changes = [
        Change(
            tuple(names),
            *pair,
            before.policy.services[pair[0]].ttl_s,
            after.policy.services[pair[1]].ttl_s,
            effects[pair],
            later.get(pair),
            counts.get(pair, 0),
        )
        for pair, names in pairs.items()
    ]
    return Diff(
        clients=clients.of,
        changes=tuple(sorted(changes, key=lambda change: -change.moved)),
        lost=tuple(name for name in old if name not in new),
        won=tuple(name for name in new if name not in old),
        readdressed=tuple(_readdressed(before.policy, after.policy)),
        demand=_demand(changes, before.policy),
        measured=_measured(queries, changes) if queries else None,
        planned=planned,
        unplanned=(_unplanned(before.policy), _unplanned(after.policy)),
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """Both sides while ramps are at one of their ends, with the plans for that."""

    before: Side
    after: Side

    def effects(self, pairs: Iterable[_Pair], clients: Clients, queries: Queries) -> Mapping[_Pair, Effect]:
        """What happens to each pair of services."""
        wanted = set(pairs)
        measured = self._follow({way: of for way, of in queries.items() if _pair(way) in wanted})
        made = {}
        for pair in wanted:
            first, second = self.before.policy.services[pair[0]], self.after.policy.services[pair[1]]
            both = compare(self.before, self.after, first, second, clients)
            made[pair] = Effect(both.shift, both.moving, measured.get(pair))
        return made

    def _follow(self, queries: Queries) -> Mapping[_Pair, Shift]:
        """What happens to the queries for names of one service before and of one after."""
        pairs: dict[_Pair, dict[tuple[Served, Served | None], Mapping[tuple[int, int], int]]] = {}
        for way, counts in queries.items():
            if pair := _pair(way):
                pairs.setdefault(pair, {})[way] = counts
        return {
            pair: follow(
                self.before,
                self.after,
                self.after.policy.services[pair[1]],
                asking(self.before.geo, self.after.geo, mine, "the log"),
            )
            for pair, mine in pairs.items()
        }


def _pair(way: tuple[Served, Served | None]) -> _Pair | None:
    """The services of a query; None where it is no longer steered."""
    was, now = way
    return None if now is None else (was.service, now.service)


def _planned(side: Side, places: NDArray[np.int64], clients: Clients) -> Side:
    return with_plan(side, dict.fromkeys(side.policy.services, (places, clients.weight)), 1.0)


def _unplanned(policy: Policy) -> tuple[ServiceName, ...]:
    services = policy.services.values()
    return tuple(item.name for item in services if rule_of(item).capacity and not item.demand)


def _ramped(side: Side, service: ServiceName) -> bool:
    return side.policy.services[service].ramp is not None


def _ended(side: Side) -> Side:
    """The side with every ramp at its target."""
    services = side.policy.services.values()
    ramps = {item.name: Ramping(item.ramp.target) for item in services if item.ramp is not None}
    return side.during(replace(side.world, ramps=ramps))


def _counts(queries: Queries) -> Mapping[_Pair, int]:
    """How many of them are for names of one service before and of one after."""
    found: dict[_Pair, int] = {}
    for way, counts in queries.items():
        if pair := _pair(way):
            found[pair] = found.get(pair, 0) + sum(counts.values())
    return found


def _measured(queries: Queries, changes: Sequence[Change]) -> Measured:
    total = sum(sum(counts.values()) for counts in queries.values())
    lost = total - sum(change.queries for change in changes)
    moved = [
        (lost + sum(change.queries * effect.measured.moved for change, effect in stage if effect.measured))
        / total
        for stage in (
            [(change, change.effect) for change in changes],
            [(change, change.end or change.effect) for change in changes],
        )
    ]
    return Measured(total, lost, moved[0], moved[1] if any(change.end for change in changes) else None)


def _steered(policy: Policy) -> Mapping[str, ServiceName]:
    return {name_text(owner): service for owner, service in Names(policy.zones.values()).steered.items()}


def _readdressed(before: Policy, after: Policy) -> Iterator[RegionName]:
    for name, region in after.regions.items():
        old = before.regions.get(name)
        if old is not None and {item.address for item in old.endpoints} != {
            item.address for item in region.endpoints
        }:
            yield name


def _demand(changes: Sequence[Change], before: Policy) -> float | None:
    """Every service's demand counts once, with its largest movement."""
    moved: dict[ServiceName, float] = {}
    for change in changes:
        most = max(effect.shift.moved for effect in change.effects)
        moved[change.before] = max(moved.get(change.before, 0.0), most)
    demands = {name: before.services[name].demand or 0.0 for name in moved}
    total = sum(demands.values())
    return sum(demands[name] * share for name, share in moved.items()) / total if total else None
