"""Where NS, MX and SRV records point: hosts of ours must have addresses and be no CNAMEs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from georouter.policy.report import Place, Report
from georouter.policy.resolve.ledger import Sets
from georouter.policy.resolve.records import Aliasing, Answering
from georouter.wire import codes, names
from georouter.wire.rdata import name_in_rdata

_WILDCARD = b"\x01*"
_WHAT = {codes.TYPE_NS: "a name server", codes.TYPE_MX: "a mail host", codes.TYPE_SRV: "an SRV target"}
_RULE = {codes.TYPE_NS: "RFC 2181", codes.TYPE_MX: "RFC 2181", codes.TYPE_SRV: "RFC 2782"}


class Draft(Protocol):
    """What a zone has to tell; `coexist.ZoneDraft` does."""

    @property
    def apex(self) -> bytes: ...  # noqa: D102 - as there
    @property
    def sets(self) -> Sets: ...  # noqa: D102
    @property
    def services(self) -> Mapping[bytes, Answering]: ...  # noqa: D102
    @property
    def aliases(self) -> Mapping[bytes, Aliasing]: ...  # noqa: D102
    @property
    def cuts(self) -> frozenset[bytes]: ...  # noqa: D102
    @property
    def redirects(self) -> frozenset[bytes]: ...  # noqa: D102


def check(zones: Mapping[bytes, Draft], report: Report) -> None:
    """`zones` by apex."""
    hosts = _Hosts(finder(zones))
    for zone in zones.values():
        for index in zone.sets.of_type(codes.TYPE_NS, codes.TYPE_MX, codes.TYPE_SRV):
            number = int(zone.sets.type[index])
            for rdata, place in zone.sets.records(index):
                host = name_in_rdata(number, rdata)
                if host is None or (host == b"\0" and number != codes.TYPE_NS):
                    continue  # RFC 7505, RFC 2782: a root target says that there is no such service
                at_cut = zone.sets.name(index) if number == codes.TYPE_NS else None
                _target(hosts, number, names.lower(host), at_cut, place, report)


class _Problem(Enum):
    NONE = "fine, or not ours"
    ADDRESS = "has no address"
    ALIAS = "is an alias"
    GLUE = "is delegated, and has no address here"


def _target(  # noqa: PLR0917 - what is known of one record
    hosts: "_Hosts", number: int, host: bytes, at_cut: bytes | None, place: Place, report: Report
) -> None:
    text = names.name_text(host)
    match hosts.problem(host):
        case _Problem.ADDRESS if at_cut in hosts.finder.zones:
            message = f'"{text}" is in a zone of this policy but has no address; add an A or AAAA record'
            report.error(place, message)
        case _Problem.ADDRESS:
            report.warn(place, f'"{text}" has no address in this policy; add its A or AAAA record')
        case _Problem.ALIAS:
            message = f'"{text}" is an alias; {_WHAT[number]} must have addresses ({_RULE[number]})'
            report.error(place, message)
        case _Problem.GLUE if at_cut is not None and names.is_below(host, at_cut):
            message = f'"{text}" lies in the delegated zone; add its A or AAAA record as glue'
            report.error(place, message)
        case _:
            pass


@dataclass(slots=True)
class Finder:
    """Finds names among the zones (by apex) before there is a tree of them. `cuts` are the delegations of
    all zones, each with its zone.
    """

    zones: Mapping[bytes, Draft]
    cuts: Mapping[bytes, Draft]
    existing: dict[bytes, frozenset[bytes]] = field(default_factory=dict)

    def zone_of(self, name: bytes) -> tuple[Draft | None, bool]:
        """The zone that a name lies in, None where it is not ours; or who delegates it, and True."""
        above = name
        while above not in self.zones:
            if above in self.cuts:
                # the zone of ours that lies at the cut would have been found before
                return self.cuts[above], True
            if above == b"\0":
                return None, False
            above = names.parent(above)
        return self.zones[above], False

    def redirect(self, name: bytes, zone: Draft) -> bytes | None:
        """The DNAME above a name that makes another one of it."""
        while zone.redirects and name != zone.apex:
            name = names.parent(name)
            if name in zone.redirects:
                return name
        return None

    def owner(self, name: bytes, zone: Draft) -> bytes | None:
        """The name whose records answer `name`: itself, or the wildcard that covers it (RFC 4592 2.2.1)."""
        if name in zone.sets.ledger.names or name in zone.services or name in zone.aliases:
            return name
        existing = self.existing.get(zone.apex)
        if existing is None:
            existing = self.existing[zone.apex] = _existing(zone)
        above = name
        while above not in existing:
            above = names.parent(above)
            if above in existing:
                star = _WILDCARD + above
                return star if star in existing else None
        return name


def finder(zones: Mapping[bytes, Draft]) -> Finder:
    """For these zones, by apex."""
    return Finder(zones, {name: zone for zone in zones.values() for name in zone.cuts})


@dataclass(slots=True)
class _Hosts:
    """Judges hosts, each once."""

    finder: Finder
    known: dict[bytes, _Problem] = field(default_factory=dict)

    def problem(self, host: bytes) -> _Problem:
        """What is wrong with `host` (lower-case wire format) as a target."""
        found = self.known.get(host)
        if found is None:
            found = self.known[host] = self.look(host)
        return found

    def look(self, host: bytes) -> _Problem:
        """As `problem`."""
        zone, delegated = self.finder.zone_of(host)
        if zone is None:
            return _Problem.NONE
        if delegated:
            return _Problem.NONE if has_address(zone, host) else _Problem.GLUE
        if self.finder.redirect(host, zone) is not None:
            return _Problem.ALIAS
        owner = self.finder.owner(host, zone)
        if owner is None:
            return _Problem.ADDRESS
        if zone.sets.find(owner, codes.TYPE_CNAME) is not None:
            return _Problem.ALIAS
        fine = owner in zone.services or owner in zone.aliases or has_address(zone, owner)
        return _Problem.NONE if fine else _Problem.ADDRESS


def has_address(zone: Draft, host: bytes) -> bool:
    """Whether a name has static addresses."""
    return any(zone.sets.find(host, number) is not None for number in (codes.TYPE_A, codes.TYPE_AAAA))


def _existing(zone: Draft) -> frozenset[bytes]:
    """The owners of a zone and all names above them."""
    found: set[bytes] = {zone.apex}
    for names_ in (zone.sets.spellings, zone.services, zone.aliases):
        for owner in names_:
            name = owner
            while name not in found:
                found.add(name)
                name = name[1 + name[0] :]
    return frozenset(found)
