"""Where aliases lead inside our zones: to something with addresses, and not in circles."""

from collections.abc import Mapping

from georouter.policy.report import Report
from georouter.policy.resolve.records import Aliasing
from georouter.policy.resolve.targets import Draft, Finder, finder, has_address
from georouter.wire import codes, names

_MOST_LINKS = 32
"""Aliases, CNAMEs and DNAMEs one after the other; a DNAME may lengthen names without end."""


def check(zones: Mapping[bytes, Draft], report: Report) -> None:
    """`zones` by apex."""
    if not any(zone.aliases for zone in zones.values()):
        return
    found = finder(zones)
    for zone in zones.values():
        for owner, alias in zone.aliases.items():
            problem = _problem(owner, alias, found)
            if problem:
                report.error(alias.path, problem)


def _problem(owner: bytes, alias: Aliasing, found: Finder) -> str:
    """What is wrong with where an alias leads, if anything: followed to an address, or out of our zones."""
    name, seen = alias.target, {owner}
    while name not in seen and len(seen) <= _MOST_LINKS:
        seen.add(name)
        zone, delegated = found.zone_of(name)
        if zone is None or delegated:
            return ""
        above = found.redirect(name, zone)
        if above is not None:
            name = name[: len(name) - len(above)] + _target(zone, above, codes.TYPE_DNAME)
            if len(name) > names.MAX_NAME:
                return "leads to a name that is too long"
            continue
        at = found.owner(name, zone)
        if at is None:
            hint = _hint(alias) if name == alias.target else ""
            return f'leads to "{names.name_text(name)}", which does not exist{hint}'
        if at in zone.services or has_address(zone, at):
            return ""
        if at in zone.aliases:
            name = zone.aliases[at].target
        elif zone.sets.find(at, codes.TYPE_CNAME) is not None:
            name = _target(zone, at, codes.TYPE_CNAME)
        else:
            return f'leads to "{names.name_text(name)}", which has no address'
    return "leads back to itself" if name in seen else f"leads through more than {_MOST_LINKS} names"


def _target(zone: Draft, owner: bytes, number: int) -> bytes:
    index = zone.sets.find(owner, number)
    if index is None:
        raise LookupError(f"{names.name_text(owner)} has no such record")
    return names.lower(zone.sets.records(index)[0][0])


def _hint(alias: Aliasing) -> str:
    """A name meant to be absolute often lacks its final dot."""
    return (
        f'; did you mean "{alias.text}."?'
        if "." in alias.text.removesuffix(".") and alias.text[-1] != "."
        else ""
    )
