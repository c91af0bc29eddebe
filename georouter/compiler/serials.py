"""Which serial a zone gets: one that rises whenever its content changes, and at no other time.

    content as before            -> the serial as before
    content changed              -> the policy's own time, or one more than before where that is not newer
    `soa.serial`, or a zone file -> the operator's, whatever happened

The policy's own time is when the youngest of its files was written. Nodes that get the same files with the
same times give the same serials; see docs/decisions on what others do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from georouter.wire.serials import WRAP, after, is_newer
from georouter.words.ids import ZoneName

MOST_GONE = 10_000
"""Zones that are no longer in the policy and whose serials are kept, should they return."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A content, told by its digest (hexadecimal), and the serial it has."""

    digest: str
    serial: int


@dataclass(frozen=True, slots=True)
class Serials:
    """What is known before zones are numbered. `at` is the policy's own time, in Unix seconds."""

    known: Mapping[ZoneName, Numbered] = field(default_factory=dict)
    at: int = 1

    def number(self, zone: ZoneName, digest: str, written: int | None) -> Numbered:
        """The serial of a zone with this content; `written` is the operator's own."""
        if written is not None:
            return Numbered(digest, written)
        before = self.known.get(zone)
        candidate = self.at % WRAP or 1
        if before is None:
            return Numbered(digest, candidate)
        if before.digest == digest:
            return before
        serial = candidate if is_newer(candidate, before.serial) else after(before.serial)
        return Numbered(digest, serial)

    def then(self, numbered: Mapping[ZoneName, Numbered]) -> dict[ZoneName, Numbered]:
        """What is known after these were numbered: zones that are gone are remembered, up to a bound."""
        gone = [(name, item) for name, item in self.known.items() if name not in numbered]
        return {**dict(gone[-MOST_GONE:]), **numbered}
