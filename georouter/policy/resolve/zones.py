"""The `zones:` section."""

from collections.abc import Mapping
from dataclasses import dataclass

from georouter.policy import shape
from georouter.policy.model import RecordSet, Region, Service, Soa, Steered, Zone
from georouter.policy.nodes import Node, Path
from georouter.policy.report import Report
from georouter.policy.resolve import coexist
from georouter.policy.resolve.context import Context
from georouter.policy.resolve.records import Draft, Owner, Reader
from georouter.policy.written import SoaFile, ZoneFile
from georouter.wire import names
from georouter.wire.codes import TYPE_NS
from georouter.words.ids import RegionName, ServiceName, ZoneName


@dataclass(frozen=True, slots=True)
class WrittenZone:
    """A zone whose records are read one by one."""

    head: ZoneFile
    records: Node | None


def read(node: Node, path: Path, report: Report) -> WrittenZone | None:
    """The shape of a zone without its records."""
    head = shape.read(ZoneFile, node, path, report, without="records")
    return WrittenZone(head, node.get("records")) if head is not None else None


def resolve(
    written: Mapping[str, WrittenZone],
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    context: Context,
) -> dict[ZoneName, Zone]:
    """Every zone with its records; names that cannot stand together are reported."""
    drafts: dict[bytes, coexist.ZoneDraft] = {}
    for key, item in written.items():
        draft = _draft(key, item, context)
        if draft is None:
            continue
        if draft.apex in drafts:
            other = drafts[draft.apex].key
            context.report.error(("zones", key), f'is the same zone as "{other}"', key=True)
            continue
        drafts[draft.apex] = draft
    coexist.check(drafts, services, regions, context.report)
    zones = (_zone(draft, written[draft.key].head, context) for draft in drafts.values())
    return {zone.name: zone for zone in zones}


def _draft(key: str, written: WrittenZone, context: Context) -> coexist.ZoneDraft | None:
    path: Path = ("zones", key)
    try:
        apex = names.lower(names.parse_name(key))
    except ValueError as error:
        context.report.error(path, str(error), key=True)
        return None
    if apex.startswith(b"\x01*"):
        context.report.error(path, "a zone cannot be a wildcard", key=True)
    owners = Reader(names.name_text(apex), apex, written.head.ttl, path, context).read(written.records)
    apex_owner = owners.setdefault(apex, Owner((*path, "ns")))
    if TYPE_NS in apex_owner.sets:
        context.report.error(
            apex_owner.sets[TYPE_NS].path, 'the zone\'s own name servers belong in its "ns" key'
        )
    servers = _servers(written.head.ns, (*path, "ns"), apex, context)
    if servers:
        apex_owner.sets[TYPE_NS] = Draft(written.head.ttl, (*path, "ns"), servers)
    return coexist.ZoneDraft(key, apex, owners)


def _servers(written: list[str], path: Path, apex: bytes, context: Context) -> dict[bytes, Path]:
    found: dict[bytes, Path] = {}
    for index, text in enumerate(written):
        where = (*path, index)
        name = _host(text, where, context)
        if name is None:
            continue
        if len(names.labels(name)) == 1 and apex != b"\0":
            message = f'"{text}" is absolute here; did you mean "{text}.{names.name_text(apex)}"?'
            context.report.error(where, message)
        if name in found:
            context.report.error(where, f'"{text}" is listed twice')
        found[name] = where
    return found


def _host(text: str, path: Path, context: Context) -> bytes | None:
    try:
        return names.lower(names.parse_name(text))
    except ValueError as error:
        context.report.error(path, str(error))
        return None


def _zone(draft: coexist.ZoneDraft, head: ZoneFile, context: Context) -> Zone:
    steered: list[Steered] = []
    records: list[RecordSet] = []
    for name, owner in draft.owners.items():
        if owner.service is not None:
            steered.append(Steered(name, ServiceName(owner.service)))
        for number, item in owner.sets.items():
            records.append(RecordSet(name, number, item.ttl_s, tuple(item.rdatas)))
    return Zone(
        name=ZoneName(names.name_text(draft.apex)),
        apex=draft.apex,
        soa=_soa(draft, head.soa, head, context),
        records=tuple(records),
        steered=tuple(steered),
    )


def _soa(draft: coexist.ZoneDraft, written: SoaFile, head: ZoneFile, context: Context) -> Soa:
    path: Path = ("zones", draft.key, "soa")
    mname = _host(written.mname or head.ns[0], (*path, "mname"), context)
    rname = _mailbox(written.rname, draft.apex, (*path, "rname"), context)
    return Soa(
        mname=names.name_text(mname or draft.apex),
        rname=names.name_text(rname or draft.apex),
        serial=written.serial,
        refresh_s=written.refresh,
        retry_s=written.retry,
        expire_s=written.expire,
        negative_ttl_s=written.negative_ttl,
        ttl_s=head.ttl if written.ttl is None else written.ttl,
    )


def _mailbox(text: str | None, apex: bytes, path: Path, context: Context) -> bytes | None:
    """A mail address as a name (RFC 1035 8): dots of its local part are escaped."""
    if text is None:
        text = names.name_text(apex)
        return _host("hostmaster" if text == "." else f"hostmaster.{text}", path, context)
    local, at, domain = text.partition("@")
    if at:
        if not local or not domain:
            context.report.error(path, f'"{text}" is not a mail address')
            return None
        text = local.replace("\\", "\\\\").replace(".", "\\.") + "." + domain
    return _host(text, path, context)
