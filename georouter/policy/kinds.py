"""Whether the loaded geo database can tell what the policy's rules ask for."""

from collections.abc import Collection, Mapping

from georouter.geo.map import Kind
from georouter.policy.model import Policy
from georouter.policy.steps import Geo, Match, Residency
from georouter.words.errors import Diagnostic

_HINTS: Mapping[Kind, str] = {
    Kind.ASN: "; name an ASN database in geo.asn",
    Kind.CITY: "; use a City database in geo.database",
    Kind.SUBDIVISION: "; use a City database in geo.database",
}


def check_kinds(policy: Policy, kinds: frozenset[Kind]) -> tuple[Diagnostic, ...]:
    """An error for every match by a kind outside `kinds`, in file order.

    Networks are always known, continents and groups follow from countries. A city, ASN or
    subdivision that one of the policy's own `geo.networks` has is known as well.
    """
    known = kinds | {Kind.NETWORK}
    if Kind.COUNTRY in known:
        known |= {Kind.CONTINENT, Kind.GROUP}
    own: dict[Kind, set[object]] = {
        Kind.ASN: {place.asn for place in policy.geo.networks},
        Kind.CITY: {place.city for place in policy.geo.networks},
        Kind.SUBDIVISION: {place.subdivision for place in policy.geo.networks},
        Kind.COUNTRY: {place.country for place in policy.geo.networks},
    }
    found: list[Diagnostic] = []
    for name, service in policy.services.items():
        for index, step in enumerate(service.chain):
            where = f"services.{name}.chain[{index}]"
            if isinstance(step, Residency):
                found += _check(step.clients, known, own, f"{where}.residency.clients")
            elif isinstance(step, Geo):
                for row, rule in enumerate(step.rules):
                    if rule.match is not None:
                        found += _check(rule.match, known, own, f"{where}.geo[{row}].match")
    return tuple(sorted(found))


def _check(
    match: Match, known: Collection[Kind], own: Mapping[Kind, Collection[object]], path: str
) -> list[Diagnostic]:
    asked: tuple[tuple[Kind, tuple[object, ...]], ...] = (
        (Kind.ASN, match.asns),
        (Kind.CITY, match.cities),
        (Kind.SUBDIVISION, match.subdivisions),
        (Kind.COUNTRY, match.countries),
        (Kind.CONTINENT, match.continents),
        (Kind.GROUP, match.groups),
    )
    file, line, column = _place(match.where)
    return [
        Diagnostic(
            file,
            line,
            column,
            path,
            f'the geo database cannot tell the {kind} "{value}"{_HINTS.get(kind, "")}',
        )
        for kind, values in asked
        if kind not in known
        for value in values
        if value not in own.get(kind, ())
    ]


def _place(where: str) -> tuple[str, int, int]:
    file, _, rest = where.rpartition(":")
    file, _, line = file.rpartition(":")
    return (file, int(line), int(rest)) if file else ("", 0, 0)
