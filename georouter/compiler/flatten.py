"""Where an alias leads, followed through our zones once, at compile time: to what gives the addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from georouter.compiler.tree import Tree, Where
from georouter.policy.model import RecordSet
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_CNAME
from georouter.wire.names import MAX_NAME, lower
from georouter.words.ids import ServiceName

MOST_LINKS = 32
"""Aliases, CNAMEs and DNAMEs that are followed; a policy with more is refused (`policy.resolve.aliases`)."""


@dataclass(frozen=True, slots=True)
class End:
    """What gives the addresses: static `sets`, a `service`, or the name `outside` of our zones (lower-case
    wire format), which a resolver knows. None of them where there is nothing.

    `ttl_s` is the least TTL of what was followed, the static addresses included; None where nothing of it
    has one.
    """

    ttl_s: int | None = None
    sets: Mapping[int, RecordSet] = field(default_factory=dict)
    service: ServiceName | None = None
    name: bytes = b""
    """The steered name (lower-case wire format), and the node that answers for it."""
    node: int = -1
    outside: bytes | None = None


def flatten(tree: Tree, target: bytes, most_s: int | None = None) -> End:
    """Where `target` (lower-case wire format) ends; `most_s` bounds the TTL."""
    ttl_s, name = most_s, target
    seen: set[bytes] = set()
    while name not in seen and len(seen) < MOST_LINKS and len(name) <= MAX_NAME:
        seen.add(name)
        end = tree.find(name)
        match end.where:
            case Where.OUTSIDE | Where.CUT:
                return End(ttl_s, outside=name)
            case Where.REDIRECT:
                redirect = tree.redirects[end.node]
                ttl_s = _lesser(ttl_s, redirect.ttl_s)
                name = name[: len(name) - len(redirect.owner)] + lower(redirect.rdatas[0])
            case Where.NOWHERE:
                return End(ttl_s)
            case Where.FOUND:
                sets = tree.sets(end.node)
                alias, cname = tree.aliases.get(end.node), sets.get(TYPE_CNAME)
                if alias is not None:
                    ttl_s, name = _lesser(ttl_s, alias.ttl_s), alias.target
                elif cname is not None:
                    ttl_s, name = _lesser(ttl_s, cname.ttl_s), lower(cname.rdatas[0])
                elif end.node in tree.services:
                    return End(ttl_s, service=tree.services[end.node], name=name, node=end.node)
                else:
                    found = {number: sets[number] for number in (TYPE_A, TYPE_AAAA) if number in sets}
                    return End(_lesser(ttl_s, *(held.ttl_s for held in found.values())), found)
    return End(ttl_s)


def _lesser(*ttls_s: int | None) -> int | None:
    return min((ttl_s for ttl_s in ttls_s if ttl_s is not None), default=None)
