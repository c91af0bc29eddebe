"""Delegations that nobody can follow, because all their servers lie in each other.

a  NS  ns.b        the address of ns.b is asked of the servers of b,
b  NS  ns.a        that of ns.a of those of a: neither answers before the other has
"""

from collections.abc import Mapping

from georouter.policy.report import Place, Report
from georouter.policy.resolve.targets import Draft
from georouter.wire import codes, names
from georouter.wire.names import lower

_ADDRESSES = (codes.TYPE_A, codes.TYPE_AAAA)


def check(zones: Mapping[bytes, Draft], report: Report) -> None:
    """`zones` by apex. An address of one server in the zone above is all that is needed (RFC 9471 3.2)."""
    cuts = {name: zone for zone in zones.values() for name in zone.cuts if name not in zones}
    waiting: dict[bytes, set[bytes]] = {}
    places: dict[bytes, Place] = {}
    for name, zone in cuts.items():
        needed = _needed(name, zone, zones, cuts)
        if needed - {name}:  # servers in the delegated zone itself are reported one by one
            waiting[name] = needed
            places[name] = _place(name, zone)
    while found := [name for name, needed in waiting.items() if not needed - {name} <= waiting.keys()]:
        for name in found:
            del waiting[name]
    for name, needed in waiting.items():
        others = ", ".join(sorted(f'"{names.name_text(cut)}"' for cut in needed - {name}))
        report.error(
            places[name],
            f"no server can be found: all of them lie in {others}, and theirs in turn depend on this one; "
            "add the address of one as glue",
        )


def _needed(
    name: bytes, zone: Draft, zones: Mapping[bytes, Draft], cuts: Mapping[bytes, Draft]
) -> set[bytes]:
    """The delegations that the servers of one are in; nothing where the address of one is to be had."""
    needed: set[bytes] = set()
    index = zone.sets.find(name, codes.TYPE_NS)
    for rdata, _ in () if index is None else zone.sets.records(index):
        host = lower(rdata)
        if any(zone.sets.find(host, kind) is not None for kind in _ADDRESSES):
            return set()
        above = host
        while above not in cuts:
            if above in zones or above == b"\0":
                return set()
            above = names.parent(above)
        needed.add(above)
    return needed


def _place(name: bytes, zone: Draft) -> Place:
    index = zone.sets.find(name, codes.TYPE_NS)
    assert index is not None  # noqa: S101 - it is a cut
    return zone.sets.records(index)[0][1]
