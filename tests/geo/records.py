"""Records in the schemas that databases use, and a small world made of them."""

from typing import Any


def nested(
    country: str,
    lat: float | None = None,
    lon: float | None = None,
    *,
    subdivision: str = "",
    city: str = "",
    continent: str = "",
) -> dict[str, Any]:
    """As GeoIP2 and GeoLite2 write it."""
    record: dict[str, Any] = {"country": {"iso_code": country, "geoname_id": 1, "names": {"en": country}}}
    if continent:
        record["continent"] = {"code": continent, "names": {"en": continent, "de": continent}}
    if city:
        record["city"] = {"geoname_id": 2, "names": {"de": f"{city}-de", "en": city}}
    if subdivision:
        record["subdivisions"] = [{"iso_code": subdivision, "names": {"en": "x"}}, {"iso_code": "ZZ"}]
    if lat is not None:
        record["location"] = {"accuracy_radius": 20, "latitude": lat, "longitude": lon, "time_zone": "UTC"}
    return record


def flat(country: str, lat: Any, lon: Any, *, state: str = "", city: str = "") -> dict[str, Any]:
    """As the converted DB-IP files write it."""
    return {
        "city": city,
        "country_code": country,
        "latitude": lat,
        "longitude": lon,
        "postcode": "",
        "state1": state,
        "state2": "",
        "timezone": "",
    }


LONDON = nested("GB", 51.5, -0.125, subdivision="ENG", city="London", continent="EU")
PARIS = nested("FR", 48.85, 2.35, subdivision="IDF", city="Paris", continent="EU")
NEW_YORK = nested("US", 40.7, -74.0, subdivision="NY", city="New York", continent="NA")
SOMEWHERE_US = nested("US", 37.75, -97.8, continent="NA")
TOKYO = nested("JP", 35.7, 139.7, subdivision="13", city="Tokyo", continent="AS")

WORLD = {
    "1.0.0.0/8": SOMEWHERE_US,
    "1.2.0.0/16": NEW_YORK,
    "1.2.3.0/24": LONDON,
    "1.2.3.4/32": PARIS,
    "81.0.0.0/9": LONDON,
    "200.0.0.0/7": TOKYO,
    "2001:db8::/32": LONDON,
    "2001:db8:1::/48": PARIS,
    "2a00::/16": SOMEWHERE_US,
    "2a00:1:2:3::/64": NEW_YORK,
    "2a00:1:2:4:8000::/65": TOKYO,
}
"""A little of everything: nested networks, single addresses, something below /64."""
