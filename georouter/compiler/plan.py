"""`plan`: everything that does not depend on health, computed once per policy, map and latencies.

    policy -> steering (rank every place) -> tables, groups
    policy -> zones (names, static answers, views) -> directory

`publish` turns a plan and the world of a moment into a `Snapshot`.
"""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from georouter.answers.copies import Content
from georouter.answers.layout import lay_out
from georouter.answers.tables import UNKNOWN_CHAIN, UNKNOWN_HASH, UNKNOWN_NXDOMAIN, Directory
from georouter.compiler import steering
from georouter.compiler.bodies import Targets, targets
from georouter.compiler.copying import copy_zones
from georouter.compiler.defaults import Defaults
from georouter.compiler.flatten import End, flatten
from georouter.compiler.records import Authority
from georouter.compiler.serials import Numbered, Serials
from georouter.compiler.steering import Made, Steered
from georouter.compiler.tree import Tree, grow
from georouter.compiler.views import Flat, Form, Hook, HookedPin, Views, Written
from georouter.compiler.zones import compile_zones
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.policy.model import Binding, Policy, Service
from georouter.policy.steps import Unknown
from georouter.routing.scene import universe
from georouter.routing.steps.pin import homes, pin_of
from georouter.wire.codes import TYPE_HTTPS, TYPE_SVCB
from georouter.wire.names import lower, parse_name
from georouter.words.ids import RegionName, ServiceName, ZoneName

_UNKNOWN: Mapping[Unknown, int] = {
    Unknown.CHAIN: UNKNOWN_CHAIN,
    Unknown.HASH: UNKNOWN_HASH,
    Unknown.NXDOMAIN: UNKNOWN_NXDOMAIN,
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything but health. May be pickled.

    `warnings` are for people: records left out, CNAME loops. `universes` gives the regions a service
    may answer. `ends` tells where the hostnames of endpoints lead that are answered as addresses, and
    `outside` are all names (lower-case wire format) whose addresses a resolver must tell, each with the
    aliases that lead there.
    """

    directory: Directory
    steered: Steered
    written: tuple[Written, ...]
    flats: tuple[Flat, ...]
    forms: tuple[Form, ...]
    authorities: tuple[Authority, ...]
    targets: Targets
    ends: Mapping[bytes, End]
    outside: Mapping[bytes, tuple[bytes, ...]]
    universes: Mapping[ServiceName, tuple[RegionName, ...]]
    warnings: tuple[str, ...]
    serials: Mapping[ZoneName, Numbered] = field(default_factory=dict)
    """What `Serials.known` is for the next plan."""
    contents: Mapping[ZoneName, Content] = field(default_factory=dict)
    """Of zones that somebody may copy."""


def plan(
    policy: Policy, geo: GeoMap, world: World, serials: Serials | None = None, made: Made | None = None
) -> Plan:
    """The plan for this policy on this map. Of `world` only the round-trip times matter.

    What is in `made` and would come out the same is not made again.

    Heavy: seconds with a city map and many chains. Raises PolicyError for what cannot be compiled
    (too many fences, more records under a name than a message holds).
    """
    steered = steering.steer(policy, geo, world, made)
    universes = {service.name: universe(service) for service in policy.services.values()}
    census = tuple(name for name, group in steered.group_of.items() if steered.steerings[group].rule.capacity)
    pins = {name: step for name, service in policy.services.items() if (step := pin_of(service)) is not None}
    layout = lay_out(tuple(policy.zones), tuple(universes.items()), census, tuple(pins))
    directories = tuple(dict.fromkeys(step.directory for step in pins.values()))
    bases = {service.name: service.base for service in layout.services}
    views = Views(
        {
            name: Hook(
                group=group,
                salt=salt(policy.server.seed, name),
                counter_base=bases[name],
                slots=steered.steerings[group].slots,
                subnets=policy.services[name].ecs,
                census=layout.census_base(name),
                bindings=_bindings(policy.services[name]),
                pin=HookedPin(
                    tenants=directories.index(pins[name].directory),
                    directory=pins[name].directory,
                    label=pins[name].label,
                    unknown=_UNKNOWN[pins[name].unknown],
                    homes=homes(policy.services[name], pins[name]),
                    counter=layout.tenants_of(name),
                )
                if name in pins
                else None,
            )
            for name, group in steered.group_of.items()
        },
        everybody=len(steered.steerings),
    )
    zones = tuple(policy.zones.values())
    tree = grow(zones)
    copied = copy_zones(zones, tree, Defaults(policy, steered), serials or Serials())
    compiled = compile_zones(
        zones, tree, copied.serials, views, layout, tuple(item.tenants for item in directories)
    )
    ends = _ends(steered, views, compiled.tree)
    return Plan(
        directory=compiled.directory,
        steered=steered,
        written=tuple(views.written),
        flats=tuple(views.flats),
        forms=tuple(views.forms),
        authorities=compiled.authorities,
        targets=targets(policy, compiled.tree),
        ends=ends,
        outside=_outside(compiled.flattened, steered, ends),
        universes=universes,
        warnings=compiled.warnings,
        serials=copied.known,
        contents=copied.contents,
    )


def _bindings(service: Service) -> dict[int, tuple[Binding, ...]]:
    both = {TYPE_HTTPS: service.https, TYPE_SVCB: service.svcb}
    return {number: records for number, records in both.items() if records}


def _outside(
    flattened: Iterable[tuple[bytes, End]], steered: Steered, ends: Mapping[bytes, End]
) -> dict[bytes, tuple[bytes, ...]]:
    """The names that a resolver must tell, and the aliases that lead there, their own or by a service."""
    found: dict[bytes, dict[bytes, None]] = {}
    for owner, end in flattened:
        leads = [end]
        if end.service is not None:
            leads = [ends[host] for host in _hosts(steered, steered.group_of[end.service])]
        for lead in leads:
            if lead.outside is not None:
                found.setdefault(lead.outside, {})[owner] = None
    return {target: tuple(owners) for target, owners in found.items()}


def _hosts(steered: Steered, group: int) -> list[bytes]:
    """The hostnames among the endpoints of a group."""
    return [
        parse_name(endpoint.address)
        for region in steered.steerings[group].regions
        for endpoint in region.endpoints
        if endpoint.family == 0
    ]


def _ends(steered: Steered, views: Views, tree: Tree) -> dict[bytes, End]:
    """Where the hostnames lead that are answered as addresses. A name that is steered itself is left to the
    resolver: one answer cannot be steered twice.
    """
    groups = dict.fromkeys(item.group for item in views.written if views.forms[item.form].flat)
    hosts = (host for group in groups for host in _hosts(steered, group))
    ends: dict[bytes, End] = {}
    for host in dict.fromkeys(hosts):
        end = flatten(tree, lower(host))
        ends[host] = end if end.service is None else End(outside=lower(host))
    return ends


def rerank(old: Plan, policy: Policy, geo: GeoMap, world: World, ground: Hashable = None) -> Plan:
    """The plan after round-trip times changed: chains with a latency step are ranked anew.

    `policy` and `geo` must be those that `old` was made of; names, groups and all other tables stay.
    `ground` is as in `Made`.
    """
    return replace(old, steered=steering.rerank(old.steered, policy, geo, world, ground))


def alone(whole: Plan, group: int) -> tuple[Plan, dict[int, int]]:
    """The plan with only one group, and the new numbers of its `written`: for whoever reads what is published
    and asks no names, which still mean the whole plan.
    """
    steered = whole.steered
    found = steered.steerings[group]
    kept = [index for index, written in enumerate(whole.written) if written.group == group]
    narrow = replace(
        whole,
        steered=Steered(
            (steered.tables[found.table],),
            (replace(found, table=0),),
            {name: 0 for name, number in steered.group_of.items() if number == group},
        ),
        written=tuple(replace(whole.written[index], group=0) for index in kept),
    )
    return narrow, {index: number for number, index in enumerate(kept)}


def salt(seed: str, service: str) -> int:
    """64 bits that make services choose independently; nodes with one seed choose alike."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{service}".encode()).digest()[:8], "big")
