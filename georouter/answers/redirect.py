"""Names below a DNAME: the record, the CNAME it stands for, and what the target has (RFC 6672 3).

    qname -- longest existing ancestor has a DNAME --> DNAME + CNAME qname -> target --> look up target ...

The target depends on the question, so nothing of this is made ahead of time. Finished answers are made
for the question's name: their records get the target as their owner instead.
"""

from dataclasses import dataclass
from struct import pack

from georouter.answers.lookup import NOT_OURS, REDIRECTED, at_node, below, closest_encloser
from georouter.answers.make import make_answer
from georouter.answers.tables import Answer, Directory
from georouter.answers.tenants import NOBODY, pinned, tally_of
from georouter.wire.codes import (
    CLASS_IN,
    RCODE_SERVFAIL,
    RCODE_YXDOMAIN,
    TYPE_CNAME,
    TYPE_DNAME,
)
from georouter.wire.names import MAX_NAME, end_of

MOST_LINKS = 16
"""How many CNAMEs one answer follows; resolvers stop at 8 to 16 themselves."""

_QUESTION = b"\xc0\x0c"
_POINTER = 0xC0
_AFTER_OWNER = 10
"""Octets of type, class, TTL and data length."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where DNAMEs lead: `count` records, and the ref of what the last target has.

    `alone` is the whole answer where nothing comes behind the records; then `ref` means nothing. `tenant` is
    the kind of the tenant whose name the target is, `tally` the counter of that, or -1.
    """

    records: bytes
    count: int
    target: bytes
    ref: int
    alone: Answer | None = None
    tenant: int = NOBODY
    tally: int = -1

    def led_to(self, answer: Answer) -> Answer:
        """`answer`, which was made for the question's name, as that of the target, behind the records."""
        if self.alone is not None or answer.rcode == RCODE_SERVFAIL:
            return answer
        answers, authority, additional = (int.from_bytes(answer.head[0][at : at + 2]) for at in (4, 6, 8))
        return make_answer(
            rcode=answer.rcode,
            answers=self.count + answers,
            authority=authority,
            additional=additional,
            body=self.records + _owned_by(self.target, answer.body),
            option=answer.option,
            least=None if answer.least is None else self.led_to(answer.least),
        )


def follow(directory: Directory, name: bytes, kind: int) -> Way:
    """The way from `name` (wire format, the client's case), which is below a DNAME of ours.

    A DNAME that makes names shorter may be met again and comes to an end; others are followed once.
    """
    records, count, owner = b"", 0, _QUESTION
    written: set[int] = set()
    barred: set[int] = set()
    for _ in range(MOST_LINKS):
        split = renamed_from(directory, name)
        node = directory.index[name[split:].lower()]
        found = directory.redirects[node]
        if node not in written:
            written.add(node)
            records += _record(name[split:], TYPE_DNAME, found.ttl_s, found.target)
            count += 1
        if len(found.target) >= len(name) - split:
            barred.add(node)
        name = name[:split] + found.target
        if len(name) > MAX_NAME:
            too_long = make_answer(rcode=RCODE_YXDOMAIN, answers=count, body=records)
            return Way(records, count, name, 0, too_long)
        records += _record(owner, TYPE_CNAME, found.ttl_s, name)
        count += 1
        owner = name
        # what asks for a CNAME has it (RFC 1034 4.3.2 step 3a)
        end = None if kind == TYPE_CNAME else _look_up(directory, name.lower(), kind, barred)
        if end is None:
            break
        ref, tenant, tally = end
        if ref != REDIRECTED:
            return Way(records, count, name, ref, None, tenant, tally)
    return Way(records, count, name, 0, make_answer(answers=count, body=records))


def _look_up(directory: Directory, name: bytes, kind: int, barred: set[int]) -> tuple[int, int, int] | None:
    """Ref, tenant and counter for a name in lower case; None when it is not ours, or a DNAME of `barred`
    would be next.
    """
    node = directory.index.get(name)
    if node is not None:
        return at_node(directory, node, kind), NOBODY, -1
    node = closest_encloser(directory.index, name)
    if node == NOT_OURS or node in barred:
        return None
    ref, tenant, pin = below(directory, node, kind), NOBODY, directory.pins.get(node)
    if pin is not None:
        ref, tenant = pinned(directory, pin, name, ref)
    return ref, tenant, -1 if pin is None else tally_of(pin, tenant)


def renamed_from(directory: Directory, name: bytes) -> int:
    """Where in `name`, which has no node, its longest existing ancestor begins."""
    at = 1 + name[0]
    while name[at:].lower() not in directory.index:
        at += 1 + name[at]
    return at


def _owned_by(owner: bytes, body: bytes) -> bytes:
    """The records of `body` with `owner` in the place of the question's name."""
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        if body[at] >= _POINTER:
            start = at + len(_QUESTION)
            parts.append(owner)
        else:
            start = end_of(body, at)
            parts.append(body[at:start])
        at = start + _AFTER_OWNER + int.from_bytes(body[start + 8 : start + _AFTER_OWNER])
        parts.append(body[start:at])
    return b"".join(parts)


def _record(owner: bytes, kind: int, ttl_s: int, rdata: bytes) -> bytes:
    return owner + pack("!HHIH", kind, CLASS_IN, ttl_s, len(rdata)) + rdata
