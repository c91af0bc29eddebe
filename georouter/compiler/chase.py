"""Following CNAMEs through our own zones (RFC 1034 3.6.2, 4.3.2), once, at compile time."""

from dataclasses import dataclass

from georouter.compiler.records import QUESTION, record_set
from georouter.compiler.tree import Found, Tree, Where
from georouter.policy.model import RecordSet
from georouter.wire.codes import TYPE_CNAME
from georouter.wire.names import lower

MOST_LINKS = 8
"""How many CNAMEs one answer follows; resolvers stop at 8 to 16 themselves."""


@dataclass(frozen=True, slots=True)
class Chain:
    """CNAME records and where they lead.

    `owner` is the last target (uncompressed, case as written): the owner name of whatever follows.
    `end` is what we know about it. `broken` tells of a loop or of more than `MOST_LINKS` links: the
    answer then is the records alone.
    """

    records: bytes
    count: int
    owner: bytes
    end: Found
    broken: bool = False


def chase(tree: Tree, first: RecordSet, owner: bytes = QUESTION) -> Chain:
    """The chain that starts with the CNAME set `first`, owned by `owner`."""
    records, count = b"", 0
    seen = {first.owner}
    link = first
    while True:
        records += record_set(owner, RecordSet(link.owner, link.type, link.ttl_s, link.rdatas[:1]))
        count += 1
        owner = link.rdatas[0]
        target = lower(owner)
        end = tree.find(target)
        following = tree.sets[end.node].get(TYPE_CNAME) if end.where is Where.FOUND else None
        if following is None:
            return Chain(records, count, owner, end)
        if target in seen or count == MOST_LINKS:
            return Chain(records, count, owner, end, broken=True)
        seen.add(target)
        link = following
