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

from georouter.policy.model import Alias, RecordSet, Zone
from georouter.policy.packed import PackedRecords, pack
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_DNAME, TYPE_DS, TYPE_NS
from georouter.wire.names import lower, name_text, parent
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
    """Nodes by number, in the order of `index`. `services` tells who steers a node, `aliases` whose
    addresses it has.
    """

    index: dict[bytes, int] = field(default_factory=dict)
    zone: "array[int]" = field(default_factory=lambda: array("i"))
    wildcard: "array[int]" = field(default_factory=lambda: array("i"))
    cut: bytearray = field(default_factory=bytearray)
    packed: list[PackedRecords] = field(default_factory=list)
    """The static records of each zone."""
    held: "array[int]" = field(default_factory=lambda: array("i"))
    """Which owner of its zone's records a node is, or -1."""
    apexes: set[int] = field(default_factory=set)
    stars: list[bytes] = field(default_factory=list)
    """Names whose first label is `*`."""
    services: dict[int, ServiceName] = field(default_factory=dict)
    aliases: dict[int, Alias] = field(default_factory=dict)
    redirects: dict[int, RecordSet] = field(default_factory=dict)
    """DNAME sets by their node (RFC 6672)."""
    upper: dict[int, tuple[int, RecordSet | None]] = field(default_factory=dict)
    """For an apex inside another zone of ours: that zone, and its DS set for the apex."""
    hidden: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """By zone and name, as `held`: what is below cuts, empty names between too. It is glue of that zone
    alone."""
    warnings: list[str] = field(default_factory=list)

    def sets(self, node: int) -> dict[int, RecordSet]:
        """The static records of a node, by type; made anew at every call."""
        held = self.held[node]
        return self.packed[self.zone[node]].sets(held) if held >= 0 else {}

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
            return self.sets(node)
        held = self.hidden.get((zone, found), -1)
        return self.packed[zone].sets(held) if held >= 0 else {}

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
        tree.apexes.add(_add_node(tree, zone.apex, apexes[zone.apex]))
    inner = _inner(apexes)
    tree.packed.extend(pack(zone.records) for zone in zones)
    for number, zone in enumerate(zones):
        _plant(tree, zone, number, inner[zone.apex])
    for name in tree.stars:
        node, above = tree.index[name], tree.index.get(parent(name))
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
    packed = tree.packed[number]
    borders = _borders(packed, zone.apex, inner)
    if inner or borders.cuts or borders.redirects:
        for owner, name in enumerate(packed.names()):
            _place(tree, zone, number, owner, name, borders)
    else:
        for owner, name in enumerate(packed.names()):
            tree.held[_ensure(tree, name, number, zone.apex)] = owner
    for owner_name in borders.cuts & tree.index.keys():
        tree.cut[tree.index[owner_name]] = 1
    for owner_name in borders.redirects & tree.index.keys():
        node = tree.index[owner_name]
        if tree.zone[node] == number and not tree.cut[node]:
            tree.redirects[node] = tree.sets(node)[TYPE_DNAME]
    for steered in zone.steered:
        lost = _why_lost(steered.owner, zone.apex, borders)
        if lost is not None:
            tree.warnings.append(_lost(steered.owner, zone, lost))
        else:
            tree.services[_ensure(tree, steered.owner, number, zone.apex)] = steered.service
    for alias in zone.aliases:
        lost = _why_lost(alias.owner, zone.apex, borders)
        if lost is not None:
            tree.warnings.append(_lost(alias.owner, zone, lost))
        else:
            tree.aliases[_ensure(tree, alias.owner, number, zone.apex)] = alias
    for apex, nearest in inner.items():
        if nearest and not _cut_above(apex, zone.apex, borders.cuts):
            tree.upper.setdefault(tree.index[apex], (number, None))
            _ensure_above(tree, apex, number, zone.apex)


@dataclass(frozen=True, slots=True)
class _Borders:
    """Where a zone ends: delegations, DNAMEs, and the apexes of zones of ours inside of it. `glue` are the
    name servers that the zone names.
    """

    cuts: frozenset[bytes]
    redirects: frozenset[bytes]
    inner: Mapping[bytes, bool]
    glue: frozenset[bytes]


def _borders(packed: PackedRecords, apex: bytes, inner: Mapping[bytes, bool]) -> _Borders:
    servers = [packed[index] for index in packed.of_type(TYPE_NS)]
    cuts = frozenset(item.owner for item in servers if item.owner != apex and item.owner[:2] != STAR)
    redirects = (packed[index].owner for index in packed.of_type(TYPE_DNAME))
    return _Borders(
        cuts=frozenset(name for name in cuts if _deepest(name, apex, inner) is None),
        redirects=frozenset(name for name in redirects if name[:2] != STAR),
        inner=inner,
        glue=frozenset(lower(host) for item in servers for host in item.rdatas) if inner else frozenset(),
    )


def _place(  # noqa: PLR0917 - one owner of one zone
    tree: Tree, zone: Zone, number: int, owner: int, name: bytes, borders: _Borders
) -> None:
    """Where a name of a zone with borders belongs."""
    foreign = _deepest(name, zone.apex, borders.inner)
    if foreign is not None:
        _foreign(tree, zone, number, owner, name, name in borders.glue)
    elif _cut_above(name, zone.apex, borders.cuts):
        _hide(tree, name, number, owner)
    elif _below_any(name, zone.apex, borders.redirects):
        tree.warnings.append(_lost(name, zone, "it lies below a DNAME"))
    else:
        tree.held[_ensure(tree, name, number, zone.apex)] = owner


def _foreign(  # noqa: PLR0917 - as above
    tree: Tree, zone: Zone, number: int, owner: int, name: bytes, is_glue: bool
) -> None:
    """Of what lies in a zone of its own only the DS set at its apex is this zone's; a delegation's NS and
    glue are as good there.
    """
    records = tree.packed[number].sets(owner)
    held = set(records)
    if tree.index.get(name, -1) in tree.apexes:
        if TYPE_DS in records:
            tree.upper[tree.index[name]] = (number, records[TYPE_DS])
        held -= {TYPE_DS, TYPE_NS}
    if is_glue:
        held -= {TYPE_A, TYPE_AAAA}
    if held:
        tree.warnings.append(_lost(name, zone, "it lies in a zone of its own"))


def _why_lost(name: bytes, apex: bytes, borders: _Borders) -> str | None:
    """Why a steered name or an alias cannot be answered, if so."""
    if _deepest(name, apex, borders.inner) is not None:
        return "it lies in a zone of its own"
    if name in borders.cuts or _cut_above(name, apex, borders.cuts):
        return "it is delegated"
    return "it lies below a DNAME" if _below_any(name, apex, borders.redirects) else None


def _add_node(tree: Tree, name: bytes, zone: int) -> int:
    node = tree.index[name] = len(tree.zone)
    tree.zone.append(zone)
    tree.wildcard.append(-1)
    tree.cut.append(0)
    tree.held.append(-1)
    if name[:2] == STAR:
        tree.stars.append(name)
    return node


def _ensure(tree: Tree, name: bytes, zone: int, apex: bytes) -> int:
    """The node of `name`, made together with its ancestors where it is new."""
    node = tree.index.get(name)
    if node is None:
        node = _add_node(tree, name, zone)
        _ensure_above(tree, name, zone, apex)
    return node


def _hide(tree: Tree, name: bytes, zone: int, owner: int) -> None:
    """Keep a name below a cut, and that the names between it and the apex exist."""
    tree.hidden[zone, name] = owner
    while (zone, name := parent(name)) not in tree.hidden and name not in tree.index:
        tree.hidden[zone, name] = -1


def _ensure_above(tree: Tree, name: bytes, zone: int, apex: bytes) -> None:
    while name != apex:
        name = name[1 + name[0] :]
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
