"""`--claim "EU=jurisdiction:EU"`: who, and the only regions they may ever get."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import click

from georouter.analysis.fencing import Claim
from georouter.cli import offline
from georouter.geo import codes
from georouter.geo.map import Kind, Network
from georouter.policy.kinds import check_kinds
from georouter.policy.model import Policy, Service
from georouter.policy.resolve.places import parse_network
from georouter.policy.steps import Match, Residency
from georouter.words.ids import RegionName, ServiceName

SHAPE = 'write it like "EU=jurisdiction:EU" or "country:CH,country:LI=eu-west,eu-central"'

_CODES: Mapping[str, Callable[[str], bool]] = {
    Kind.GROUP: lambda code: code in codes.GROUPS,
    Kind.CONTINENT: lambda code: code in codes.CONTINENTS,
    Kind.COUNTRY: lambda code: code in codes.COUNTRIES,
    Kind.SUBDIVISION: codes.is_subdivision,
}
"""Kinds whose values are known to exist or not."""


def claims_of(
    policy: Policy, texts: Iterable[str], services: Iterable[str] = ()
) -> dict[ServiceName, tuple[Claim, ...]]:
    """The claims by service: all, or only those named. Raises UsageError, which says what is wrong."""
    wanted = tuple(services)
    offline.known("service", wanted, policy.services)
    found = tuple(claim(policy, text) for text in texts)
    return {ServiceName(name): found for name in wanted or policy.services} if found else {}


def claim(policy: Policy, text: str) -> Claim:
    """One claim. Several kinds, names or labels are separated by commas; any of them counts."""
    who, equals, where = text.partition("=")
    if not equals or not who.strip() or not where.strip():
        raise click.UsageError(f'the claim "{text}" is not WHO=REGIONS; {SHAPE}')
    return Claim(text, _match(who), _regions(policy, where))


def refuse_unknown_kinds(policy: Policy, claims: Iterable[Claim], kinds: frozenset[Kind]) -> None:
    """A usage error for a claim by something that the loaded database cannot tell."""
    for item in claims:
        asked = Service(ServiceName("claim"), (), (Residency(item.clients, frozenset()),))
        for problem in check_kinds(replace(policy, services={asked.name: asked}), kinds):
            raise click.UsageError(f'the claim "{item.text}": {problem.message}')


def _match(text: str) -> Match:
    values: dict[str, list[str]] = {}
    networks: list[Network] = []
    asns: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        kind, colon, value = part.partition(":")
        if not colon:
            kind, value = Kind.GROUP, part
        if kind == Kind.NETWORK:
            networks.append(_network(value))
        elif kind == Kind.ASN:
            if not value.isdecimal():
                raise click.UsageError(f'"{value}" is not an AS number; write asn:64500')
            asns.append(int(value))
        elif kind in {*_CODES, Kind.CITY}:
            if kind in _CODES and not _CODES[kind](value):
                raise click.UsageError(f'unknown {kind} "{value}" in a claim; {SHAPE}')
            values.setdefault(kind, []).append(value)
        else:
            raise click.UsageError(f'unknown kind "{kind}" in a claim; there are {", ".join(Kind)}')
    return Match(
        networks=tuple(networks),
        asns=tuple(asns),
        cities=tuple(values.get(Kind.CITY, ())),
        subdivisions=tuple(values.get(Kind.SUBDIVISION, ())),
        countries=tuple(values.get(Kind.COUNTRY, ())),
        continents=tuple(values.get(Kind.CONTINENT, ())),
        groups=tuple(values.get(Kind.GROUP, ())),
    )


def _network(text: str) -> Network:
    try:
        found = parse_network(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if found.version == 6 and found.prefixlen > 64:
        raise click.UsageError(f'"{text}" is longer than /64, which is as deep as the map goes')
    return found


def _regions(policy: Policy, text: str) -> frozenset[RegionName]:
    found: set[RegionName] = set()
    for part in (part.strip() for part in text.split(",")):
        label, colon, value = part.partition(":")
        if colon:
            labelled = {name for name, item in policy.regions.items() if item.labels.get(label) == value}
            if not labelled:
                raise click.UsageError(f'no region has the label "{label}: {value}"')
            found |= labelled
        else:
            found.update(offline.regions(policy, (part,)))
    return frozenset(found)
