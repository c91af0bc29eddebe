"""Following CNAMEs and DNAMEs through our own zones (RFC 1034 4.3.2, RFC 6672 3.2), once, at compile time."""

from dataclasses import dataclass, field

from georouter.answers.redirect import MOST_LINKS
from georouter.compiler.records import QUESTION, record, record_set
from georouter.compiler.tree import Found, Tree, Where
from georouter.policy.model import RecordSet
from georouter.wire.codes import TYPE_CNAME
from georouter.wire.names import MAX_NAME, lower

_NOWHERE = Found(Where.OUTSIDE, -1)


@dataclass(frozen=True, slots=True)
class Chain:
    """CNAME records and where they lead.

    `owner` is the last target (uncompressed, case as written): the owner name of whatever follows.
    `end` is what we know about it. `broken` tells of a loop or of more than `MOST_LINKS` links: the
    answer then is the records alone. `too_long`: a DNAME makes a name of more than 255 octets of the
    target; the answer is YXDOMAIN (RFC 6672 2.2).
    """

    records: bytes
    count: int
    owner: bytes
    end: Found
    broken: bool = False
    too_long: bool = False


def chase(tree: Tree, first: RecordSet, owner: bytes = QUESTION) -> Chain:
    """The chain that starts with the CNAME set `first`, owned by `owner`."""
    path = _Path(tree, owner, {first.owner})
    path.link(first)
    while not path.stopped:
        if path.end.where is Where.REDIRECT:
            path.redirect(tree.redirects[path.end.node])
            continue
        following = tree.sets(path.end.node).get(TYPE_CNAME) if path.end.where is Where.FOUND else None
        if following is None:
            break
        path.link(following)
    return Chain(path.records, path.count, path.owner, path.end, path.broken, path.too_long)


@dataclass(slots=True)
class _Path:
    """A chain that is being followed."""

    tree: Tree
    owner: bytes
    seen: set[bytes]
    written: set[bytes] = field(default_factory=set)
    end: Found = _NOWHERE
    records: bytes = b""
    count: int = 0
    links: int = 0
    broken: bool = False
    too_long: bool = False

    @property
    def stopped(self) -> bool:
        """Whether nothing is followed from here."""
        return self.broken or self.too_long

    def link(self, alias: RecordSet) -> None:
        """Follow a CNAME, unless that was too many or the end has been here."""
        if self.links and (lower(self.owner) in self.seen or self.links == MOST_LINKS):
            self.broken = True
            return
        if self.links:
            self.seen.add(lower(self.owner))
        self.write(alias.ttl_s, alias.rdatas[0])

    def redirect(self, redirect: RecordSet) -> None:
        """Follow a DNAME above the end: the record itself, and the CNAME it stands for (RFC 6672 3.1).

        One that makes names shorter may be met again and comes to an end; others are followed once.
        """
        if self.links == MOST_LINKS or redirect.owner in self.seen:
            self.broken = True
            return
        if len(redirect.rdatas[0]) >= len(redirect.owner):
            self.seen.add(redirect.owner)
        split = len(self.owner) - len(redirect.owner)
        if redirect.owner not in self.written:
            self.written.add(redirect.owner)
            self.records += record_set(self.owner[split:], redirect)
            self.count += len(redirect.rdatas)
        target = self.owner[:split] + redirect.rdatas[0]
        self.too_long = len(target) > MAX_NAME
        if not self.too_long:
            self.write(redirect.ttl_s, target)

    def write(self, ttl_s: int, target: bytes) -> None:
        """One CNAME record, whose target is the new end."""
        self.records += record(self.owner, TYPE_CNAME, ttl_s, target)
        self.count += 1
        self.links += 1
        self.owner = target
        self.end = self.tree.find(lower(target))
