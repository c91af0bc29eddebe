import pytest

from georouter.geo import subdivisions
from georouter.geo.codes import (
    CONTINENTS,
    COUNTRIES,
    GROUPS,
    continent_of,
    country_centroid,
    fold,
    is_country,
    is_subdivision,
    subdivision_named,
    subdivision_names,
)
from georouter.geo.distance import distance_km


def test_countries() -> None:
    """Two capital letters, a continent that exists, a point on the globe."""
    assert len(COUNTRIES) == 250
    for code, country in COUNTRIES.items():
        assert country.code == code
        assert code.isascii()
        assert code.isupper()
        assert len(code) == 2
        assert country.name
        assert country.continent in CONTINENTS
        assert -90 <= country.lat <= 90
        assert -180 <= country.lon <= 180


@pytest.mark.parametrize(
    ("code", "continent", "lat", "lon"),
    [
        ("US", "NA", 39, -92),
        ("NO", "EU", 60, 10),
        ("AU", "OC", -33.5, 147),
        ("BR", "SA", -21, -46),
        ("FJ", "OC", -18, 178),
        ("ZA", "AF", -28, 25),
        ("JP", "AS", 35.5, 138),
    ],
)
def test_centroids_are_where_the_people_are(code: str, continent: str, lat: float, lon: float) -> None:
    """Within 500 km of where one would put the pin."""
    found = country_centroid(code)
    assert found is not None
    assert distance_km(*found, lat, lon) < 500
    assert continent_of(code) == continent


def test_unknown_codes() -> None:
    """Asked for what is not there, the answer is empty."""
    assert not is_country("ZZ")
    assert not is_country("us")
    assert continent_of("ZZ") == ""
    assert country_centroid("ZZ") is None
    assert not is_subdivision("US-XX")
    assert not is_subdivision("US")


def test_groups() -> None:
    """The Union's 27 and what belongs to it, and the free trade area around it."""
    assert all(code in COUNTRIES for group in GROUPS.values() for code in group)
    assert {"DE", "FR", "IE", "HR", "RE", "AX"} <= GROUPS["EU"]
    assert not {"GB", "CH", "NO", "IS", "LI", "GL", "NC"} & GROUPS["EU"]
    assert GROUPS["EEA"] - GROUPS["EU"] == {"IS", "LI", "NO"}
    assert GROUPS["EFTA"] == {"CH", "IS", "LI", "NO"}
    assert len(GROUPS["EU"] - {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"}) == 27


def test_subdivisions() -> None:
    """Codes of known countries, three letters or digits at most behind the hyphen."""
    names = subdivision_names()
    assert len(names) > 5000
    for code, name in names.items():
        country, _, rest = code.partition("-")
        assert country in COUNTRIES
        assert rest.isascii()
        assert rest.isalnum()
        assert len(rest) <= 3
        assert name.strip() == name != ""
    assert names["US-CA"] == "California"
    assert is_subdivision("CA-ON")


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("US", "California", "US-CA"),
        ("US", "District of Columbia", "US-DC"),
        ("GB", "England", "GB-ENG"),
        ("FR", "Ile-de-France", "FR-IDF"),
        ("FR", "ÎLE DE FRANCE", "FR-IDF"),
        ("FR", "Provence-Alpes-Côte d\u2019Azur", "FR-PAC"),
        ("DE", "State of Berlin", "DE-BE"),
        ("DE", "Baden-Wurttemberg", "DE-BW"),
        ("DE", "Baden-Württemberg Region", "DE-BW"),
        ("UA", "Kyiv City", "UA-30"),
        ("UA", "Kyiv Oblast", "UA-32"),
        ("RU", "Moscow", "RU-MOW"),
        ("RU", "Moscow Oblast", "RU-MOS"),
        ("TR", "Istanbul Province", "TR-34"),
        ("IR", "Tehran", "IR-23"),
        ("NO", "Ostfold", "NO-31"),
        ("PL", "Lodz Voivodeship", "PL-10"),
        ("JP", "Tokyo", "JP-13"),
        ("BR", "Sao Paulo", "BR-SP"),
        ("US", "Atlantis", ""),
        ("ZZ", "California", ""),
        ("US", "", ""),
    ],
)
def test_names_to_codes(country: str, name: str, code: str) -> None:
    """As databases spell them: without accents, with "province", in English or not."""
    assert subdivision_named(country, name) == code


def test_every_name_finds_a_code_of_its_own_name() -> None:
    """Where two share a name (a province and its capital), it is one of the two, or the one an alias says."""
    for code, name in subdivision_names().items():
        found = subdivision_named(code[:2], name)
        alias = f"{fold(name)}={found[3:]}"
        assert fold(subdivision_names()[found]) == fold(name) or alias in subdivisions.ALIASES, (code, name)


def test_aliases_are_folded_and_lead_somewhere() -> None:
    """A name that is not in folded form would never be found."""
    for line in subdivisions.ALIASES.replace("\n ", "").splitlines():
        country, _, items = line.partition(" ")
        for item in items.split("|"):
            name, _, code = item.partition("=")
            assert fold(name) == name
            assert is_subdivision(f"{country}-{code}"), (country, item)


def test_fold() -> None:
    """Case, accents, apostrophes and punctuation do not count."""
    assert fold("Łódź") == fold("LODZ") == "lodz"
    assert fold("Kharkivs\u2019ka Oblast\u2019") == "kharkivska oblast"
    assert fold("  Smoke--on (the) Water ") == "smoke on the water"
