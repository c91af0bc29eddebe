"""Tenants that move: who is answered by another region, and whose home is another one.

    label --both directories--> (how it lived, how it lives) --how many--> flows, once for all who live alike

Every tenant counts the same, and the clients of each are everywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from georouter.analysis.residents import Residents, residents
from georouter.analysis.shift import Shift, shift, shift_of
from georouter.analysis.traffic import GONE, Clients, Flow, Served, Side, flow, flow_of, nowhere
from georouter.answers.choice import settle
from georouter.answers.tenants import NOBODY
from georouter.policy.model import Service
from georouter.policy.steps import Residency, Unknown
from georouter.policy.tenants import Tenancy, Tenant
from georouter.routing.rank import Ranked, rank_tenant, restrict
from georouter.routing.scene import make_scene
from georouter.routing.steps.pin import homes
from georouter.words.ids import RegionName, ServiceName

Counts: TypeAlias = Mapping[tuple[int, int], int]
"""How many labels are of this kind here and of that kind there; `NOBODY`: no tenant's, and no hash's."""


_Way: TypeAlias = tuple[RegionName | None, RegionName | None]


@dataclass(frozen=True, slots=True)
class Move:
    """So many tenants go from one region to another; None: nobody answers them."""

    source: RegionName | None
    target: RegionName | None
    tenants: float


@dataclass(frozen=True, slots=True)
class Moving:
    """`before` and `after` are how many there are, `joined` and `left` of them on one side only.

    `moved` are answered by another region, by way of `ways`; a tenant whose clients are in several fences may
    move in part. `rehomed` have another home in the directory, as `homes` says.
    """

    before: int
    after: int
    joined: int
    left: int
    moved: float
    ways: tuple[Move, ...]
    rehomed: int
    homes: tuple[Move, ...]

    @property
    def part(self) -> float:
        """The part of all tenants that moves."""
        return self.moved / max(self.before + self.joined, 1)


@dataclass(frozen=True, slots=True)
class Both:
    """What happens to a service: `shift` of all its clients, `moving` of its tenants, if it has any."""

    shift: Shift
    moving: Moving | None


def compare(before: Side, after: Side, was: Service, now: Service, clients: Clients) -> Both:
    """The services of two sides, for the same clients.

    Where every name is a tenant's, the clients are those of the tenants: the shift is theirs. Where it is
    known who asks for which names, the shift follows the names, while of tenants each counts the same.
    """
    found = _compare(before, after, was, now, clients)
    return replace(found, shift=follow(before, after, now, clients)) if clients.parts else found


def follow(before: Side, after: Side, now: Service, clients: Clients) -> Shift:
    """Every part of the clients, of which there are some, goes where the names are served that it asks for.

    Names that nobody answers any more were those of `now`.
    """
    flows = (_Serving(before), _Serving(after))
    return shift_of(
        [
            (
                flows[0].flow(part.before),
                flows[1].flow(part.after or Served(now.name, GONE)),
                part.clients,
                part.clients.total / clients.total,
            )
            for part in clients.parts
        ]
    )


class _Serving:
    """Where names go on one side, by how they are served."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._flows: dict[ServiceName, _Flows] = {}

    def flow(self, served: Served) -> Flow:
        """Everybody who asks for such names."""
        service = self._side.policy.services[served.service]
        if served.kind == NOBODY:
            return flow(self._side, service)
        if served.kind == GONE:
            return nowhere(flow(self._side, service))
        if served.service not in self._flows:
            self._flows[served.service] = _Flows(self._side, service, residents(self._side.policy, service))
        found = self._flows[served.service]
        return found.flow(found.ranked(served.kind))


def _compare(before: Side, after: Side, was: Service, now: Service, clients: Clients) -> Both:
    old, new = residents(before.policy, was), residents(after.policy, now)
    counts = _counts(old, new)
    if not counts:
        return Both(shift(flow(before, was), flow(after, now), clients), None)
    flows = (_Flows(before, was, old), _Flows(after, now, new))
    parts: Counter[tuple[Ranked | None, Ranked | None]] = Counter()
    for (first, second), count in counts.items():
        if first != NOBODY or flows[0].strangers:  # else nobody could ask for these names before
            parts[flows[0].ranked(first), flows[1].ranked(second)] += count
    total = sum(parts.values())
    ways: dict[_Way, float] = {}
    moved, pairs = 0.0, []
    for (one, other), count in parts.items():
        pair = (flows[0].flow(one), flows[1].flow(other))
        pairs.append((*pair, clients, count / total))
        found = shift(*pair, clients)
        moved += found.moved * count
        for way in found.ways:
            key = (way.source, way.target)
            ways[key] = ways.get(key, 0.0) + way.share * count
    moving = _moving(old, new, counts, moved, ways)
    if pairs and old is not None and new is not None and old.everywhere and new.everywhere:
        return Both(shift_of(pairs), moving)
    return Both(shift(flow(before, was), flow(after, now), clients), moving)


class _Flows:
    """Where tenants of one side go. `strangers`: who is no tenant is decided by place."""

    def __init__(self, side: Side, service: Service, tenants: Residents | None) -> None:
        self._side = side
        self._service = service
        self._tenants = tenants
        self.strangers = tenants is None or tenants.strangers
        self._scene = make_scene(side.policy, service, side.geo.places.row(0), side.world)
        self._ranked: dict[tuple[object, ...], Ranked] = {}
        rankings, of = side.rankings(service)
        self._masks: list[frozenset[int]] = []
        self._of = np.zeros_like(of)
        if any(isinstance(step, Residency) for step in service.chain):
            self._masks = list(dict.fromkeys(ranked.allowed for ranked in rankings))
            self._of = np.array([self._masks.index(ranked.allowed) for ranked in rankings], dtype=np.int32)[
                of
            ]

    def ranked(self, kind: int) -> Ranked | None:
        """The ranking of a kind, before the fences of clients; None for nobody's."""
        if self._tenants is None or kind == NOBODY:
            return None
        tenancy = self._tenants.kinds[kind]
        alike = (tenancy.home, tenancy.residency)
        if alike not in self._ranked:
            scene = replace(self._scene, tenant=Tenant("", Tenancy(*alike)))
            self._ranked[alike] = rank_tenant(self._side.policy, self._service, scene)
        return self._ranked[alike]

    def flow(self, ranked: Ranked | None) -> Flow:
        """Everybody who asks for names of such a tenant."""
        if ranked is not None:
            cut = tuple(restrict(ranked, mask) for mask in self._masks) or (ranked,)
            return flow_of(self._side, self._service, cut, self._of)
        found = flow(self._side, self._service)
        return found if self.strangers else nowhere(found)


def _counts(old: Residents | None, new: Residents | None) -> Counts:
    """The labels of both directories."""
    if old is not None and new is not None and old.step == new.step and old.kinds == new.kinds:
        return {(kind, kind): count for kind, count in enumerate(old.step.directory.counts) if count}
    counts: Counter[tuple[int, int]] = Counter()
    if old is not None:
        to = _kinds(new)
        for kind, label in _labels(old):
            counts[kind, to(label)] += 1
    if new is not None:
        since = _kinds(old)
        known = old.step.directory if old is not None else None
        for kind, label in _labels(new):
            if known is None or known.kind_of(label) == NOBODY:
                counts[since(label), kind] += 1
    return counts


def _labels(tenants: Residents) -> Iterator[tuple[int, bytes]]:
    held = tenants.step.directory.tenants
    for at, kind in enumerate(held.kind):
        yield kind, held.labels[held.start[at] : held.start[at + 1]]


def _kinds(tenants: Residents | None) -> Callable[[bytes], int]:
    """What gives the kind of a label, by a hash too."""
    if tenants is None:
        return lambda _: NOBODY
    find = tenants.step.directory.kind_of
    if tenants.step.unknown is not Unknown.HASH:
        return find
    put = homes(tenants.service, tenants.step)

    def settled(label: bytes) -> int:
        kind = find(label)
        return settle(put, label) if kind == NOBODY else kind

    return settled


def _moving(
    old: Residents | None, new: Residents | None, counts: Counts, moved: float, ways: Mapping[_Way, float]
) -> Moving:
    moves: dict[_Way, float] = {}
    joined = left = 0
    for (first, second), count in counts.items():
        was, now = _tenancy(old, first), _tenancy(new, second)
        if was is None:
            joined += count
        elif now is None:
            left += count
        elif was.home != now.home:
            moves[was.home, now.home] = moves.get((was.home, now.home), 0.0) + count
    return Moving(
        before=len(old.step.directory) if old is not None else 0,
        after=len(new.step.directory) if new is not None else 0,
        joined=joined,
        left=left,
        moved=moved,
        ways=_sorted(ways),
        rehomed=round(sum(moves.values())),
        homes=_sorted(moves),
    )


def _tenancy(tenants: Residents | None, kind: int) -> Tenancy | None:
    """How the directory says that somebody lives; None for who is not in it."""
    if tenants is None or not 0 <= kind < len(tenants.step.directory.kinds):
        return None
    return tenants.kinds[kind]


def _sorted(ways: Mapping[_Way, float]) -> tuple[Move, ...]:
    return tuple(Move(*way, count) for way, count in sorted(ways.items(), key=lambda item: -item[1]))
