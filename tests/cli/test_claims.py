"""Claims as they are typed."""

from dataclasses import replace

import click
import pytest

from georouter.cli.claims import claim, claims_of, refuse_unknown_kinds
from georouter.geo.map import Kind
from georouter.policy.model import Policy
from georouter.policy.steps import Match
from tests.compiler.build import REGIONS, policy, service

PARTS = tuple(
    replace(part, labels={"jurisdiction": "EU"} if part.name.startswith("eu") else {"tier": "gold"})
    for part in REGIONS
)
RULES: Policy = policy([], [service("web"), service("api")], PARTS)


def test_a_group_and_a_label() -> None:
    """The short form of the issue."""
    made = claim(RULES, "EU=jurisdiction:EU")
    assert (made.clients, made.regions) == (Match(groups=("EU",)), {"eu", "eu2"})
    assert made.text == "EU=jurisdiction:EU"


def test_every_kind_and_names_beside_labels() -> None:
    """Commas separate; each kind of a match may be named."""
    made = claim(
        RULES,
        "country:CH, country:LI,continent:AS,subdivision:US-CA,city:Bern,asn:64500,network:10.0.0.0/8"
        "=us,tier:gold",
    )
    assert made.clients.countries == ("CH", "LI")
    assert made.clients.continents == ("AS",)
    assert made.clients.subdivisions == ("US-CA",)
    assert made.clients.cities == ("Bern",)
    assert made.clients.asns == (64500,)
    assert [str(network) for network in made.clients.networks] == ["10.0.0.0/8"]
    assert made.regions == {"us", "ap"}


def test_about_which_services() -> None:
    """All of them, or those named; without claims about none."""
    assert set(claims_of(RULES, ["EU=eu"])) == {"web", "api"}
    assert set(claims_of(RULES, ["EU=eu"], ["api"])) == {"api"}
    assert claims_of(RULES, []) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("EU", "is not WHO=REGIONS; write it like"),
        ("=eu", "is not WHO=REGIONS"),
        ("EU=", "is not WHO=REGIONS"),
        ("XX=eu", 'unknown group "XX" in a claim'),
        ("country:UK=eu", 'unknown country "UK" in a claim'),
        ("planet:Mars=eu", 'unknown kind "planet" in a claim; there are network, asn, city'),
        ("asn:AS1=eu", "is not an AS number; write asn:64500"),
        ("network:10.0.0.1/8=eu", "did you mean 10.0.0.0/8"),
        ("network:2001:db8::/65=eu", "longer than /64"),
        ("EU=eu3", "there is no region 'eu3'; did you mean eu"),
        ("EU=jurisdiction:US", 'no region has the label "jurisdiction: US"'),
    ],
)
def test_what_makes_no_sense(text: str, problem: str) -> None:
    """A usage error that says what would be right."""
    with pytest.raises(click.UsageError) as caught:
        claim(RULES, text)
    assert problem in caught.value.message


def test_services_that_are_not_there() -> None:
    """The nearest name is suggested."""
    with pytest.raises(click.UsageError, match="did you mean web"):
        claims_of(RULES, ["EU=eu"], ["wep"])


def test_kinds_that_the_database_cannot_tell() -> None:
    """Cities need a city database."""
    made = [claim(RULES, "city:Bern=eu")]
    with pytest.raises(click.UsageError, match="cannot tell the city"):
        refuse_unknown_kinds(RULES, made, frozenset({Kind.COUNTRY}))
    refuse_unknown_kinds(RULES, made, frozenset({Kind.COUNTRY, Kind.CITY}))
