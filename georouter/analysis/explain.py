"""`explain`: how a name is answered for a client, and why.

    name --compiled names--> service --the client's place, `decide`--> every step with its reasons
    the same snapshot --the packet path's own `Responder`--> answer bytes --read--> records and scope

The decision is traced by the functions that the compiler calls, the answer is what the packet path
says. Both are shown, so a difference between them could not hide; tests compare them.
"""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

import numpy as np

from georouter.analysis.ask import Decided, ask
from georouter.analysis.asker import By, Judged, asker_of, judge
from georouter.analysis.draws import draw_of
from georouter.analysis.explanation import (
    Aliased,
    Explanation,
    Locality,
    Question,
    RegionView,
    Share,
    SignalView,
    Steering,
)
from georouter.analysis.find import Found, Kind, find
from georouter.analysis.kept import Kept, kept_by
from georouter.analysis.planning import planned_for
from georouter.analysis.turns import turn_of
from georouter.answers.client import NO_SUBNET
from georouter.answers.layout import Reason
from georouter.answers.ranges import locate as locate_range
from georouter.answers.ranges import scope
from georouter.answers.steer import Steering as CompiledSteering
from georouter.answers.steer import fenced
from georouter.answers.tables import LOCAL, Snapshot
from georouter.compiler.plan import Plan, plan
from georouter.compiler.publish import publish
from georouter.compiler.steering import make_table
from georouter.facts.aliases import FAMILIES, AliasState
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.geo.codes import COUNTRIES
from georouter.geo.locate import locate
from georouter.geo.map import Address, GeoMap, Network, Places
from georouter.policy.model import Policy, Service
from georouter.policy.names import Names
from georouter.policy.tenants import Tenant
from georouter.routing.decide import Decision, Family, decide
from georouter.routing.select import Selection, rule_of
from georouter.routing.steps.pin import kind_of, pin_of, tenant_of
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_SVCB, type_number, type_text
from georouter.wire.names import name_text, parse_name
from georouter.words.ids import RegionName

_META_TYPES = frozenset((0, 41, *range(249, 253)))
"""OPT, TKEY, TSIG and transfers are no record types that a name could have (RFC 6895 3.1)."""

_LOST = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)


def explain(
    policy: Policy,
    geo: GeoMap,
    world: World,
    name: str,
    client: Network | Address | str | None,
    *,
    resolver: Address | str | None = None,
    qtype: str = "A",
    now: float,
    compiled: Plan | None = None,
    snapshot: Snapshot | None = None,
) -> Explanation:
    """Explain the answer to `name` and `qtype` for a client (an address, or a block as resolvers send it).

    `resolver` is the address that the query comes from; without one it stands where the client does.
    Without a client the query has no client subnet. `geo` is the overlaid map. `compiled` is the plan of
    exactly this policy, map and latencies where there is one; without it only what this question needs is
    compiled. `snapshot` is what is published of it in exactly this world, for who has many questions. Raises
    ValueError for a name, a type, a client or a resolver that makes no sense.
    """
    wire = parse_name(name)
    number = type_number(qtype)
    if number in _META_TYPES:
        raise ValueError(f"{type_text(number)} is not a type of records that a name can have")
    asker = asker_of(client, resolver)
    made = compiled or _compile(policy, geo, world, wire, number)
    found = find(made.directory, wire, number)
    snapshot = snapshot or publish(made, world, 0).snapshot
    meaning, decided = ask(
        snapshot, wire, number, asker, now=now, udp_payload=policy.server.udp_payload_limit
    )
    question = Question(name_text(wire), type_text(number), asker.subnet, asker.resolver, asker.assumed, now)
    alias = _aliased(policy, made, world, found)
    if found.view is None or found.service is None:
        return Explanation(question, found, None, None, None, meaning, decided, alias)
    compiled_steering = CompiledSteering(snapshot, found.view)
    judged = judge(asker, compiled_steering)
    row, network = locate(geo, judged.network.network_address)
    place = geo.places.row(row)
    service = policy.services[found.service]
    tenant = tenant_behind(policy, service, wire)
    kind = -1 if tenant is None else kind_of(service, tenant)
    within = _fence_over(made, compiled_steering, found, judged, kind)
    decision = decide(policy, service, place, world, within=within, tenant=tenant)

    def without(region: RegionName) -> Decision:
        rest = replace(world, regions={**world.regions, region: _LOST})
        return decide(policy, service, place, rest, within=within, tenant=tenant)

    turn = turn_of(judged.network, compiled_steering, decision.regions, decision.facts)
    selection = decision.selections[_family(service, number)]
    mine = () if turn is not None and turn.moved else selection.candidates
    return Explanation(
        question=question,
        found=found,
        judged=judged,
        locality=_locality(place, network, geo),
        steering=replace(
            _steering(policy, decision, world, number, decided, now),
            tenant=tenant,
            ramp=turn,
            draw=draw_of(judged.network, compiled_steering, decision.regions, mine, now),
            kept=_kept(policy, compiled_steering, judged, decision, decided, number, without),
            plan=planned_for(policy, service, decision.ranked, world, now),
            frozen_since=world.frozen_since,
        ),
        answer=meaning,
        decided=decided,
        alias=alias,
    )


def _kept(  # noqa: PLR0917 - everything that is known of the decision
    policy: Policy,
    steering: CompiledSteering,
    judged: Judged,
    decision: Decision,
    decided: Decided | None,
    number: int,
    without: Callable[[RegionName], Decision],
) -> Kept | None:
    """What a sticky network keeps; None for one that a ramp has moved."""
    if steering.sticky is None or decided is None or decided.region is None:
        return None
    service = policy.services[decision.service]
    family = _family(service, number)
    later = without(decided.region).selections[family]
    kept = kept_by(
        *(judged.network, steering, rule_of(service), decision.regions),
        decision.selections[family].candidates,
        () if later.reason is Reason.ALL_DOWN else later.candidates,
    )
    return kept if kept is not None and kept.region == decided.region else None


def _aliased(policy: Policy, made: Plan, world: World, found: Found) -> Aliased | None:
    """What the policy says of an alias, and what is known of its target where that is not ours."""
    zone = policy.zones.get(found.zone) if found.zone is not None else None
    said = (
        (item.target for item in zone.aliases if name_text(item.owner) == found.owner) if zone else iter(())
    )
    target = next(said, None)
    if found.kind is not Kind.ALIAS or found.view is None:
        return None if target is None else Aliased(name_text(target))
    outside = made.flats[made.directory.views[found.view].bodies - len(made.written)].target
    known = [world.aliases.get((outside, family)) for family in FAMILIES]
    state = AliasState.STALE if any(held is not None and held.stale for held in known) else AliasState.FRESH
    return Aliased(
        name_text(target or outside),
        name_text(outside),
        (AliasState.UNKNOWN if None in known else state).value,
    )


def _compile(policy: Policy, geo: GeoMap, world: World, name: bytes, number: int) -> Plan:
    """A plan that is right for this question: all names, but only its service ranked on the real map."""
    sketch = plan(policy, _nowhere(geo), world)
    found = find(sketch.directory, name, number)
    if found.service is None:
        return sketch
    steered = sketch.steered
    wanted = steered.steerings[steered.group_of[found.service]].table
    table = make_table(policy, policy.services[found.service], geo, world)
    tables = tuple(table if index == wanted else old for index, old in enumerate(steered.tables))
    return replace(sketch, steered=replace(steered, tables=tables))


def _nowhere(geo: GeoMap) -> GeoMap:
    """A map of the same kind on which nobody is placed: it costs nothing to rank."""
    zero = np.zeros(1, dtype=np.uint32)
    return GeoMap(zero, zero, np.zeros(1, dtype=np.uint64), zero, geo.places.row(0), geo.info)


def tenant_behind(policy: Policy, service: Service, name: bytes) -> Tenant | None:
    """Whose name `name` is, CNAMEs and DNAMEs followed, where `service` answers it and pins tenants."""
    if pin_of(service) is None:
        return None  # a million names need no index that nobody asks
    end = Names(policy.zones.values()).end_of(name)
    return None if end is None else tenant_of(service, *end)


def _fence_over(
    made: Plan, steering: CompiledSteering, found: Found, judged: Judged, kind: int
) -> frozenset[int] | None:
    """What the fences leave of a block wider than its answer's scope, or of a query without client subnet,
    as the packet path finds it.
    """
    if steering.fences is None or found.service is None:
        return None
    block = judged.network
    bits, table = (32, steering.v4) if block.version == 4 else (64, steering.v6)
    address = int(block.network_address) >> (0 if block.version == 4 else 64)
    source = min(block.prefixlen, bits) if judged.by is By.SUBNET else NO_SUBNET
    group = made.steered.steerings[made.steered.group_of[found.service]]
    if kind >= 0:
        cut, _ = steering.rank_tenant(kind, address, block.version, source)
        if cut == steering.rank_tenant(kind, address, block.version, bits)[0]:
            return None
        return made.steered.tables[group.table].rankings[cut].allowed
    index = locate_range(table, address)
    ranking = table.values[index] % LOCAL
    if judged.by is By.SUBNET and source >= scope(table, index, address, bits):
        return None
    cut = fenced(steering.fences, ranking, address, block.version, source)
    return None if cut == ranking else made.steered.tables[group.table].rankings[cut].allowed


def _locality(place: Places, network: Network, geo: GeoMap) -> Locality:
    country = place.country[0].decode()
    lat, lon = float(place.lat[0]), float(place.lon[0])
    return Locality(
        network=network,
        country=country,
        country_name=COUNTRIES[country].name if country in COUNTRIES else "",
        continent=place.continent[0].decode(),
        subdivision=place.subdivision[0].decode(),
        city=place.cities[int(place.city[0])],
        lat=lat if isfinite(lat) else None,
        lon=lon if isfinite(lon) else None,
        asn=int(place.asn[0]),
        networks=tuple(sorted(place.network_sets[int(place.network_set[0])], key=str)),
        database=geo.info.database,
        attribution=geo.info.attribution,
    )


def _steering(  # noqa: PLR0917 - everything that is known of the decision
    policy: Policy, decision: Decision, world: World, number: int, decided: Decided | None, now: float
) -> Steering:
    service = policy.services[decision.service]
    selection = decision.selections[_family(service, number)]
    weights = rule_of(service).weights
    regions = tuple(
        RegionView(
            name=name,
            observed=fact.observed.value,
            forced=fact.forced.value if fact.forced else None,
            effective=fact.effective.value,
            health=fact.health,
            weight=weight,
            rtt_ms=world.rtt_ms.get(name),
            signals=tuple(
                SignalView(signal, reading.value, reading.grade, max(0.0, now - reading.read_at))
                for signal, reading in world.readings.get(name, {}).items()
            ),
        )
        for name, fact, weight in zip(decision.regions, decision.facts, weights, strict=True)
    )
    return Steering(
        steps=decision.steps,
        tiers=decision.tiers,
        dropped=decision.dropped,
        regions=regions,
        reason=selection.reason,
        servfail=selection.servfail,
        candidates=_shares(decision, selection, decided),
    )


def _family(service: Service, number: int) -> Family:
    """Whose selection it is."""
    if number == TYPE_A:
        return Family.A
    if number == TYPE_AAAA:
        return Family.AAAA
    return Family.BOUND if {TYPE_HTTPS: service.https, TYPE_SVCB: service.svcb}.get(number) else Family.ANY


def _shares(decision: Decision, selection: Selection, decided: Decided | None) -> tuple[Share, ...]:
    total = sum(candidate.weight for candidate in selection.candidates)
    return tuple(
        Share(
            regions=tuple(decision.regions[region] for region in candidate.regions),
            share=candidate.weight / total,
            reason=candidate.reason,
            chosen=decided is not None and decided.region == decision.regions[candidate.regions[0]],
        )
        for candidate in selection.candidates
    )
