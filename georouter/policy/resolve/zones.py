"""The `zones:` section."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from georouter.policy import shape
from georouter.policy.model import Alias, Region, Service, Soa, Steered, Transfer, Zone
from georouter.policy.nodes import Node, Path
from georouter.policy.report import Place, Report
from georouter.policy.resolve import coexist, transfer
from georouter.policy.resolve.context import Context
from georouter.policy.resolve.ledger import Ledger, sort
from georouter.policy.resolve.records import Reader
from georouter.policy.written import SoaFile, ZoneFile
from georouter.policy.zonefile.again import Readings
from georouter.policy.zonefile.includes import ZoneSource, zone_source
from georouter.policy.zonefile.read import FileSoa
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
    head = shape.read(ZoneFile, node, path, report, without=("records",))
    return WrittenZone(head, node.get("records")) if head is not None else None


def resolve(
    written: Mapping[str, WrittenZone],
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    context: Context,
) -> dict[ZoneName, Zone]:
    """Every zone with its records; names that cannot stand together are reported."""
    drafts: dict[bytes, _Draft] = {}
    for key, item in written.items():
        draft = _draft(key, item, context)
        if draft is None:
            continue
        if draft.zone.apex in drafts:
            other = drafts[draft.zone.apex].zone.key
            context.report.error(("zones", key), f'is the same zone as "{other}"', key=True)
            continue
        drafts[draft.zone.apex] = draft
    if context.zone_files is not None:  # a part of the records says nothing about the whole
        coexist.check({apex: draft.zone for apex, draft in drafts.items()}, services, regions, context.report)
    zones = (_zone(draft, context) for draft in drafts.values())
    return {zone.name: zone for zone in zones}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A zone whose records are read. `soa` is that of its file; `servers` are the apex's NS data."""

    zone: coexist.ZoneDraft
    head: ZoneFile
    soa: FileSoa | None
    servers: tuple[bytes, ...]


def _draft(key: str, written: WrittenZone, context: Context) -> _Draft | None:
    path: Path = ("zones", key)
    try:
        apex = names.lower(names.parse_name(key))
    except ValueError as error:
        context.report.error(path, str(error), key=True)
        return None
    if apex.startswith(b"\x01*"):
        context.report.error(path, "a zone cannot be a wildcard", key=True)
    head, ledger = written.head, Ledger()
    source = _source(head, path, context)
    soa = None
    if source is not None and context.zone_files is not None:
        readings = context.readings or Readings()
        soa = readings.read(source, apex, head.ttl, context.zone_files, ledger, context.report)
    in_file = _apex_servers(ledger, apex)
    reader = Reader(names.name_text(apex), apex, head.ttl, path, context, ledger)
    rows = len(ledger)
    reader.read(written.records)
    for row in range(rows, len(ledger)):
        if ledger.type[row] == TYPE_NS and ledger.owner[row] == ledger.names.get(apex):
            context.report.error(ledger.where(row), 'the zone\'s own name servers belong in its "ns" key')
    servers = _servers(head.ns, (*path, "ns"), apex, context)
    if in_file and servers:
        _two_sources(in_file, servers, (*path, "ns"), context.report)
    elif not in_file and not head.ns and (head.file is None or source):
        hint = "" if head.file is None else ", and the zone file has no NS records for the zone itself"
        context.report.error(path, f'"ns" is missing{hint}', key=True)
    if not in_file:
        for name, where in servers.items():
            ledger.add(apex, TYPE_NS, head.ttl, name, ledger.path_place(where))
    if soa is not None and head.soa != SoaFile():
        message = f'the SOA record is in the zone file ({context.report.where(soa.place)}); remove "soa"'
        context.report.error((*path, "soa"), message, key=True)
    draft = coexist.ZoneDraft(key, apex, sort(ledger, context.report), reader.services, reader.aliases)
    return _Draft(draft, head, soa, tuple(servers) or tuple(in_file))


def _source(head: ZoneFile, path: Path, context: Context) -> ZoneSource | None:
    """The zone's file, if it names one that could be read."""
    if head.file is None or context.zone_files is None:
        return None
    where = (*path, "file")
    source = zone_source(head.file, context.file_of(where), context.root)
    found = context.zone_files.get(source.name)
    if found is None or found.problem:
        reason = found.problem if found is not None else "it was not there"
        context.report.error(where, f"{source.name} cannot be read: {reason}")
        return None
    return source


def _apex_servers(ledger: Ledger, apex: bytes) -> dict[bytes, Place]:
    """The zone's own name servers as its file has them."""
    owner = ledger.names.get(apex)
    rows = () if owner is None else range(len(ledger))
    return {
        names.lower(ledger.rdata(row)): ledger.where(row)
        for row in rows
        if ledger.owner[row] == owner and ledger.type[row] == TYPE_NS
    }


def _two_sources(
    in_file: Mapping[bytes, Place], servers: Mapping[bytes, Path], path: Path, report: Report
) -> None:
    """The file's name servers stand; the policy may repeat them."""
    if set(in_file) != set(servers):
        first = report.where(next(iter(in_file.values())))
        report.error(path, f'the zone file has other name servers ({first}); remove "ns"', key=True)


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


def _zone(draft: _Draft, context: Context) -> Zone:
    zone = draft.zone
    return Zone(
        name=ZoneName(names.name_text(zone.apex)),
        apex=zone.apex,
        soa=_file_soa(draft.soa) if draft.soa is not None else _soa(draft, context),
        records=zone.sets.pack(),
        steered=tuple(Steered(name, ServiceName(item.service)) for name, item in zone.services.items()),
        transfer=_transfer(draft, context),
        aliases=tuple(Alias(name, item.target, item.ttl_s) for name, item in zone.aliases.items()),
    )


def _transfer(draft: _Draft, context: Context) -> Transfer | None:
    written = draft.head.transfer
    if written is None:
        return None
    return transfer.transfer(written, ("zones", draft.zone.key, "transfer"), context)


def _file_soa(found: FileSoa) -> Soa:
    """The fields of SOA data (RFC 1035 3.3.13)."""
    rdata = found.rdata
    stop = names.end_of(rdata, 0)
    end = names.end_of(rdata, stop)
    serial, refresh, retry, expire, minimum = struct.unpack("!5L", rdata[end:])
    return Soa(
        mname=names.name_text(rdata[:stop]),
        rname=names.name_text(rdata[stop:end]),
        serial=serial,
        refresh_s=refresh,
        retry_s=retry,
        expire_s=expire,
        negative_ttl_s=minimum,
        ttl_s=found.ttl_s,
    )


def _soa(draft: _Draft, context: Context) -> Soa:
    head, apex = draft.head, draft.zone.apex
    written = head.soa
    path: Path = ("zones", draft.zone.key, "soa")
    mname = _host(written.mname, (*path, "mname"), context) if written.mname else None
    rname = _mailbox(written.rname, apex, (*path, "rname"), context)
    return Soa(
        mname=names.name_text(mname or next(iter(draft.servers), apex)),
        rname=names.name_text(rname or apex),
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
