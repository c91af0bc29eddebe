"""What a question meets in the compiled names: a zone, an owner, and perhaps a service."""

from dataclasses import dataclass
from enum import StrEnum

from georouter.answers.lookup import NOT_OURS, REDIRECTED, at_node, below, closest_encloser, static
from georouter.answers.redirect import follow
from georouter.answers.tables import NOT_COUNTED, Directory
from georouter.answers.tenants import pinned
from georouter.wire.names import lower, name_text
from georouter.words.ids import ServiceName, ZoneName


class Kind(StrEnum):
    """What stands behind a question."""

    SERVICE = "service"
    """Steered: the answer depends on the client."""
    ALIAS = "alias"
    """The addresses of a name outside our zones, the same for everybody."""
    RECORDS = "records"
    """Static records, the same for everybody."""
    NO_DATA = "no data"
    """The name exists, this record type does not."""
    NO_NAME = "no such name"
    REFERRAL = "referral"
    """Delegated to other servers."""
    REDIRECT = "redirect"
    """Below a DNAME whose target is not steered."""
    OUTSIDE = "outside"
    """In no zone of ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a question ends.

    `owner` is the name that matched (`*.app.example.com` for a wildcard, the delegation for a
    referral); None when there is none. `view` indexes `Directory.views` for a steered answer and for
    an alias.
    """

    kind: Kind
    zone: ZoneName | None = None
    owner: str | None = None
    service: ServiceName | None = None
    view: int | None = None


def find(directory: Directory, name: bytes, type_: int) -> Found:
    """What answers `name` (wire format, any case) and record type `type_`."""
    name = lower(name)
    node = directory.index.get(name, NOT_OURS)
    if node != NOT_OURS:
        ref = at_node(directory, node, type_)
    else:
        node = closest_encloser(directory.index, name)
        if node == NOT_OURS:
            return Found(Kind.OUTSIDE)
        ref, closest = below(directory, node, type_), node
        if not directory.cut[node] and directory.wildcard[node] >= 0:
            node = directory.wildcard[node]
        pin = directory.pins.get(closest)
        if pin is not None:
            ref, _ = pinned(directory, pin, name, ref)
        if ref == REDIRECTED:
            way = follow(directory, name, type_)
            if way.alone is None and way.ref < 0:
                return find(directory, way.target, type_)
    zone = directory.zones[directory.zone[node]]
    place = ZoneName(zone.name)
    if ref >= 0 and ref == zone.nxdomain:
        return Found(Kind.NO_NAME, place)
    owner = name_text(next(owner for owner, index in directory.index.items() if index == node))
    if ref == REDIRECTED:
        return Found(Kind.REDIRECT, place, owner)
    if ref < 0 and directory.views[~ref].counter_base == NOT_COUNTED:
        return Found(Kind.ALIAS, place, owner, None, ~ref)
    if ref < 0:
        return Found(Kind.SERVICE, place, owner, _service(directory, ~ref), ~ref)
    return Found(_static(directory, node, ref), place, owner)


def _service(directory: Directory, view: int) -> ServiceName:
    """Services and their views share the base of their counters."""
    base = directory.views[view].counter_base
    return next(ServiceName(service.name) for service in directory.layout.services if service.base == base)


def _static(directory: Directory, node: int, ref: int) -> Kind:
    head = static(directory, ref).head[0]
    if int.from_bytes(head[4:6]):
        return Kind.RECORDS
    return Kind.REFERRAL if directory.cut[node] and ref == directory.other[node] else Kind.NO_DATA
