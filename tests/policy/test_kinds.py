"""Matches that the database cannot tell."""

import pytest

from georouter.geo.map import Kind
from georouter.policy.kinds import check_kinds
from tests.policy.policies import complete, load_text

RULES = """\
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {group: [EU], subdivision: [US-CA]}, regions: [eu]}
      - geo:
          - {match: {city: [Paris, Rome], asn: [64500], continent: [AS]}, regions: [us]}
          - {match: {network: [10.0.0.0/8], country: [DE]}, regions: [eu]}
          - {regions: [us]}
"""
COUNTRIES = frozenset({Kind.COUNTRY})
ALL = frozenset(Kind)


def found(text: str, kinds: frozenset[Kind]) -> list[str]:
    """Findings without the file's name."""
    items = check_kinds(load_text(complete(text)).policy, kinds)
    return [str(item).removeprefix("/etc/p.yaml:") for item in items]


def test_everything_is_known() -> None:
    """A database that tells all kinds leaves nothing to say."""
    assert found(RULES, ALL) == []


def test_a_country_database() -> None:
    """Continents and groups follow from countries; the rest is an error at its rule."""
    fence, geo = "services.web.chain[0].residency.clients", "services.web.chain[1].geo[0].match"
    use_city = "use a City database in geo.database"
    assert found(RULES, COUNTRIES) == [
        f'5:30: {fence}: the geo database cannot tell the subdivision "US-CA"; {use_city}',
        f'7:21: {geo}: the geo database cannot tell the asn "64500"; name an ASN database in geo.asn',
        f'7:21: {geo}: the geo database cannot tell the city "Paris"; {use_city}',
        f'7:21: {geo}: the geo database cannot tell the city "Rome"; {use_city}',
    ]


@pytest.mark.parametrize(("override", "left"), [("city: Paris", "Rome"), ("asn: 64500", "Paris")])
def test_own_networks_count(override: str, left: str) -> None:
    """What the policy itself says of a network can be matched."""
    text = f"geo: {{networks: {{10.0.0.0/8: {{country: FR, {override}}}}}}}\n" + RULES
    items = found(text, COUNTRIES | {Kind.SUBDIVISION})
    assert len(items) == 2
    assert any(left in item for item in items)
    assert not any(override.rpartition(" ")[2] in item for item in items)
