"""Where names are tenants': at wildcards of services that pin, and behind CNAMEs that lead there."""

from collections.abc import Sequence

from georouter.answers.choice import settle
from georouter.answers.tables import UNKNOWN_CHAIN, UNKNOWN_HASH, Pin, ZoneTable
from georouter.answers.tenants import NOBODY, label_of
from georouter.compiler.tree import STAR, Tree
from georouter.compiler.views import HookedPin, Views
from georouter.wire.names import parent

MISSING, BETWEEN = -2, -3
"""Of a name that a closed directory does not have: it does not exist, or only names below it do."""


def pins(tree: Tree, views: Views, zones: Sequence[ZoneTable], nodata: Sequence[int]) -> dict[int, Pin]:
    """The pin of each wildcard that stands for tenants, by the node of its parent.

    `nodata` has each zone's ref of the answer "nothing of this type".
    """
    found: dict[int, Pin] = {}
    names = tuple(tree.index) if any(hook.pin for hook in views.hooks.values()) else ()
    for node, service in tree.services.items():
        hooked = views.hooks[service].pin
        if hooked is None or names[node][:2] != STAR:
            continue
        above = parent(names[node])
        zone = tree.zone[node]
        found[tree.index[above]] = Pin(
            tenants=hooked.tenants,
            label=hooked.label,
            parent=len(above),
            unknown=hooked.unknown,
            homes=hooked.homes,
            known=len(hooked.directory.kinds),
            nxdomain=zones[zone].nxdomain,
            nodata=nodata[zone],
            counter=hooked.counter,
        )
    return found


def tenant_behind(hooked: HookedPin | None, wildcard: bytes, name: bytes) -> int:
    """The kind of the tenant whose name `name` is, which `wildcard` stands for (lower-case wire names).

    `NOBODY` where everybody gets the same, `MISSING` and `BETWEEN` where there is nothing.
    """
    if hooked is None or name == wildcard or wildcard[:2] != STAR:
        return NOBODY
    label = label_of(name, len(wildcard) - len(STAR), hooked.label)
    kind = hooked.directory.kind_of(label) if label else NOBODY
    if kind >= 0 or hooked.unknown == UNKNOWN_CHAIN:
        return kind
    if hooked.unknown == UNKNOWN_HASH:
        return settle(hooked.homes, label) if label else NOBODY
    return MISSING if label else BETWEEN
