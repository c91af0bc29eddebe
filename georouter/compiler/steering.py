"""Services -> tables of rankings and groups: who shares what.

    chain's ranking steps + universe --> `Table`: range map, rankings, fences
    table + ttl + selection rule     --> `Steering`: one `Group` of the snapshot

Services whose steps and regions are equal share a table even if weights, TTL or the worst case
differ; they share a group (and so all of its answers) if those are equal, too.
"""

from array import array
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import SLOTS
from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_BOUND, SLOT_OTHER, Fences, Pinned, RangeMap
from georouter.compiler.fences import fence
from georouter.compiler.prefixes import Prefixes, prefixes
from georouter.compiler.ranges import client_map, one_for_all, shares
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.policy.model import AllDown, Policy, Region, Service, Ttls
from georouter.policy.steps import Capacity, Failover, Latency, Limit, Residency, Step, Sticky, Weighted
from georouter.policy.tenants import Tenancy, Tenant, TenantDirectory
from georouter.routing.rank import Ranked, distinct, rank, rank_tenant
from georouter.routing.scene import make_scene, own_regions, universe
from georouter.routing.select import Rule, having, rule_of
from georouter.routing.steps.pin import kinds, pin_of
from georouter.routing.steps.residency import without_ecs_allowed
from georouter.words.ids import RegionName, ServiceName

SLOT_FAMILIES: Mapping[int, frozenset[int]] = {
    SLOT_A: frozenset({0, 4}),
    SLOT_AAAA: frozenset({0, 6}),
    SLOT_OTHER: frozenset({0}),
}
"""The endpoint families (0: a hostname) that have something to say in a slot."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All rankings of one chain over one universe.

    `rankings[:mapped]` are those of places; tenants and fences make the rest. `share[r]` is the part of the
    IPv4 address space that mapped ranking `r` has. `follows_latency`: the table moves with the world.
    `slots[r]` is a ranking's slot of the census.
    """

    map: RangeMap
    rankings: tuple[Ranked, ...]
    mapped: int
    share: NDArray[np.float64]
    prefixes: Prefixes
    fences: Fences | None
    follows_latency: bool
    slots: "array[int]"
    pinned: Pinned | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Steering:
    """One group. `usable[slot]` are the regions with records for the slot, None when all have. `SLOT_BOUND`
    is among the `slots` when any of the services has HTTPS or SVCB records.

    `regions` are those of the universe, in its order; the first `own` are the service's own, the
    others fallback only. `sole` names the service that has the group to
    itself because its own history matters (`when_all_down: last_known`).
    """

    table: int
    ttl_s: int
    ttls: Ttls | None
    rule: Rule
    regions: tuple[Region, ...]
    own: int
    usable: tuple[frozenset[int] | None, ...]
    slots: frozenset[int]
    sole: ServiceName | None
    stands: ServiceName | None
    """The same for one whose `failover` step keeps a state."""


@dataclass(frozen=True, slots=True, eq=False)
class Steered:
    """All steering of a policy: tables, groups, and the group of each service."""

    tables: tuple[Table, ...]
    steerings: tuple[Steering, ...]
    group_of: Mapping[ServiceName, int]


def steer(policy: Policy, geo: GeoMap, world: World) -> Steered:
    """Rank every distinct chain for every place of the map, and group the services."""
    tables: dict[Hashable, int] = {}
    makers: list[Service] = []
    groups: dict[Hashable, int] = {}
    steerings: list[Steering] = []
    group_of: dict[ServiceName, int] = {}
    universes = _Universes(policy)
    for service in policy.services.values():
        chain = table_key(service)
        if chain not in tables:
            tables[chain] = len(makers)
            makers.append(service)
        made = universes.steering(service, tables[chain])
        key = (made.table, made.ttl_s, made.ttls, made.rule, made.sole, made.stands)
        if key not in groups:
            groups[key] = len(steerings)
            steerings.append(made)
        number = group_of[service.name] = groups[key]
        if service.https or service.svcb:
            shared = steerings[number]
            steerings[number] = replace(shared, slots=shared.slots | {SLOT_BOUND})
    return Steered(
        _share_maps([make_table(policy, service, geo, world) for service in makers]),
        tuple(steerings),
        group_of,
    )


def rerank(steered: Steered, policy: Policy, geo: GeoMap, world: World) -> Steered:
    """The same groups over new tables where latencies matter; all other tables are the same objects."""
    makers: dict[int, Service] = {}
    for service in policy.services.values():
        makers.setdefault(steered.steerings[steered.group_of[service.name]].table, service)
    tables = [
        make_table(policy, makers[index], geo, world) if table.follows_latency else table
        for index, table in enumerate(steered.tables)
    ]
    return Steered(_share_maps(tables), steered.steerings, steered.group_of)


def make_table(policy: Policy, service: Service, geo: GeoMap, world: World) -> Table:
    """Rank all places for the chain of `service`."""
    rankings, ids = distinct(rank(policy, service, make_scene(policy, service, geo.places, world)))
    has_fences = any(isinstance(step, Residency) for step in service.chain)
    ranges = client_map(geo, ids) if has_fences or not is_for_all(rankings) else one_for_all()
    tenants, of_kind = _tenants(policy, service, geo, world)
    fenced = None
    if has_fences:
        allowed = without_ecs_allowed(service, universe(service))
        fenced = fence(service.name, rankings, ids, geo, allowed, tenants)
    names = universe(service)
    every = rankings + tenants + (fenced.derived if fenced else ())
    return Table(
        map=ranges,
        rankings=every,
        mapped=len(rankings),
        share=shares(ranges.v4, len(rankings)),
        prefixes=prefixes(every),
        fences=fenced.fences if fenced else None,
        follows_latency=any(isinstance(step, Latency) for step in service.chain),
        slots=array("H", [census_slot(ranked, names) for ranked in every]),
        pinned=Pinned(
            rankings=array("I", (len(rankings) + number for number in of_kind)),
            fences=client_map(geo, fenced.of) if fenced else None,
        )
        if of_kind
        else None,
    )


def is_for_all(rankings: Sequence[Ranked]) -> bool:
    """Whether every client gets the same region, so that caches need not tell clients apart."""
    return len(rankings) == 1 and all(len(tier) == 1 for tier in rankings[0].tiers)


def census_slot(ranked: Ranked, regions: Sequence[RegionName]) -> int:
    """The slot in which clients of a ranking are counted: the same in every process."""
    text = ">".join("=".join(regions[region] for region in tier) for tier in ranked.tiers)
    return crc32(text.encode()) % SLOTS


def _tenants(
    policy: Policy, service: Service, geo: GeoMap, world: World
) -> tuple[tuple[Ranked, ...], tuple[int, ...]]:
    """The distinct rankings of the service's tenants, and which one each kind of tenant has."""
    step = pin_of(service)
    if step is None:
        return (), ()
    scene = make_scene(policy, service, geo.places.row(0), world)
    known: dict[Hashable, int] = {}
    numbers: dict[Ranked, int] = {}
    of_kind: list[int] = []
    for kind in kinds(service, step):
        alike = (kind.home, kind.residency)
        if alike not in known:
            plain = Tenant("", Tenancy(*alike))
            ranked = rank_tenant(policy, service, replace(scene, tenant=plain))
            known[alike] = numbers.setdefault(ranked, len(numbers))
        of_kind.append(known[alike])
    return tuple(numbers), tuple(of_kind)


def table_key(service: Service) -> Hashable:
    """Equal for services that rank every place alike."""
    ranking_steps: tuple[Step, ...] = tuple(
        Failover(step.order) if isinstance(step, Failover) else step  # all else is selection's
        for step in service.chain
        if not isinstance(step, Weighted | Sticky | Capacity | Limit)
    )
    return (freeze(ranking_steps), service.regions, universe(service))


def freeze(value: object) -> Hashable:
    """A hashable stand-in that is equal for equal values: mappings and dataclasses become tuples."""
    if isinstance(value, TenantDirectory):
        return value
    if isinstance(value, Mapping):
        return frozenset((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, tuple | list):
        return tuple(freeze(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *(freeze(getattr(value, item.name)) for item in fields(value)))
    if not isinstance(value, Hashable):
        raise TypeError(f"{type(value).__name__} cannot be compared")
    return value


@dataclass(slots=True)
class _Universes:
    """What regions have to say, worked out once per universe."""

    policy: Policy
    known: dict[tuple[RegionName, ...], tuple[tuple[frozenset[int] | None, ...], frozenset[int]]] = field(
        default_factory=dict
    )

    def steering(self, service: Service, table: int) -> Steering:
        """The group that `service` would have alone."""
        names = universe(service)
        if names not in self.known:
            found = {slot: having(self.policy, names, families) for slot, families in SLOT_FAMILIES.items()}
            # SLOT_OTHER: the region is chosen as for the service as a whole
            usable = tuple(
                None if slot == SLOT_OTHER or len(regions) == len(names) else regions
                for slot, regions in found.items()
            )
            self.known[names] = (usable, frozenset(slot for slot, regions in found.items() if regions))
        usable, slots = self.known[names]
        rule = rule_of(service)
        return Steering(
            table=table,
            ttl_s=service.ttl_s,
            ttls=service.ttls,
            rule=rule,
            regions=tuple(self.policy.regions[name] for name in names),
            own=own_regions(service),
            usable=usable,
            slots=slots,
            sole=service.name if rule.when_all_down is AllDown.LAST_KNOWN else None,
            stands=None if service.failover is None else service.name,
        )


def _share_maps(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Tables whose range maps came out equal keep one copy of them."""
    known: dict[Hashable, RangeMap] = {}
    shared = []
    for table in tables:
        ranges = table.map
        key = tuple(
            (hash(part.starts.tobytes()), hash(part.values.tobytes()), len(part.starts))
            for part in (ranges.v4, ranges.v6)
        )
        same = known.setdefault(key, ranges)
        if same is not ranges and same == ranges:
            table = replace(table, map=same)  # noqa: PLW2901 - the same table with the shared map
        shared.append(table)
    return tuple(shared)
