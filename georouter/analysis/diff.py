"""What a change of policy does to traffic, not to text: who moves from where to where, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from georouter.analysis.measured import Queries, asking
from georouter.analysis.moving import Moving, compare, follow
from georouter.analysis.shift import Shift
from georouter.analysis.traffic import Clients, Served, Side
from georouter.policy.model import Policy
from georouter.policy.names import Names
from georouter.wire.names import name_text
from georouter.words.ids import RegionName, ServiceName

_Pair: TypeAlias = tuple[ServiceName, ServiceName]

LEAST = 1e-9
"""Less than this is rounding, not movement."""


@dataclass(frozen=True, slots=True)
class Change:
    """Names answered by one service before and by one (perhaps the same) after."""

    names: tuple[str, ...]
    before: ServiceName
    after: ServiceName
    ttl_before_s: int
    ttl_after_s: int
    shift: Shift
    moving: Moving | None = None
    """What happens to tenants whose names these are; None where there are none."""
    queries: int = 0
    measured: Shift | None = None
    """How many of the log's queries are for these names, and what happens to them; None where none is."""

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
        return self.ttl_before_s != self.ttl_after_s or any(
            shift.moved > LEAST or shift.newly_refused > LEAST for shift in shifts
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What happens to the queries of a log; `lost` of them are for names that are no longer steered."""

    queries: int
    lost: int
    moved: float
    """The part of all queries; a lost one has moved."""


@dataclass(frozen=True, slots=True)
class Diff:
    """`lost` and `won` are names that only one side steers; `readdressed` regions have other endpoints.

    `demand` is the share of the stated demand that moves, None where no service on both sides has one;
    `measured` is None without a log.
    """

    clients: str
    changes: tuple[Change, ...]
    lost: tuple[str, ...]
    won: tuple[str, ...]
    readdressed: tuple[RegionName, ...]
    demand: float | None
    measured: Measured | None = None

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

    `queries` are those of a log, if there is one: what happens to them is told beside.
    """
    old, new = (_steered(side.policy) for side in (before, after))
    pairs: dict[_Pair, list[str]] = {}
    for name, service in old.items():
        if name in new:
            pairs.setdefault((service, new[name]), []).append(name)
    followed = _follow(before, after, queries or {})
    changes = []
    for (was, now), names in pairs.items():
        first, second = before.policy.services[was], after.policy.services[now]
        both = compare(before, after, first, second, clients)
        count, measured = followed.get((was, now), (0, None))
        changes.append(
            Change(
                tuple(names),
                was,
                now,
                first.ttl_s,
                second.ttl_s,
                both.shift,
                both.moving,
                count,
                measured,
            )
        )
    return Diff(
        clients=clients.of,
        changes=tuple(sorted(changes, key=lambda change: -change.moved)),
        lost=tuple(name for name in old if name not in new),
        won=tuple(name for name in new if name not in old),
        readdressed=tuple(_readdressed(before.policy, after.policy)),
        demand=_demand(changes, before.policy),
        measured=_measured(queries, followed) if queries else None,
    )


def _follow(before: Side, after: Side, queries: Queries) -> Mapping[_Pair, tuple[int, Shift]]:
    """How many queries are for names of one service before and of one after, and what happens to them."""
    pairs: dict[_Pair, dict[tuple[Served, Served | None], Mapping[tuple[int, int], int]]] = {}
    for (was, now), counts in queries.items():
        if now is not None:
            pairs.setdefault((was.service, now.service), {})[was, now] = counts
    return {
        pair: (
            _count(mine),
            follow(
                before, after, after.policy.services[pair[1]], asking(before.geo, after.geo, mine, "the log")
            ),
        )
        for pair, mine in pairs.items()
    }


def _count(queries: Queries) -> int:
    return sum(sum(counts.values()) for counts in queries.values())


def _measured(queries: Queries, followed: Mapping[_Pair, tuple[int, Shift]]) -> Measured:
    total = _count(queries)
    lost = total - sum(count for count, _ in followed.values())
    moved = sum(count * shift.moved for count, shift in followed.values())
    return Measured(total, lost, (lost + moved) / total)


def _steered(policy: Policy) -> Mapping[str, ServiceName]:
    return {name_text(owner): service for owner, service in Names(policy.zones.values()).steered.items()}


def _readdressed(before: Policy, after: Policy) -> Iterator[RegionName]:
    for name, region in after.regions.items():
        old = before.regions.get(name)
        if old is not None and {item.address for item in old.endpoints} != {
            item.address for item in region.endpoints
        }:
            yield name


def _demand(changes: list[Change], before: Policy) -> float | None:
    """Every service's demand counts once, with its largest movement."""
    moved: dict[ServiceName, float] = {}
    for change in changes:
        moved[change.before] = max(moved.get(change.before, 0.0), change.shift.moved)
    demands = {name: before.services[name].demand or 0.0 for name in moved}
    total = sum(demands.values())
    return sum(demands[name] * share for name, share in moved.items()) / total if total else None
