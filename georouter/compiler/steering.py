"""Services -> tables of rankings and groups: who shares what.

    chain's ranking steps + universe --> `Table`: range map, rankings, fences
    table + ttl + selection rule     --> `Steering`: one `Group` of the snapshot

Services whose steps and regions are equal share a table even if weights, TTL or the worst case
differ; they share a group (and so all of its answers) if those are equal, too.
"""

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from hashlib import blake2b
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import SLOTS
from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_BOUND, SLOT_OTHER, Fences, Pinned, RangeMap
from georouter.compiler.fences import fence
from georouter.compiler.prefixes import Prefixes, prefixes
from georouter.compiler.ranges import Ground, one_for_all
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.policy.model import AllDown, Policy, Region, Service, Ttls
from georouter.policy.steps import Capacity, Failover, Latency, Limit, Pin, Residency, Step, Sticky, Weighted
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
    division: bytes = b""
    """A digest of which places have one ranking in common: tables of one division have equal range maps."""
    basis: Hashable = None
    """Of what it was made (`table_basis`), if that is known."""


@dataclass(frozen=True, slots=True)
class Made:
    """Tables that were made before. `ground` stands for the map: equal for equal maps, in any process."""

    ground: Hashable
    tables: Sequence[Table] = ()


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


def steer(policy: Policy, geo: GeoMap, world: World, made: Made | None = None) -> Steered:
    """Rank every distinct chain for every place of the map, and group the services.

    A table of `made` is taken, as the object that it is, where a new one would be equal.
    """
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
        own = universes.steering(service, tables[chain])
        key = (own.table, own.ttl_s, own.ttls, own.rule, own.sole, own.stands)
        if key not in groups:
            groups[key] = len(steerings)
            steerings.append(own)
        number = group_of[service.name] = groups[key]
        if service.https or service.svcb:
            shared = steerings[number]
            steerings[number] = replace(shared, slots=shared.slots | {SLOT_BOUND})
    return Steered(_Tables(policy, geo, world).all(makers, made), tuple(steerings), group_of)


def rerank(steered: Steered, policy: Policy, geo: GeoMap, world: World, ground: Hashable = None) -> Steered:
    """The same groups over new tables where latencies matter and have changed; all others stay as they are.

    `ground` is as in `Made`.
    """
    makers: dict[int, Service] = {}
    for service in policy.services.values():
        makers.setdefault(steered.steerings[steered.group_of[service.name]].table, service)
    makes = _Tables(policy, geo, world)
    bases = [table_basis(makers[index], policy, world, ground) for index in range(len(steered.tables))]
    stays = [
        not table.follows_latency or (basis is not None and basis == table.basis)
        for table, basis in zip(steered.tables, bases, strict=True)
    ]
    makes.know(table for table, same in zip(steered.tables, stays, strict=True) if same)
    tables = tuple(
        table if stays[index] else makes.table(makers[index], bases[index])
        for index, table in enumerate(steered.tables)
    )
    return Steered(tables, steered.steerings, steered.group_of)


class _Tables:
    """Makes the tables of one policy: what the map is to all of them is worked out once, when needed."""

    def __init__(self, policy: Policy, geo: GeoMap, world: World) -> None:
        self._policy, self._geo, self._world = policy, geo, world
        self._ground: Ground | None = None
        self._maps: dict[bytes, RangeMap] = {}

    def all(self, makers: Sequence[Service], made: Made | None) -> tuple[Table, ...]:
        """The tables for the chains of these services."""
        if made is None:
            return tuple(self.table(service) for service in makers)
        known = {table.basis: table for table in made.tables if table.basis is not None}
        bases = [table_basis(service, self._policy, self._world, made.ground) for service in makers]
        self.know(known[basis] for basis in bases if basis in known)
        return tuple(
            known[basis] if basis in known else self.table(service, basis)
            for service, basis in zip(makers, bases, strict=True)
        )

    def know(self, tables: Iterable[Table]) -> None:
        """New tables share the maps of these."""
        self._maps.update((table.division, table.map) for table in tables)

    def table(self, service: Service, basis: Hashable = None) -> Table:
        """A new one."""
        if self._ground is None:
            self._ground = Ground(self._geo)
        table = make_table(self._policy, service, self._geo, self._world, self._ground, self._maps)
        self._maps.setdefault(table.division, table.map)
        return replace(table, basis=basis)


def make_table(  # noqa: PLR0917 - a chain on a map, and what is known of it
    policy: Policy,
    service: Service,
    geo: GeoMap,
    world: World,
    ground: Ground | None = None,
    maps: Mapping[bytes, RangeMap] | None = None,
) -> Table:
    """Rank all places for the chain of `service`.

    `ground` is that of `geo`, and `maps` are range maps on it by their division, for whoever has them.
    """
    ground = ground or Ground(geo)
    rankings, ids = distinct(rank(policy, service, make_scene(policy, service, geo.places, world)))
    has_fences = any(isinstance(step, Residency) for step in service.chain)
    alone = not has_fences and is_for_all(rankings)
    division = b"" if alone else blake2b(ids.data, digest_size=16).digest()
    ranges = (maps or {}).get(division)
    if ranges is None:
        ranges = one_for_all() if alone else ground.client_map(ids)
    tenants, of_kind = _tenants(policy, service, geo, world)
    fenced = None
    if has_fences:
        allowed = without_ecs_allowed(service, universe(service))
        fenced = fence(service.name, rankings, ids, ground, allowed, tenants)
    every = rankings + tenants + (fenced.derived if fenced else ())
    return Table(
        map=ranges,
        rankings=every,
        mapped=len(rankings),
        share=ground.shares(ids, len(rankings)),
        prefixes=prefixes(every),
        fences=fenced.fences if fenced else None,
        follows_latency=any(isinstance(step, Latency) for step in service.chain),
        slots=array("H", census_slots(every, universe(service))),
        pinned=Pinned(
            rankings=array("I", (len(rankings) + number for number in of_kind)),
            fences=ground.client_map(fenced.of) if fenced else None,
        )
        if of_kind
        else None,
        division=division,
    )


def is_for_all(rankings: Sequence[Ranked]) -> bool:
    """Whether every client gets the same region, so that caches need not tell clients apart."""
    return len(rankings) == 1 and all(len(tier) == 1 for tier in rankings[0].tiers)


def census_slots(rankings: Iterable[Ranked], regions: Sequence[RegionName]) -> list[int]:
    """The slots in which clients of rankings are counted: the same in every process."""
    names: dict[tuple[int, ...], str] = {}
    slots = []
    for ranked in rankings:
        for tier in ranked.tiers:
            if tier not in names:
                names[tier] = "=".join(regions[region] for region in tier)
        slots.append(crc32(">".join([names[tier] for tier in ranked.tiers]).encode()) % SLOTS)
    return slots


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
    return (freeze(_ranking_steps(service)), service.regions, universe(service))


def _ranking_steps(service: Service) -> tuple[Step, ...]:
    return tuple(
        Failover(step.order) if isinstance(step, Failover) else step  # all else is selection's
        for step in service.chain
        if not isinstance(step, Weighted | Sticky | Capacity | Limit)
    )


def table_basis(service: Service, policy: Policy, world: World, ground: Hashable) -> Hashable:
    """All that the table of `service` is made of: equal ones make equal tables, whatever else a policy says.

    None without a `ground` (see `Made`): then nobody knows what the map was.
    """
    if ground is None:
        return None
    pin = pin_of(service)
    names = universe(service) if pin is None else (*universe(service), *policy.regions)
    steps = _ranking_steps(service)
    latency = any(isinstance(step, Latency) for step in steps)
    return (
        ground,
        freeze([step for step in steps if not isinstance(step, Pin)]),
        None if pin is None else kinds(service, pin),  # of a directory, that is all that matters here
        own_regions(service),
        names,
        tuple(policy.regions[name].location for name in names),
        (policy.server.location, tuple(world.rtt_ms.get(name) for name in names)) if latency else None,
    )


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
