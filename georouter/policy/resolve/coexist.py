"""What may stand at one name, in one zone, and beside another zone."""

from collections.abc import Mapping
from dataclasses import dataclass

from georouter.policy.model import Region, Service
from georouter.policy.report import Report
from georouter.policy.resolve import targets
from georouter.policy.resolve.records import Owner
from georouter.wire import codes, names
from georouter.words.ids import RegionName, ServiceName

_ADDRESSES = (codes.TYPE_A, codes.TYPE_AAAA)
_AT_CUT = frozenset({codes.TYPE_NS, codes.TYPE_DS, *_ADDRESSES})
_HINT_KEYS = (4, 6)
"""SvcParamKeys ipv4hint and ipv6hint (RFC 9460 7.3)."""


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A zone whose names have been read. `key` is how the file writes it."""

    key: str
    apex: bytes
    owners: dict[bytes, Owner]


def check(
    zones: Mapping[bytes, ZoneDraft],
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    report: Report,
) -> None:
    """Report names that break the rules of DNS."""
    for zone in zones.values():
        for name, owner in zone.owners.items():
            _cname(owner, name == zone.apex, report)
            if owner.service is not None:
                aliased = by_hostname(owner.service, services, regions)
                _steered(name == zone.apex, owner, aliased, report)
        _delegations(zone, report)
        _other_zones(zone, zones, report)
    targets.check(
        {name: owner for zone in zones.values() for name, owner in zone.owners.items()}, zones, report
    )


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


def _cname(owner: Owner, at_apex: bool, report: Report) -> None:
    """A CNAME stands alone (RFC 1034 3.6.2, RFC 2181 10.1)."""
    draft = owner.sets.get(codes.TYPE_CNAME)
    if draft is None:
        return
    if len(draft.rdatas) > 1:
        report.error(list(draft.rdatas.values())[1], "a name has at most one CNAME")
    if owner.service is not None:
        report.error(draft.path, "a CNAME cannot stand beside a service", key=True)
    if at_apex:
        report.error(draft.path, "a CNAME cannot stand at the top of a zone", key=True)
        return
    others = [codes.type_text(number) for number in owner.sets if number != codes.TYPE_CNAME]
    if others:
        report.error(draft.path, f"a CNAME cannot stand beside other records ({', '.join(others)})", key=True)


def _steered(at_apex: bool, owner: Owner, aliased: str | None, report: Report) -> None:
    for number in _ADDRESSES:
        if number in owner.sets:
            message = (
                f"{codes.type_text(number)} records cannot stand beside a service, which gives the addresses"
            )
            report.error(owner.sets[number].path, message, key=True)
    for number in (codes.TYPE_HTTPS, codes.TYPE_SVCB):
        if number in owner.sets and any(map(_has_hints, owner.sets[number].rdatas)):
            message = "address hints beside a service would go past it; leave out ipv4hint and ipv6hint"
            report.error(owner.sets[number].path, message)
    if aliased is None:
        return
    why = f'service "{owner.service}" answers with a CNAME (region "{aliased}" has hostnames)'
    if at_apex:
        report.error(owner.service_path, f"{why}, which cannot stand at the top of a zone")
    elif owner.sets:
        beside = ", ".join(codes.type_text(number) for number in owner.sets)
        report.error(owner.service_path, f"{why}, which cannot stand beside other records ({beside})")


def _has_hints(rdata: bytes) -> bool:
    """Whether SVCB data (RFC 9460 2.2: priority, target, parameters) carries addresses."""
    at = 2
    while at < len(rdata) and rdata[at]:
        at += 1 + rdata[at]
    at += 1
    while at + 4 <= len(rdata):
        key, length = int.from_bytes(rdata[at : at + 2]), int.from_bytes(rdata[at + 2 : at + 4])
        if key in _HINT_KEYS:
            return True
        at += 4 + length
    return False


def _delegations(zone: ZoneDraft, report: Report) -> None:
    """At and below a delegation only glue is ours (RFC 1034 4.2.1)."""
    cuts = {name for name, owner in zone.owners.items() if codes.TYPE_NS in owner.sets and name != zone.apex}
    if not cuts:
        return
    for name, owner in zone.owners.items():
        cut = _above(name, cuts, zone.apex)
        if cut is None:
            continue
        where = names.name_text(cut)
        if owner.service is not None:
            report.error(
                owner.service_path, f'"{where}" is delegated to other name servers; no service there'
            )
        allowed = _AT_CUT if name == cut else frozenset(_ADDRESSES)
        for number, draft in owner.sets.items():
            if number not in allowed:
                message = f'is never answered: "{where}" is delegated to other name servers'
                report.warn(draft.path, message, key=True)


def _above(name: bytes, cuts: set[bytes], apex: bytes) -> bytes | None:
    """The highest delegation that `name` lies at or below."""
    found = None
    while name not in (apex, b"\0"):
        if name in cuts:
            found = name
        name = names.parent(name)
    return found


def _other_zones(zone: ZoneDraft, zones: Mapping[bytes, ZoneDraft], report: Report) -> None:
    """Names that belong to a zone below this one."""
    below = {apex for apex in zones if apex != zone.apex and names.is_below(apex, zone.apex)}
    if not below:
        return
    for name, owner in zone.owners.items():
        inner = _above(name, below, zone.apex)
        if inner is not None:
            report.error(owner.path, f'belongs into the zone "{names.name_text(inner)}"', key=True)
