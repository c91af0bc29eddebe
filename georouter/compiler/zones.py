"""Zones -> `Directory`: every existing name with a finished answer, or a view, for every type."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from georouter.answers.layout import Layout
from georouter.answers.make import AA, heads, make_answer
from georouter.answers.tables import (
    SLOT_A,
    SLOT_AAAA,
    SLOT_BOUND,
    SLOT_OTHER,
    Directory,
    Redirect,
    Tenants,
    ZoneTable,
)
from georouter.answers.tenants import NOBODY
from georouter.compiler.additional import beside, of_targets
from georouter.compiler.chase import Chain, chase
from georouter.compiler.flatten import End, flatten
from georouter.compiler.pins import BETWEEN, MISSING, pins, tenant_behind
from georouter.compiler.records import (
    QUESTION,
    Authority,
    Pool,
    authority,
    packed_set,
    record,
    record_set,
    refuse_oversize,
)
from georouter.compiler.referral import referral
from georouter.compiler.tree import Tree, Where
from georouter.compiler.views import Form, Views
from georouter.policy.model import Alias, RecordSet, Zone
from georouter.wire.codes import (
    RCODE_NOERROR,
    RCODE_NXDOMAIN,
    RCODE_YXDOMAIN,
    TYPE_A,
    TYPE_AAAA,
    TYPE_ANY,
    TYPE_CNAME,
    TYPE_DS,
    TYPE_HTTPS,
    TYPE_SOA,
    TYPE_SVCB,
)
from georouter.wire.names import lower, name_text
from georouter.words.ids import ServiceName

MOST_ALIASES = 1000
"""CNAMEs that lead to steered names and are answered together with them. Each has its own copy of every
answer of its service, so they cost memory and time; past this many the CNAME alone is the answer."""

_NEVER_SOLE = frozenset({TYPE_CNAME, TYPE_HTTPS, TYPE_SVCB})
"""Types whose answers may hold more than the set itself."""
_SLOT_TYPES = ((SLOT_A, TYPE_A), (SLOT_AAAA, TYPE_AAAA))


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """The directory, each zone's negative authority, the name tree (for CNAME endpoints) and warnings."""

    directory: Directory
    authorities: tuple[Authority, ...]
    tree: Tree
    warnings: tuple[str, ...]
    flattened: tuple[tuple[bytes, End], ...]
    """The owners of aliases, and where these lead."""


def compile_zones(  # noqa: PLR0917 - a policy's names
    zones: Sequence[Zone],
    tree: Tree,
    serials: Sequence[int],
    views: Views,
    layout: Layout,
    tenants: tuple[Tenants, ...] = (),
) -> Compiled:
    """The directory of these zones with these serials; steered names are registered in `views`."""
    authorities = tuple(authority(zone, serial) for zone, serial in zip(zones, serials, strict=True))
    writer = _Writer(zones, tree, authorities, views)
    for node in range(len(tree.zone)):
        writer.fill(node)
    tables = tuple(
        ZoneTable(str(zone.name), writer.pool.add(item.record(), rcode=RCODE_NXDOMAIN, authorities=1))
        for zone, item in zip(zones, authorities, strict=True)
    )
    directory = Directory(
        index=tree.index,
        rrsets=writer.rrsets,
        sole=writer.sole,
        bodies=tuple(writer.bodies),
        heads={count: heads(AA, count, 0, 0) for count in writer.counts},
        other=writer.other,
        wildcard=tree.wildcard,
        cut=bytes(tree.cut),
        redirects={
            node: Redirect(records.rdatas[0], records.ttl_s) for node, records in tree.redirects.items()
        },
        zone=tree.zone,
        zones=tables,
        answers=tuple(writer.pool.answers),
        views=views.finished(),
        layout=layout,
        tenants=tenants,
        pins=pins(tree, views, tables, writer.nodata),
    )
    return Compiled(directory, authorities, tree, (*tree.warnings, *writer.warnings), tuple(writer.flattened))


class _Writer:
    """Fills `rrsets` and `other`, node by node."""

    def __init__(
        self, zones: Sequence[Zone], tree: Tree, authorities: Sequence[Authority], views: Views
    ) -> None:
        self.zones = zones
        self.tree = tree
        self.authorities = authorities
        self.views = views
        self.pool = Pool()
        self.rrsets: dict[int, int] = {}
        self.sole = array("I")
        self.bodies: list[bytes] = []
        self.counts: set[int] = set()
        self.other = array("i")
        self.warnings: list[str] = []
        self.aliases = 0
        self.flattened: list[tuple[bytes, End]] = []
        self.names = tuple(tree.index)
        self.apexes = {tree.index[zone.apex]: zone for zone in zones}
        self.nodata = [self.pool.add(item.record(), authorities=1) for item in authorities]

    def fill(self, node: int) -> None:
        """Every type of one name."""
        if self._fill_sole(node):
            return
        self.sole.append(0)
        self.bodies.append(b"")
        if self.tree.cut[node]:
            self._fill_cut(node)
            return
        sets = self.tree.sets(node)
        alias = sets.get(TYPE_CNAME)
        zone = self.tree.zone[node]
        self.other.append(self.nodata[zone])
        if alias is not None:
            self._fill_alias(node, chase(self.tree, alias))
        for number, records in sets.items():
            self._put(node, number, self._positive(QUESTION, records, zone))
        apex = self.apexes.get(node)
        if apex is not None:
            self._fill_apex(node, apex)
        service = self.tree.services.get(node)
        if node in self.tree.aliases:
            self._fill_flat(node, self.tree.aliases[node], Form(b"", 0, QUESTION, zone))
        if service is not None:
            form = Form(b"", 0, QUESTION, zone)
            self._steer(node, service, form, alone=not sets and apex is None)
        elif sets:
            any_type = TYPE_CNAME if alias is not None else min(sets)
            self._put(node, TYPE_ANY, self.rrsets[node << 16 | any_type])

    def _fill_sole(self, node: int) -> bool:
        """A name with nothing but one record set, as most are; whether it is one."""
        held, zone = self.tree.held[node], self.tree.zone[node]
        if held < 0 or self.tree.cut[node] or node in self.apexes:
            return False
        if node in self.tree.services or node in self.tree.aliases:
            return False
        packed = self.tree.packed[zone]
        span = packed.span(held)
        number = packed.type(span[0])
        if len(span) > 1 or number in _NEVER_SOLE:
            return False
        body, count = packed_set(QUESTION, packed, span[0])
        refuse_oversize((body,))
        self.other.append(self.nodata[zone])
        self.sole.append(number << 16 | count)
        self.bodies.append(body)
        self.counts.add(count)
        return True

    def _put(self, node: int, number: int, ref: int) -> None:
        self.rrsets[node << 16 | number] = ref

    def _positive(self, owner: bytes, records: RecordSet, zone: int, chain: Chain | None = None) -> int:
        """A record set of `zone`, behind a chain that led to it, with what its targets have."""
        before, count = (chain.records, chain.count) if chain else (b"", 0)
        body, count = before + record_set(owner, records), count + len(records.rdatas)
        more, additional = beside(self.tree, zone, records)
        least = make_answer(answers=count, body=body) if additional else None
        return self.pool.add(body + more, answers=count, additional=additional, least=least)

    def _fill_apex(self, node: int, zone: Zone) -> None:
        """SOA, and the DS set that the zone above holds for this one."""
        held = self.authorities[self.tree.zone[node]]
        soa = record(QUESTION, TYPE_SOA, zone.soa.ttl_s, held.soa)
        self._put(node, TYPE_SOA, self.pool.add(soa, answers=1))
        above = self.tree.upper.get(node)
        if above is not None:
            self._fill_ds(node, *above)

    def _fill_ds(self, node: int, zone: int, records: RecordSet | None, chain: Chain | None = None) -> None:
        """The upper zone's answer for DS, behind a chain that led there."""
        if records is not None:
            held = self._positive(chain.owner if chain else QUESTION, records, zone, chain)
        else:
            held = self._denial(chain, zone) if chain else self.nodata[zone]
        self._put(node, TYPE_DS, held)

    def _steer(self, node: int, service: ServiceName, form: Form, *, alone: bool, tenant: int = -1) -> None:
        """Hand to the service A, AAAA, its HTTPS and SVCB; where regions are hostnames, all other types."""
        slots = self.views.hooks[service].slots
        zone = self.tree.zone[node]
        for slot, number in _SLOT_TYPES:
            if slot in slots:
                ref = self.views.add(service, slot, form, zone, tenant)
                self._put(node, number, ref)
                self.rrsets.setdefault(node << 16 | TYPE_ANY, ref)
        for number, bindings in self.views.hooks[service].bindings.items():
            more, count = of_targets(self.tree, zone, number, (binding.target for binding in bindings))
            if form.flat and node << 16 | number in self.rrsets:
                continue  # an alias has records of its own
            written = replace(form, type=number, bindings=bindings, beside=more, beside_count=count)
            self._put(node, number, self.views.add(service, SLOT_BOUND, written, zone, tenant))
        if alone and SLOT_OTHER in slots:
            self.other[node] = self.views.add(service, SLOT_OTHER, form, zone, tenant)

    def _fill_flat(self, node: int, alias: Alias, form: Form) -> None:
        """A and AAAA of where an alias leads: static ones, those of a service, or what a resolver says."""
        end = flatten(self.tree, alias.target, alias.ttl_s)
        if alias.owner == self.names[node]:
            self.flattened.append((alias.owner, end))
        form = replace(form, most_s=end.ttl_s, flat=True)
        if end.service is not None:
            tenant = tenant_behind(self.views.hooks[end.service].pin, self.names[end.node], end.name)
            if tenant not in (MISSING, BETWEEN):
                self._steer(node, end.service, form, alone=False, tenant=tenant)
        for slot, number in _SLOT_TYPES:
            if number in end.sets:
                records = replace(end.sets[number], ttl_s=end.ttl_s or 0)
                body = form.prefix + record_set(form.owner, records)
                ref = self.pool.add(body, answers=form.prefix_count + len(records.rdatas))
            elif end.outside is not None:
                ref = self.views.add_flat(end.outside, slot, form, form.zone)
            else:
                continue
            self._put(node, number, ref)
            self.rrsets.setdefault(node << 16 | TYPE_ANY, ref)

    def _fill_alias(self, node: int, chain: Chain) -> None:
        """All types but CNAME itself: what the end of the chain has, behind the chain (RFC 6604 2.1)."""
        if chain.broken:
            name = name_text(self.names[node])
            self.warnings.append(f"{name}: its CNAMEs loop or are too many; only the first are answered")
        if chain.too_long:
            self.other[node] = self.pool.add(chain.records, rcode=RCODE_YXDOMAIN, answers=chain.count)
            return
        if chain.broken or chain.end.where is Where.OUTSIDE or self._too_many(node, chain):
            self.other[node] = self.pool.add(chain.records, answers=chain.count)
            return
        zone = self.tree.zone[chain.end.node]
        match chain.end.where:
            case Where.CUT:
                self._follow_to_cut(node, chain)
            case Where.NOWHERE:
                self.other[node] = self._denial(chain, zone, rcode=RCODE_NXDOMAIN)
            case _:
                tenant = self._tenant(chain)
                missing = RCODE_NXDOMAIN if tenant == MISSING else RCODE_NOERROR
                self.other[node] = self._denial(chain, zone, rcode=missing)
                if tenant not in (MISSING, BETWEEN):
                    self._follow(node, chain, zone, tenant)

    def _tenant(self, chain: Chain) -> int:
        """Whose name the end of a chain is: see `tenant_behind`."""
        service = self.tree.services.get(chain.end.node)
        if service is None:
            return NOBODY
        pin = self.views.hooks[service].pin
        return tenant_behind(pin, self.names[chain.end.node], lower(chain.owner))

    def _denial(self, chain: Chain, zone: int, rcode: int = RCODE_NOERROR) -> int:
        """A chain whose end has nothing of the type, or does not exist (RFC 2308 2.1, 2.2)."""
        body = chain.records + self.authorities[zone].record()
        return self.pool.add(body, rcode=rcode, answers=chain.count, authorities=1)

    def _follow_to_cut(self, node: int, chain: Chain) -> None:
        """Refer on from the end of the chain; at the cut itself, DS is ours to answer."""
        end = chain.end.node
        self.other[node] = referral(self.tree, self.names[end], end).add(self.pool, chain)
        if lower(chain.owner) == self.names[end]:
            self._fill_ds(node, self.tree.zone[end], self.tree.sets(end).get(TYPE_DS), chain)

    def _too_many(self, node: int, chain: Chain) -> bool:
        """Whether a steered name has so many aliases that this one is left to the resolver to follow."""
        end = chain.end.node
        if chain.end.where is not Where.FOUND or (
            end not in self.tree.services and end not in self.tree.aliases
        ):
            return False
        self.aliases += 1
        if self.aliases == MOST_ALIASES + 1:
            name = name_text(self.names[node])
            self.warnings.append(
                f"{name}: more than {MOST_ALIASES} CNAMEs lead to steered names; from this one on they are "
                "answered without what they lead to, which resolvers then ask for"
            )
        return self.aliases > MOST_ALIASES

    def _follow(self, node: int, chain: Chain, zone: int, tenant: int) -> None:
        """Answer the types that the final name has."""
        end = chain.end.node
        for number, records in self.tree.sets(end).items():
            self._put(node, number, self._positive(chain.owner, records, zone, chain))
        apex = self.apexes.get(end)
        if apex is not None:
            soa = record(chain.owner, TYPE_SOA, apex.soa.ttl_s, self.authorities[zone].soa)
            self._put(node, TYPE_SOA, self.pool.add(chain.records + soa, answers=chain.count + 1))
            above = self.tree.upper.get(end)
            if above is not None:
                self._fill_ds(node, *above, chain)
        service = self.tree.services.get(end)
        form = Form(chain.records, chain.count, chain.owner, zone)
        if end in self.tree.aliases:
            self._fill_flat(node, self.tree.aliases[end], form)
        if service is not None:
            alone = not self.tree.sets(end) and apex is None
            self._steer(node, service, form, alone=alone, tenant=tenant)

    def _fill_cut(self, node: int) -> None:
        """A referral for every type but DS, which is the upper zone's own data (RFC 4035 3.1.4.1)."""
        self.other.append(referral(self.tree, self.names[node], node).add(self.pool))
        self._fill_ds(node, self.tree.zone[node], self.tree.sets(node).get(TYPE_DS))
