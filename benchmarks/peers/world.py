"""What every server is told: names, regions, and which country goes where."""

from dataclasses import dataclass
from pathlib import Path

from georouter.geo.countries import TABLE

ZONE = "example.com"
TTL_S = 60
NAMES = ("www", "api", "app", "login", "static", "img", "pay", "search", "news", "docs")
"""Labels in the zone; all are steered alike, and have A and AAAA."""

REGIONS: dict[str, tuple[str, str]] = {
    "us": ("192.0.2.10", "2001:db8::10"),
    "eu": ("192.0.2.20", "2001:db8::20"),
    "ap": ("192.0.2.30", "2001:db8::30"),
}
"""Region to its IPv4 and IPv6 address."""

DEFAULT = "us"
"""For addresses that the database does not place."""

CONTINENTS = {"NA": "us", "SA": "us", "EU": "eu", "AF": "eu", "AS": "ap", "OC": "ap", "AN": "ap"}


@dataclass(frozen=True, slots=True)
class Country:
    """A row of the database, and where its clients go."""

    code: str
    name: str
    continent: str
    region: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where one server may write its configuration, where it listens, and the database it loads."""

    folder: Path
    port: int
    database: Path


def countries() -> list[Country]:
    """Every country by code."""
    rows = (line.split("|") for line in TABLE.splitlines() if line)
    return [Country(code, name, continent, CONTINENTS[continent]) for code, name, continent, *_ in rows]
