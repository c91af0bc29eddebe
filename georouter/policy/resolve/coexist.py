"""What may stand at one name, in one zone, and beside another zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from georouter.policy.model import Region, Service
from georouter.policy.nodes import Path
from georouter.policy.report import Line, Place, Report
from georouter.policy.resolve import aliases, circles, slips, targets
from georouter.policy.resolve.ledger import Sets
from georouter.policy.resolve.records import Aliasing, Answering
from georouter.wire import codes, names, svcb
from georouter.words.ids import RegionName, ServiceName

_ADDRESSES = (codes.TYPE_A, codes.TYPE_AAAA)
_AT_CUT = frozenset({codes.TYPE_NS, codes.TYPE_DS, *_ADDRESSES})
_WILDCARD = b"\x01*"


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A zone whose names have been read. `key` is how the file writes it."""

    key: str
    apex: bytes
    sets: Sets
    services: Mapping[bytes, Answering]
    aliases: Mapping[bytes, Aliasing]
    cuts: frozenset[bytes] = field(init=False)
    """Names below the apex with NS records: what is at and below them is other servers' (RFC 1034 4.2.1)."""
    redirects: frozenset[bytes] = field(init=False)
    """Names with a DNAME record: everything below them is somewhere else (RFC 6672)."""

    def __post_init__(self) -> None:
        cuts = map(self.sets.name, self.sets.of_type(codes.TYPE_NS))
        object.__setattr__(self, "cuts", frozenset(cuts) - {self.apex})
        redirects = map(self.sets.name, self.sets.of_type(codes.TYPE_DNAME))
        object.__setattr__(self, "redirects", frozenset(redirects))


def check(
    zones: Mapping[bytes, ZoneDraft],
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    report: Report,
) -> None:
    """Report names that break the rules of DNS."""
    for zone in zones.values():
        for index in zone.sets.of_type(codes.TYPE_CNAME):
            _cname(zone, index, report)
        for index in zone.sets.of_type(codes.TYPE_DNAME):
            _dname(zone, index, report)
        for index in zone.sets.of_type(codes.TYPE_NS):
            if zone.sets.name(index).startswith(_WILDCARD):
                place = zone.sets.records(index)[0][1]
                message = "nobody can say what a wildcard NS means (RFC 4592 4.2); name the delegated names"
                report.error(place, message, key=True)
        for name, answering in zone.services.items():
            aliased = by_hostname(answering.service, services, regions)
            _addressed(zone, name, answering.path, "a service", report)
            _bound(zone, name, answering, services, report)
            _by_cname(zone, name, answering, aliased, report)
        for name, alias in zone.aliases.items():
            if name in zone.services:
                report.error(alias.path, "an alias cannot stand beside a service", key=True)
            _addressed(zone, name, alias.path, "an alias", report)
            _hinting(zone, name, report)
        inner = frozenset(apex for apex in zones if apex != zone.apex and names.is_below(apex, zone.apex))
        _Borders(zone, inner, _servers(zone) if inner else frozenset(), report).check()
        _delegation_signers(zone, inner, report)
        for apex in inner & zone.cuts:
            _same_servers(zone, zones[apex], report)
    targets.check(zones, report)
    circles.check(zones, report)
    slips.check(zones, lambda found: by_hostname(found.service, services, regions) is not None, report)
    aliases.check(zones, report)


def by_hostname(
    service: str, services: Mapping[ServiceName, Service], regions: Mapping[RegionName, Region]
) -> str | None:
    """The first region of a service that has hostnames, so that its answers are CNAMEs."""
    found = services.get(ServiceName(service))
    for name in (*found.regions, *found.fallback) if found else ():
        region = regions.get(name)
        if region is not None and any(endpoint.family == 0 for endpoint in region.endpoints):
            return name
    return None


def _cname(zone: ZoneDraft, index: int, report: Report) -> None:
    """A CNAME stands alone (RFC 1034 3.6.2, RFC 2181 10.1)."""
    sets, name = zone.sets, zone.sets.name(index)
    records = sets.records(index)
    place = records[0][1]
    if len(records) > 1:
        report.error(records[1][1], "a name has at most one CNAME")
    for what, at in (("a service", zone.services.get(name)), ("an alias", zone.aliases.get(name))):
        if at is not None:
            there = _elsewhere(place, at.path, report)
            report.error(place, f"a CNAME cannot stand beside {what}{there}", key=True)
    if name == zone.apex:
        report.error(place, "a CNAME cannot stand at the top of a zone", key=True)
        return
    others = ", ".join(
        f"{codes.type_text(int(sets.type[other]))}{_elsewhere(place, sets.where(other), report)}"
        for other in sets.of_name(name)
        if other != index
    )
    if others:
        report.error(place, f"a CNAME cannot stand beside other records ({others})", key=True)


def _dname(zone: ZoneDraft, index: int, report: Report) -> None:
    """What RFC 6672 2.3, 2.4 and 3.3 ask of a DNAME's own name."""
    records, name = zone.sets.records(index), zone.sets.name(index)
    if len(records) > 1:
        report.error(records[1][1], "a name has at most one DNAME (RFC 6672)")
    if name.startswith(_WILDCARD):
        message = "a wildcard DNAME would not redirect what it matches (RFC 6672 3.3); name the names"
        report.error(records[0][1], message, key=True)
    if name in zone.cuts:
        message = "a DNAME cannot stand at a delegation (RFC 6672 2.3)"
        report.error(records[0][1], message, key=True)


def _elsewhere(place: Place, other: Place, report: Report) -> str:
    """Where the other one is, if that is in another file of another kind."""
    if isinstance(place, Line) or isinstance(other, Line):
        return f" at {report.where(other)}"
    return ""


def _addressed(zone: ZoneDraft, name: bytes, path: Path, what: str, report: Report) -> None:
    """Beside a service or an alias (`what`, at `path`) nothing else gives addresses."""
    sets = zone.sets
    for index in sets.of_name(name):
        number, place = int(sets.type[index]), sets.where(index)
        there = _elsewhere(place, path, report)
        if number in _ADDRESSES:
            beside = f"{codes.type_text(number)} records cannot stand beside {what}{there}"
            report.error(place, f"{beside}, which gives the addresses", key=True)


def _by_cname(
    zone: ZoneDraft, name: bytes, answering: Answering, aliased: str | None, report: Report
) -> None:
    """A service whose region `aliased` has hostnames answers with CNAMEs, which stand alone."""
    sets = zone.sets
    if aliased is None:
        return
    why = f'service "{answering.service}" answers with a CNAME (region "{aliased}" has hostnames)'
    if name == zone.apex:
        report.error(answering.path, f"{why}, which cannot stand at the top of a zone")
    elif sets.of_name(name):
        beside = ", ".join(codes.type_text(int(sets.type[index])) for index in sets.of_name(name))
        report.error(answering.path, f"{why}, which cannot stand beside other records ({beside})")


def _bound(
    zone: ZoneDraft,
    name: bytes,
    answering: Answering,
    services: Mapping[ServiceName, Service],
    report: Report,
) -> None:
    """HTTPS and SVCB records beside a service: its own, or those of the zone without addresses."""
    service = services.get(ServiceName(answering.service))
    own = {codes.TYPE_HTTPS: service.https, codes.TYPE_SVCB: service.svcb} if service else {}
    for index in zone.sets.of_name(name):
        number, place = int(zone.sets.type[index]), zone.sets.where(index)
        if number not in (codes.TYPE_HTTPS, codes.TYPE_SVCB):
            continue
        if own.get(number):
            key, there = codes.type_text(number), _elsewhere(place, answering.path, report)
            message = (
                f'{key} records cannot stand beside a service{there} with "{key.lower()}", which gives them'
            )
            report.error(place, message, key=True)
        elif _hints(zone, index):
            word = codes.type_text(number).lower()
            message = (
                "these address hints do not follow the decision of the service beside them; "
                f'write the record as "{word}" at service "{answering.service}"'
            )
            report.warn(place, message)


def _hinting(zone: ZoneDraft, name: bytes, report: Report) -> None:
    """HTTPS and SVCB records beside an alias, whose addresses change."""
    for number in (codes.TYPE_HTTPS, codes.TYPE_SVCB):
        index = zone.sets.find(name, number)
        if index is not None and _hints(zone, index):
            message = (
                "these address hints do not follow the alias beside them; leave out ipv4hint and ipv6hint"
            )
            report.warn(zone.sets.where(index), message)


def _hints(zone: ZoneDraft, index: int) -> bool:
    return any(key in svcb.HINTS for rdata, _ in zone.sets.records(index) for key, _ in svcb.parts(rdata)[2])


@dataclass(frozen=True, slots=True)
class _Borders:
    """Names at and below what is not the zone's own: delegations, DNAMEs, `inner` zones of ours."""

    zone: ZoneDraft
    inner: frozenset[bytes]
    servers: frozenset[bytes]
    """The name servers that the zone names: whose addresses may be glue."""
    report: Report

    def check(self) -> None:
        """Every name once; for most zones there is nothing to do."""
        zone = self.zone
        borders = zone.cuts | zone.redirects | self.inner
        borders -= {zone.apex} - zone.redirects
        if not borders:
            return
        for number, name in enumerate(zone.sets.spellings):
            border = self.above(name, borders)
            if border is not None:
                for index in range(int(zone.sets.of[number]), int(zone.sets.of[number + 1])):
                    self.records(index, name, border)
        for name, path, what in (
            *((name, item.path, "service") for name, item in zone.services.items()),
            *((name, item.path, "alias") for name, item in zone.aliases.items()),
        ):
            border = self.above(name, borders)
            if border is not None:
                self.answered(path, what, name, border)

    def above(self, name: bytes, borders: frozenset[bytes]) -> bytes | None:
        """The highest border that `name` lies at or below."""
        found, apex = None, self.zone.apex
        while True:
            if name in borders:
                found = name
            if name in (apex, b"\0"):
                return found
            name = name[1 + name[0] :]

    def records(self, index: int, name: bytes, border: bytes) -> None:
        """One set at or below the border."""
        zone, where = self.zone, names.name_text(border)
        number, place = int(zone.sets.type[index]), zone.sets.where(index)
        if border in self.inner:
            glue = number in _ADDRESSES and name in self.servers
            if not glue and not (name == border and number in _AT_CUT):
                self.report.error(_owner(place), f'belongs into the zone "{where}"', key=True)
        elif border in zone.cuts:
            if number not in (_AT_CUT if name == border else _ADDRESSES) and number != codes.TYPE_DNAME:
                message = f'is never answered: "{where}" is delegated to other name servers'
                self.report.warn(place, message, key=True)
        elif name != border:
            message = f'lies below the DNAME of "{where}", which redirects it (RFC 6672 2.4)'
            self.report.error(_owner(place), message, key=True)

    def answered(self, path: Path, what: str, name: bytes, border: bytes) -> None:
        """A name with a service or an alias, at or below the border."""
        where = names.name_text(border)
        if border in self.inner:
            self.report.error(_owner(path), f'belongs into the zone "{where}"', key=True)
        elif border in self.zone.cuts:
            message = f'"{where}" is delegated to other name servers; no {what} there'
            self.report.error(path, message)
        elif name != border:
            message = f'lies below the DNAME of "{where}", which redirects it (RFC 6672 2.4)'
            self.report.error(_owner(path), message, key=True)


def _servers(zone: ZoneDraft) -> frozenset[bytes]:
    sets = zone.sets.of_type(codes.TYPE_NS)
    return frozenset(names.lower(rdata) for index in sets for rdata, _ in zone.sets.records(index))


def _owner(place: Place) -> Place:
    """The name that a record of the policy stands under: `zones.ZONE.records.NAME`."""
    return place if isinstance(place, Line) else _first_four(place)


def _first_four(path: Path) -> Path:
    return path[:4]


def _delegation_signers(zone: ZoneDraft, inner: frozenset[bytes], report: Report) -> None:
    """DS stands with the NS set above a cut, and nowhere else (RFC 4035 2.4)."""
    for index in zone.sets.of_type(codes.TYPE_DS):
        name, place = zone.sets.name(index), zone.sets.where(index)
        if name == zone.apex:
            report.error(place, "the DS records of a zone belong into the zone above it", key=True)
        elif name not in zone.cuts and name not in inner:
            report.warn(place, f'"{names.name_text(name)}" is not delegated: DS has no effect', key=True)


def _same_servers(zone: ZoneDraft, inner: ZoneDraft, report: Report) -> None:
    """A delegation to a zone of ours names the servers that the zone names (RFC 1034 4.2.2)."""
    index = zone.sets.find(inner.apex, codes.TYPE_NS)
    own = inner.sets.find(inner.apex, codes.TYPE_NS)
    if index is None or own is None:
        return
    above, below = (
        {names.lower(rdata) for rdata, _ in draft.sets.records(at)}
        for draft, at in ((zone, index), (inner, own))
    )
    if above != below:
        message = f'other name servers than those of the zone "{names.name_text(inner.apex)}" itself'
        report.warn(zone.sets.where(index), message)
