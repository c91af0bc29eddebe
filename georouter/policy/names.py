"""Which service answers a name: exact names, wildcards (RFC 4592), aliases, CNAMEs, DNAMEs of the policy."""

from collections.abc import Collection, Mapping

from georouter.policy.model import Zone
from georouter.policy.packed import pack
from georouter.wire import names
from georouter.wire.codes import TYPE_CNAME, TYPE_DNAME
from georouter.words.ids import ServiceName

_WILDCARD = b"\x01*"
_LONGEST_CHASE = 8
"""Aliases, CNAMEs and DNAMEs followed; operators rarely chain two."""


class Names:
    """The owner names of all zones. Build once, ask often."""

    def __init__(self, zones: Collection[Zone]) -> None:
        self._steered: dict[bytes, ServiceName] = {}
        self._alias: dict[bytes, bytes] = {}
        self._redirects: dict[bytes, bytes] = {}
        self._exists: set[bytes] = set()
        for zone in zones:
            for steered in zone.steered:
                self._steered[steered.owner] = steered.service
                self._add(steered.owner, zone.apex)
            for alias in zone.aliases:
                self._alias[alias.owner] = alias.target
                self._add(alias.owner, zone.apex)
            records = pack(zone.records)
            for owner in records.names():
                self._add(owner, zone.apex)
            for number, targets in ((TYPE_CNAME, self._alias), (TYPE_DNAME, self._redirects)):
                for index in records.of_type(number):
                    record = records[index]
                    targets[record.owner] = names.lower(record.rdatas[0])
            self._add(zone.apex, zone.apex)
        for alias in (alias for zone in zones for alias in zone.aliases):
            service = self.service_of(alias.owner)
            if service is not None:
                self._steered[alias.owner] = service

    @property
    def steered(self) -> Mapping[bytes, ServiceName]:
        """Every steered owner (lower-case wire format) and its service; aliases of steered names, too."""
        return self._steered

    def service_of(self, name: bytes) -> ServiceName | None:
        """The service that answers `name` (wire format, any case), None when none does."""
        end = self.end_of(name)
        return None if end is None else self._steered[end[0]]

    def end_of(self, name: bytes) -> tuple[bytes, bytes] | None:
        """The steered owner that answers `name` (wire format, any case), and the name that CNAMEs and DNAMEs
        make of it; None when no service does.
        """
        at: bytes | None = names.lower(name)
        for _ in range(_LONGEST_CHASE):
            if at is None:
                break
            owner = self.owner_of(at)
            if owner in self._steered:
                return owner, at
            at = self._alias.get(owner) if owner is not None else self._renamed(at)
        return None

    def _renamed(self, name: bytes) -> bytes | None:
        """What a DNAME right above a name that does not exist makes of it (RFC 6672 2.2)."""
        above = name
        while above not in self._exists and above != b"\0":
            above = names.parent(above)
        target = self._redirects.get(above)
        renamed = name[: len(name) - len(above)] + target if target is not None else b""
        return renamed if 0 < len(renamed) <= names.MAX_NAME else None

    def owner_of(self, name: bytes) -> bytes | None:
        """The owner whose records answer `name`: itself, or the wildcard that covers it."""
        if name in self._exists:
            return name
        above = name
        while above != b"\0":
            above = names.parent(above)
            if above in self._exists:
                wildcard = _WILDCARD + above
                return wildcard if wildcard in self._exists else None
        return None

    def _add(self, owner: bytes, apex: bytes) -> None:
        """The owner, and the names between it and the apex that exist because of it."""
        while owner not in self._exists:
            self._exists.add(owner)
            if owner in (apex, b"\0"):
                return
            owner = names.parent(owner)
