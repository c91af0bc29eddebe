"""`Tree`: every name our zones have, as nodes, and the RFC 1034/4592 search among them.

Rule 1: the deepest zone owns a name; what an outer zone says at or below an inner zone's apex is left
out (but the DS set at that apex, which belongs to the outer side, RFC 4035 3.1.4.1).
Rule 2: an NS set below an apex is a cut; names below it are not ours and get no node. Below a DNAME there
is nothing (RFC 6672 2.4).
Rule 3: every ancestor of a name up to its apex exists too (empty non-terminals, RFC 4592 2.2.2).
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from georouter.policy.model import RecordSet, Zone
from georouter.wire.codes import TYPE_DNAME, TYPE_DS, TYPE_NS
from georouter.wire.names import name_text, parent
from georouter.words.ids import ServiceName

STAR = b"\x01*"
"""The label that makes a name a wildcard when it comes first (RFC 4592 2.1.1)."""


class Where(Enum):
    """How a name relates to our zones."""

    FOUND = "found"
    """It exists, or a wildcard covers it; the node has its records."""
    CUT = "cut"
    """At or below a delegation."""
    REDIRECT = "redirect"
    """Below a DNAME; the node has it."""
    NOWHERE = "nowhere"
    """In a zone of ours, and does not exist."""
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Found:
    """Result of a search. `node` is -1 outside; for `NOWHERE` it is the closest encloser."""

    where: Where
    node: int


@dataclass(slots=True)
class Tree:
    """Nodes by number: `sets[node]` holds static records by type, `services` who steers a node."""

    index: dict[bytes, int] = field(default_factory=dict)
    zone: "array[int]" = field(default_factory=lambda: array("i"))
    wildcard: "array[int]" = field(default_factory=lambda: array("i"))
    cut: bytearray = field(default_factory=bytearray)
    sets: list[dict[int, RecordSet]] = field(default_factory=list)
    services: dict[int, ServiceName] = field(default_factory=dict)
    redirects: dict[int, RecordSet] = field(default_factory=dict)
    """DNAME sets by their node (RFC 6672)."""
    upper: dict[int, tuple[int, RecordSet | None]] = field(default_factory=dict)
    """For an apex inside another zone of ours: that zone, and its DS set for the apex."""
    hidden: dict[tuple[int, bytes], dict[int, RecordSet]] = field(default_factory=dict)
    """By zone and name: what is below cuts, empty names between too. It is glue of that zone alone."""
    warnings: list[str] = field(default_factory=list)

    def find(self, name: bytes) -> Found:
        """Search `name` (lower case) as a query for it would be answered."""
        node = self.index.get(name)
        if node is not None:
            return Found(Where.CUT if self.cut[node] else Where.FOUND, node)
        while name != b"\0":
            name = parent(name)
            node = self.index.get(name)
            if node is not None:
                return self._below(node)
        return Found(Where.OUTSIDE, -1)

    def near(self, name: bytes, zone: int) -> Mapping[int, RecordSet]:
        """What `zone` itself holds for a name, below cuts too, and by wildcards: for additional data."""
        above, label = name, b""
        while (zone, above) not in self.hidden and above not in self.index:
            if above == b"\0":
                return {}
            above, label = parent(above), STAR
        found = label + above
        node = self.index.get(found, -1)
        if node >= 0 and self.zone[node] == zone:
            return self.sets[node]
        return self.hidden.get((zone, found), {})

    def _below(self, node: int) -> Found:
        if self.cut[node]:
            return Found(Where.CUT, node)
        if node in self.redirects:
            return Found(Where.REDIRECT, node)
        star = self.wildcard[node]
        return Found(Where.NOWHERE, node) if star < 0 else Found(Where.FOUND, star)


def grow(zones: Sequence[Zone]) -> Tree:
    """The tree of these zones. Node numbers follow the order of the policy."""
    tree = Tree()
    apexes = {zone.apex: number for number, zone in enumerate(zones)}
    for zone in zones:
        _add_node(tree, zone.apex, apexes[zone.apex])
    inner = _inner(apexes)
    for number, zone in enumerate(zones):
        _plant(tree, zone, number, inner[zone.apex])
    for name, node in tree.index.items():
        if name[:2] == STAR:
            above = tree.index.get(parent(name))
            if above is not None and tree.zone[above] == tree.zone[node]:
                tree.wildcard[above] = node
    return tree


def _inner(apexes: Mapping[bytes, int]) -> dict[bytes, dict[bytes, bool]]:
    """For each zone the zones inside it; True for those with no other zone between."""
    inner: dict[bytes, dict[bytes, bool]] = {apex: {} for apex in apexes}
    for apex in apexes:
        name, nearest = apex, True
        while name != b"\0":
            name = parent(name)
            if name in apexes:
                inner[name][apex] = nearest
                nearest = False
    return inner


def _plant(tree: Tree, zone: Zone, number: int, inner: Mapping[bytes, bool]) -> None:
    """Add one zone's names."""
    owned: list[RecordSet] = []
    for records in zone.records:
        foreign = _deepest(records.owner, zone.apex, inner)
        if foreign is None:
            owned.append(records)
        elif records.type == TYPE_DS and records.owner == foreign:
            tree.upper[tree.index[foreign]] = (number, records)
        elif not (records.type == TYPE_NS and records.owner == foreign):
            tree.warnings.append(_lost(records.owner, zone, "it lies in a zone of its own"))
    cuts = frozenset(
        records.owner
        for records in owned
        if records.type == TYPE_NS and records.owner != zone.apex and records.owner[:2] != STAR
    )
    redirects = frozenset(
        records.owner for records in owned if records.type == TYPE_DNAME and records.owner[:2] != STAR
    )
    for records in owned:
        if _cut_above(records.owner, zone.apex, cuts):
            _hide(tree, records, number)
        elif _below_any(records.owner, zone.apex, redirects):
            tree.warnings.append(_lost(records.owner, zone, "it lies below a DNAME"))
        else:
            node = _ensure(tree, records.owner, number, zone.apex)
            tree.sets[node][records.type] = records
            if records.owner in redirects and records.type == TYPE_DNAME:
                tree.redirects[node] = records
    for owner in cuts:
        if owner in tree.index:
            tree.cut[tree.index[owner]] = 1
    for steered in zone.steered:
        if _deepest(steered.owner, zone.apex, inner) is not None:
            tree.warnings.append(_lost(steered.owner, zone, "it lies in a zone of its own"))
        elif steered.owner in cuts or _cut_above(steered.owner, zone.apex, cuts):
            tree.warnings.append(_lost(steered.owner, zone, "it is delegated"))
        elif _below_any(steered.owner, zone.apex, redirects):
            tree.warnings.append(_lost(steered.owner, zone, "it lies below a DNAME"))
        else:
            tree.services[_ensure(tree, steered.owner, number, zone.apex)] = steered.service
    for apex, nearest in inner.items():
        if nearest and not _cut_above(apex, zone.apex, cuts):
            tree.upper.setdefault(tree.index[apex], (number, None))
            _ensure_above(tree, apex, number, zone.apex)


def _add_node(tree: Tree, name: bytes, zone: int) -> int:
    node = tree.index[name] = len(tree.sets)
    tree.zone.append(zone)
    tree.wildcard.append(-1)
    tree.cut.append(0)
    tree.sets.append({})
    return node


def _ensure(tree: Tree, name: bytes, zone: int, apex: bytes) -> int:
    """The node of `name`, made together with its ancestors where it is new."""
    node = tree.index.get(name)
    if node is None:
        node = _add_node(tree, name, zone)
        _ensure_above(tree, name, zone, apex)
    return node


def _hide(tree: Tree, records: RecordSet, zone: int) -> None:
    """Keep a record set below a cut, and that the names between it and the apex exist."""
    name = records.owner
    tree.hidden.setdefault((zone, name), {})[records.type] = records
    while (zone, name := parent(name)) not in tree.hidden and name not in tree.index:
        tree.hidden[zone, name] = {}


def _ensure_above(tree: Tree, name: bytes, zone: int, apex: bytes) -> None:
    while name != apex:
        name = parent(name)
        if name in tree.index:
            return
        _add_node(tree, name, zone)


def _deepest(name: bytes, apex: bytes, inner: Mapping[bytes, bool]) -> bytes | None:
    """The inner zone's apex that owns `name`, or None when the zone itself does."""
    if not inner:
        return None
    while name != apex:
        if name in inner:
            return name
        name = parent(name)
    return None


def _cut_above(name: bytes, apex: bytes, cuts: frozenset[bytes]) -> bool:
    """True when an ancestor of `name` below `apex` is a delegation."""
    if not cuts or name == apex:
        return False
    name = parent(name)
    while name != apex:
        if name in cuts:
            return True
        name = parent(name)
    return False


def _below_any(name: bytes, apex: bytes, owners: frozenset[bytes]) -> bool:
    """True when an ancestor of `name`, the apex included, is among `owners`."""
    while owners and name != apex:
        name = parent(name)
        if name in owners:
            return True
    return False


def _lost(owner: bytes, zone: Zone, why: str) -> str:
    return f"zone {zone.name}: {name_text(owner)} is left out: {why}"
