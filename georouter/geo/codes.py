"""Codes of places: countries, continents, groups of countries, subdivisions."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from georouter.geo import countries, subdivisions


@dataclass(frozen=True, slots=True)
class Country:
    """`lat`, `lon`: degrees, the mean of the country's addresses."""

    code: str
    name: str
    continent: str
    lat: float
    lon: float


def _read_countries() -> Mapping[str, Country]:
    result = {}
    for line in countries.TABLE.splitlines():
        code, name, continent, lat, lon = line.split("|")
        result[code] = Country(code, name, continent, float(lat), float(lon))
    return MappingProxyType(result)


COUNTRIES: Mapping[str, Country] = _read_countries()
"""By ISO 3166-1 alpha-2 code."""

CONTINENTS: Mapping[str, str] = MappingProxyType(
    {
        "AF": "Africa",
        "AN": "Antarctica",
        "AS": "Asia",
        "EU": "Europe",
        "NA": "North America",
        "OC": "Oceania",
        "SA": "South America",
    }
)
"""Names by the two-letter codes that geo databases use."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EU_MEMBERS = _words("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
_EU_OUTERMOST = _words("AX GF GP MF MQ RE YT")
_EFTA = _words("CH IS LI NO")

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ASEAN": _words("BN ID KH LA MM MY PH SG TH TL VN"),
        "EEA": _EU_MEMBERS | _EU_OUTERMOST | (_EFTA - {"CH"}),
        "EFTA": _EFTA,
        "EU": _EU_MEMBERS | _EU_OUTERMOST,
        "G7": _words("CA DE FR GB IT JP US"),
        "GCC": _words("AE BH KW OM QA SA"),
    }
)
"""Countries by the group's name.

`EU` holds the 27 members and the places with a country code of their own where Union law applies in
full: the outermost regions (TFEU article 355(1)) and Åland, as GeoIP2's `is_in_european_union` does.
"""


def is_country(code: str) -> bool:
    """Whether `code` (upper case) is a country of the table."""
    return code in COUNTRIES


def continent_of(country: str) -> str:
    """The continent's code, "" for an unknown country."""
    found = COUNTRIES.get(country)
    return found.continent if found else ""


def country_centroid(country: str) -> tuple[float, float] | None:
    """Latitude and longitude that stand for the whole country."""
    found = COUNTRIES.get(country)
    return (found.lat, found.lon) if found else None


def is_subdivision(code: str) -> bool:
    """Whether `code` (such as `US-CA`, upper case) is an ISO 3166-2 code."""
    return code in subdivision_names()


@cache
def subdivision_names() -> Mapping[str, str]:
    """English names by ISO 3166-2 code."""
    return MappingProxyType(
        {f"{country}-{code}": name for country, items in _lines(subdivisions.TABLE) for code, name in items}
    )


@cache
def subdivision_named(country: str, name: str) -> str:
    """The ISO 3166-2 code of what a database calls `name`, "" when nothing is known by that name.

    Accents, case and punctuation do not count; words such as "province" only where they decide.
    """
    index = _index().get(country, {})
    folded = fold(name)
    return index.get(folded) or index.get(_plain(folded)) or ""


def fold(name: str) -> str:
    """Lower-case words without accents or punctuation: the form in which names are compared."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    kept = (letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())


_LETTERS = str.maketrans({
    "'": "", "\u2019": "", "\u2018": "", "`": "", "\u02bb": "", "\u02bc": "",
    "ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d",
    "þ": "th", "ə": "a", "ħ": "h",
})  # fmt: skip
"""Apostrophes, and letters that are letters of their own rather than accented ones."""

_GENERIC = _words(
    "a al and arrondissement autonomous baladiyat canton capital city commune community"
    " council county de del departement department di district division do governorate gov"
    " island islands judet krai kray maakond municipality municipio muhafazat muhafazah oblast of okrug"
    " parish prefecture province provincia raion rayon region regional republic respublika state"
    " territory the union urban voivodeship wilaya zone"
)
"""Words that say what kind of subdivision it is, in names as folded."""


def _plain(folded: str) -> str:
    """The name without its generic words; the name itself if it has no others."""
    return " ".join(word for word in folded.split() if word not in _GENERIC) or folded


@cache
def _index() -> Mapping[str, Mapping[str, str]]:
    """Codes by country and folded name. First-level names win over deeper ones, full over plain ones."""
    index: dict[str, dict[str, str]] = {}
    for country, items in _lines(subdivisions.ALIASES):
        for name, code in items:
            index.setdefault(country, {})[name] = f"{country}-{code}"
    for form in (fold, lambda name: _plain(fold(name))):
        for country, items in _lines(subdivisions.TABLE):
            names = index.setdefault(country, {})
            for code, name in items:
                names.setdefault(form(name), f"{country}-{code}")
    return index


def _lines(table: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The countries of a table and their items, split at `=`."""
    result = []
    for line in table.replace("\n ", "").splitlines():
        country, items = line.split(" ", 1)
        pairs = [item.split("=", 1) for item in items.split("|")]
        result.append((country, [(left, right) for left, right in pairs]))
    return result
