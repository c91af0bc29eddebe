"""From a question to the answer that stands for it: exact name, wildcard, referral, or none."""

from collections.abc import Mapping

from georouter.answers.tables import PLAIN, Answer, Directory
from georouter.wire.codes import RCODE_NOERROR, TYPE_ANY
from georouter.wire.names import lower, parse_name

NOT_OURS = -1
"""The node of names outside all zones."""

REDIRECTED = -(2**31)
"""The ref of names below a DNAME: `redirect` makes their answers. No view has it."""


def closest_encloser(index: Mapping[bytes, int], name: bytes) -> int:
    """Node of the longest existing ancestor of `name`, which itself does not exist (RFC 4592 3.3.1).

    `name` is a lower-case wire name. `NOT_OURS` when not even a zone's apex encloses it.
    """
    at = 0
    while length := name[at]:
        at += 1 + length
        node = index.get(name[at:])
        if node is not None:
            return node
    return NOT_OURS


def below(directory: Directory, node: int, kind: int) -> int:
    """Ref for a missing name whose closest encloser is `node`, asked for record type `kind`.

    A delegation refers the client on (RFC 1034 4.3.2 step 3b); a DNAME renames (RFC 6672 3.2: before a
    wildcard); a wildcard stands in (RFC 4592 3.3); otherwise the name does not exist.
    """
    if directory.cut[node]:
        return directory.other[node]
    if node in directory.redirects:
        return REDIRECTED
    wildcard = directory.wildcard[node]
    if wildcard >= 0:
        return at_node(directory, wildcard, kind)
    return directory.zones[directory.zone[node]].nxdomain


def at_node(directory: Directory, node: int, kind: int) -> int:
    """Ref for record type `kind` at an existing node."""
    sole = directory.sole[node]
    if sole and kind in (sole >> 16, TYPE_ANY):
        return PLAIN + node
    ref = directory.rrsets.get(node << 16 | kind)
    return directory.other[node] if ref is None else ref


def static(directory: Directory, ref: int) -> Answer:
    """The answer of a ref that is not negative."""
    if ref < PLAIN:
        return directory.answers[ref]
    node = ref - PLAIN
    return Answer(directory.heads[directory.sole[node] & 0xFFFF], directory.bodies[node], b"", RCODE_NOERROR)


def zone_at(directory: Directory, apex: bytes) -> int:
    """The zone whose apex is this name (lower-case wire form), or -1."""
    node = directory.index.get(apex)
    if node is None:
        return -1
    zone = directory.zone[node]
    return zone if lower(parse_name(directory.zones[zone].name)) == apex else -1
