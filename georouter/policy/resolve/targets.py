"""Where NS and MX records point: hosts of ours must have addresses and be no aliases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from georouter.policy.nodes import Path
from georouter.policy.report import Report
from georouter.policy.resolve.records import Owner
from georouter.wire import codes, names

_WILDCARD = b"\x01*"


def check(owners: Mapping[bytes, Owner], apexes: Iterable[bytes], report: Report) -> None:
    """`owners` are the names of all zones, `apexes` the zones themselves."""
    zones = frozenset(apexes)
    cuts = frozenset(
        name for name, owner in owners.items() if codes.TYPE_NS in owner.sets and name not in zones
    )
    hosts = _Hosts(owners, zones, cuts, _existing(owners))
    for name, owner in owners.items():
        servers, mail = owner.sets.get(codes.TYPE_NS), owner.sets.get(codes.TYPE_MX)
        for rdata, path in servers.rdatas.items() if servers else ():
            hosts.name_server(names.lower(rdata), name, path, report)
        for rdata, path in mail.rdatas.items() if mail else ():
            if rdata[2:] != b"\0":  # RFC 7505: a root target says that no mail is accepted
                hosts.mail_host(names.lower(rdata[2:]), path, report)


@dataclass(frozen=True, slots=True)
class _Hosts:
    owners: Mapping[bytes, Owner]
    zones: frozenset[bytes]
    cuts: frozenset[bytes]
    existing: frozenset[bytes]

    def name_server(self, target: bytes, owner: bytes, path: Path, report: Report) -> None:
        problem = self.problem(target)
        text = names.name_text(target)
        if owner in self.zones and problem == "address":
            message = f'"{text}" is in a zone of this policy but has no address; add an A or AAAA record'
            report.error(path, message)
        elif problem == "address":
            report.warn(path, f'"{text}" has no address in this policy; add its A or AAAA record')
        elif problem == "alias":
            report.warn(path, f'"{text}" is a CNAME; a name server must have addresses (RFC 2181)')
        elif problem == "glue" and names.is_below(target, owner):
            report.warn(path, f'"{text}" lies in the delegated zone; add its A or AAAA record as glue')

    def mail_host(self, target: bytes, path: Path, report: Report) -> None:
        problem = self.problem(target)
        text = names.name_text(target)
        if problem == "address":
            report.warn(path, f'"{text}" has no address in this policy; add its A or AAAA record')
        elif problem == "alias":
            report.warn(path, f'"{text}" is a CNAME; a mail host must have addresses (RFC 2181)')

    def problem(self, target: bytes) -> str:
        """`address`, `alias` or `glue`; empty for hosts that are fine or not ours."""
        above = target
        while above not in self.zones and above not in self.cuts:
            if above == b"\0":
                return ""
            above = names.parent(above)
        owner = self.owners.get(target)
        if above in self.cuts:
            return "" if owner is not None and _has_address(owner) else "glue"
        if owner is None and target not in self.existing:
            owner = self.wildcard(target)
        if owner is None:
            return "address"
        if codes.TYPE_CNAME in owner.sets:
            return "alias"
        return "" if owner.service is not None or _has_address(owner) else "address"

    def wildcard(self, target: bytes) -> Owner | None:
        """The wildcard that answers a name that does not exist (RFC 4592 2.2.1)."""
        while target != b"\0":
            target = names.parent(target)
            if target in self.existing:
                return self.owners.get(_WILDCARD + target)
        return None


def _has_address(owner: Owner) -> bool:
    return codes.TYPE_A in owner.sets or codes.TYPE_AAAA in owner.sets


def _existing(owners: Mapping[bytes, Owner]) -> frozenset[bytes]:
    """The owners and all names above them."""
    found: set[bytes] = set()
    for owner in owners:
        name = owner
        while name not in found and name != b"\0":
            found.add(name)
            name = names.parent(name)
    return frozenset(found)
