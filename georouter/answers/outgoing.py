"""Zone transfers: who gets one, and its messages one after the other (AXFR: RFC 5936, IXFR: RFC 1995).

Rules, and where they come from:

1. NOTAUTH for names that are no zone of ours (RFC 5936 2.2.1); REFUSED for who may not, and for AXFR over
   UDP, which is not defined (RFC 5936 4.2).
2. A transfer begins and ends with the SOA (RFC 5936 2.2). An IXFR from a serial we still know the way from
   has SOA, differences, SOA; from another one it looks like an AXFR; from ours or a newer one it is the
   SOA alone (RFC 1995 2, 4).
3. Over UDP an IXFR that does not fit is the SOA alone, and the client comes back over TCP (RFC 1995 2).
4. Every message has the question (RFC 5936 2.2.1 allows it), so that names are compressed against the
   zone's own, which is always there; and all are signed where the request was (RFC 8945 5.3.1).
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from georouter.answers.copies import Content, Copies, Copy, Record
from georouter.answers.lookup import zone_at
from georouter.answers.make import AA, QR, make_answer
from georouter.answers.tables import Answer, Directory
from georouter.wire.codes import (
    EDE_NOT_AUTHORITATIVE,
    EDE_NOT_SUPPORTED,
    EDE_PROHIBITED,
    RCODE_FORMERR,
    RCODE_NOTAUTH,
    RCODE_REFUSED,
    TYPE_AXFR,
    TYPE_CNAME,
    TYPE_IXFR,
    TYPE_NS,
    TYPE_PTR,
)
from georouter.wire.edns import make_error
from georouter.wire.message import FLAG_RD, HEADER_SIZE, Query
from georouter.wire.names import is_below, name_text
from georouter.wire.serials import is_newer

if TYPE_CHECKING:
    from georouter.wire.signing import Signer

TRANSFERS = frozenset({TYPE_AXFR, TYPE_IXFR})
"""Query types that ask for a zone."""
MESSAGE_SIZE = 16 * 1024
"""Octets of a message, but where one record is larger. Pointers reach no farther (RFC 1035 4.1.4), and it
is what the loop is held up by for half a millisecond."""

NO_ZONE = make_answer(rcode=RCODE_NOTAUTH, authoritative=False, option=make_error(EDE_NOT_AUTHORITATIVE))
PROHIBITED = make_answer(rcode=RCODE_REFUSED, authoritative=False, option=make_error(EDE_PROHIBITED))
KEPT_BACK = make_answer(
    rcode=RCODE_REFUSED,
    authoritative=False,
    option=make_error(EDE_PROHIBITED, "the zone has steered names"),
)
NOT_OVER_UDP = make_answer(
    rcode=RCODE_REFUSED, authoritative=False, option=make_error(EDE_NOT_SUPPORTED, "AXFR needs TCP")
)
NO_SERIAL = make_answer(rcode=RCODE_FORMERR, authoritative=False)
"""An IXFR query without the SOA that says what the client has (RFC 1995 3)."""

_QUESTION = b"\xc0\x0c"
_ONE_NAME = frozenset(kind.to_bytes(2) for kind in (TYPE_NS, TYPE_CNAME, TYPE_PTR))
"""Types whose data is one name that may be compressed (RFC 3597 4)."""


class Outgoing:
    """One transfer under way. `next` gives its messages; what it reads never changes under it."""

    __slots__ = ("_apex", "_asked", "_held", "_opt", "_records", "_signer", "kind", "serial", "zone")

    def __init__(
        self, asked: Query, content: Content, kind: str, records: Iterable[Record], signer: "Signer | None"
    ) -> None:
        """`kind` is `AXFR`, `IXFR`, or `SOA` for an IXFR that had nothing to tell."""
        self.zone = name_text(content.apex)
        self.kind = kind
        self.serial = content.serial
        self._asked = asked
        self._apex = content.apex
        self._records: Iterator[Record] = iter(records)
        self._held: Record | None = None
        self._signer = signer
        self._opt = b""

    @property
    def key(self) -> str:
        """The name of the key that signs it, empty without one."""
        return name_text(self._signer.key) if self._signer else ""

    def begin(self, opt: bytes) -> "Outgoing":
        """Put `opt` into the first message (RFC 5936 2.2.5)."""
        self._opt = opt
        return self

    def next(self, now: float) -> bytes | None:
        """The next message, None after the last. `now` is the wall clock in seconds."""
        body, count = self._fill()
        if not count:
            return None
        opt, self._opt = self._opt, b""
        return self._finish(QR | AA, count, body, opt, now)

    def refuse(self, rcode: int, now: float) -> bytes:
        """A message with this response code in place of the transfer."""
        return self._finish(QR | rcode, 0, b"", self._opt, now)

    def _finish(self, flags: int, count: int, body: bytes, opt: bytes, now: float) -> bytes:
        asked = self._asked
        assert asked.question is not None  # noqa: S101 - a transfer was asked for
        counts = b"\0\1" + count.to_bytes(2) + (b"\0\0\0\1" if opt else b"\0\0\0\0")
        flags |= asked.flags & FLAG_RD
        message = b"".join((asked.id, flags.to_bytes(2), counts, asked.question.raw, body, opt))
        return self._signer.sign(message, now) if self._signer else message

    def _fill(self) -> tuple[bytes, int]:
        """As many records as fit, one at least where there are any, and how many."""
        assert self._asked.question is not None  # noqa: S101 - as above
        apex, cut = self._apex, -len(self._apex)
        size = HEADER_SIZE + len(self._asked.question.raw)
        limit = MESSAGE_SIZE - len(self._opt) - (self._signer.room if self._signer else 0)
        parts: list[bytes] = []
        last, pointer = apex, _QUESTION
        held, self._held = self._held, None
        records = self._records if held is None else chain((held,), self._records)
        for record in records:
            owner, tail = record
            name = pointer if owner == last else owner[:cut] + _QUESTION
            if tail[:2] in _ONE_NAME:
                tail = _compressed(tail, apex)
            more = len(name) + len(tail)
            if size + more > limit and parts:
                self._held = record
                break
            if owner != last:
                last, pointer = owner, (0xC000 | size).to_bytes(2)
            parts += (name, tail)
            size += more
        return b"".join(parts), len(parts) // 2


def _compressed(tail: bytes, apex: bytes) -> bytes:
    """A record from its type on, whose data is one name, with as much of the name as needed."""
    name = tail[10:]
    if not name.endswith(apex) or not is_below(name, apex):
        return tail
    data = name[: -len(apex)] + _QUESTION
    return tail[:8] + len(data).to_bytes(2) + data if len(data) < len(name) else tail


def judge(
    directory: Directory, copies: Copies, name: bytes, client: tuple[int, int], signer: "Signer | None"
) -> Copy | Answer:
    """The zone, for who may have it, or the answer for who may not.

    `client` is the source address and its family; `signer` has the key that the request was signed with.
    """
    apex = name.lower()
    if zone_at(directory, apex) < 0:
        return NO_ZONE
    copy = copies.zones.get(apex)
    if copy is None or not copy.grant.allows(*client, signer.key if signer else None):
        return PROHIBITED
    if copy.content.steered and not copy.grant.steered:
        return KEPT_BACK
    return copy


def plan(asked: Query, copy: Copy) -> tuple[str, Iterable[Record]]:
    """What a request gets over TCP: the kind of transfer, and its records. IXFR has a serial."""
    content = copy.content
    soa = (content.start(),)
    assert asked.question is not None  # noqa: S101 - a transfer was asked for
    if asked.question.type == TYPE_IXFR:
        assert asked.serial is not None  # noqa: S101 - it was looked at before
        if asked.serial == content.serial or is_newer(asked.serial, content.serial):
            return "SOA", soa
        deltas = copy.since(asked.serial)
        if deltas:
            return "IXFR", chain(soa, chain.from_iterable(deltas), soa)
    return "AXFR", chain(soa, content, soa)


def in_one(asked: Query, copy: Copy, room: int) -> Answer:
    """An IXFR as one message: the differences where they fit into `room` octets, else the SOA alone."""
    kind, records = plan(asked, copy)
    if kind == "IXFR":
        parts, size = [], 0
        for owner, tail in records:
            parts.append(owner + tail)
            size += len(owner) + len(tail)
            if size > room:
                break
        else:
            return make_answer(answers=len(parts), body=b"".join(parts))
    owner, tail = copy.content.start()
    return make_answer(answers=1, body=owner + tail)
