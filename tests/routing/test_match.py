"""Which places meet which rules."""

from ipaddress import ip_network

import pytest

from georouter.policy.steps import Match
from georouter.routing.match import meets, undecided, why
from tests.routing.scenes import BERLIN, FRESNO, LONDON, NOWHERE, SINGAPORE, Spot, places_of

OFFICE = ip_network("10.20.0.0/16")
INSIDE = Spot(networks=frozenset({OFFICE, ip_network("10.0.0.0/8")}), asn=64500)
SPOTS = {
    "nowhere": NOWHERE,
    "london": LONDON,
    "berlin": BERLIN,
    "fresno": FRESNO,
    "singapore": SINGAPORE,
    "office": INSIDE,
}


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(), set()),
        (Match(countries=("DE", "SG")), {"berlin", "singapore"}),
        (Match(continents=("EU",)), {"london", "berlin"}),
        (Match(subdivisions=("US-CA",)), {"fresno"}),
        (Match(cities=("LONDON",)), {"london"}),
        (Match(asns=(64500,)), {"office"}),
        (Match(networks=(OFFICE,)), {"office"}),
        (Match(networks=(ip_network("192.0.2.0/24"),)), set()),
        (Match(groups=("EU",)), {"berlin"}),
        (Match(countries=("GB",), continents=("AS",), networks=(OFFICE,)), {"london", "singapore", "office"}),
    ],
)
def test_any_value_of_any_kind_meets(match: Match, expected: set[str]) -> None:
    """A match is met by one value of one kind; nothing is met by an empty match."""
    met = meets(match, places_of(*SPOTS.values()))
    assert {name for name, hit in zip(SPOTS, met, strict=True) if hit} == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(countries=("DE",)), {"nowhere", "office"}),
        (Match(countries=("DE",), networks=(OFFICE,)), {"nowhere"}),
        (Match(networks=(OFFICE,)), set()),
        (Match(asns=(1,)), set()),
        (Match(subdivisions=("SG-01",)), {"nowhere", "office", "singapore"}),
        (Match(subdivisions=("SG-01",), countries=("SG",)), {"nowhere", "office"}),
    ],
)
def test_undecided_where_the_place_says_too_little(match: Match, expected: set[str]) -> None:
    """Without a country geography cannot be denied; a subdivision cannot inside its own country."""
    unsure = undecided(match, places_of(*SPOTS.values()))
    assert {name for name, hit in zip(SPOTS, unsure, strict=True) if hit} == expected


def test_why_names_what_was_met() -> None:
    """Reasons are for people: the kind and the client's own value."""
    match = Match(countries=("DE",), groups=("EU",), cities=("berlin",))
    assert why(match, places_of(BERLIN)) == "city Berlin and country DE and group EU (DE)"
    assert why(Match(networks=(OFFICE,), asns=(64500,)), places_of(INSIDE)) == (
        "network 10.20.0.0/16 and asn AS64500"
    )
    assert why(match, places_of(SINGAPORE)) == ""
