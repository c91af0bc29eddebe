"""Whom a rule or a fence is for."""

from collections.abc import Callable

from georouter.geo.map import Network
from georouter.policy.nodes import Path
from georouter.policy.resolve import places
from georouter.policy.resolve.context import Context
from georouter.policy.steps import Match
from georouter.policy.written_steps import MatchFile


def resolve(written: MatchFile, path: Path, context: Context) -> Match:
    """Every code checked against what exists; an empty match is an error."""
    if not any(getattr(written, kind) for kind in MatchFile.model_fields):
        kinds = ", ".join(MatchFile.model_fields)
        context.report.error(path, f"matches nobody; name at least one of {kinds}", key=True)
    networks: list[Network] = []
    for index, text in enumerate(written.network):
        network = places.network(text, (*path, "network", index), context)
        if network is not None:
            networks.append(network)
    _each(written.subdivision, places.subdivision, (*path, "subdivision"), context)
    _each(written.country, places.country, (*path, "country"), context)
    _each(written.continent, places.continent, (*path, "continent"), context)
    _each(written.group, places.group, (*path, "group"), context)
    return Match(
        networks=tuple(networks),
        asns=tuple(written.asn),
        cities=tuple(written.city),
        subdivisions=tuple(written.subdivision),
        countries=tuple(written.country),
        continents=tuple(written.continent),
        groups=tuple(written.group),
        where=context.where(path),
    )


def _each(
    values: list[str], check: Callable[[str, Path, Context], bool], path: Path, context: Context
) -> None:
    for index, value in enumerate(values):
        check(value, (*path, index), context)
