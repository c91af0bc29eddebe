"""Which places meet a `Match`: every kind over the columns of `Places`."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from georouter.geo.codes import GROUPS
from georouter.geo.map import Places
from georouter.policy.steps import Match

Mask = NDArray[np.bool_]


def meets(match: Match, places: Places) -> Mask:
    """True where any value of any kind is met. Cities compare without case; other codes exactly."""
    met = np.zeros(len(places), dtype=np.bool_)
    for _, mask in _kinds(match, places):
        met |= mask
    return met


def undecided(match: Match, places: Places) -> Mask:
    """True where the place does not say enough to tell that `match` is *not* met.

    That is: the match is geographic and the place has no country; or it names a subdivision, and the
    place is in that country but in no known subdivision of it. Places that meet the match are not
    undecided. A match by networks and AS numbers only is always decided.
    """
    open_ = np.zeros(len(places), dtype=np.bool_)
    if match.cities or match.subdivisions or match.countries or match.continents or match.groups:
        open_ |= places.country == b""
    if match.subdivisions:
        parents = {code.partition("-")[0] for code in match.subdivisions}
        open_ |= _codes(places.country, parents) & (places.subdivision == b"")
    return open_ & ~meets(match, places)


def why(match: Match, places: Places) -> str:
    """What the (single) place meets, for people: `country DE`; empty when nothing."""
    row = places.row(0)
    country = row.country[0].decode()
    said = {
        "network": ", ".join(
            str(network) for network in match.networks if network in row.network_sets[int(row.network_set[0])]
        ),
        "asn": f"AS{int(row.asn[0])}",
        "city": row.cities[int(row.city[0])],
        "subdivision": row.subdivision[0].decode(),
        "country": country,
        "continent": row.continent[0].decode(),
        "group": ", ".join(name for name in match.groups if country in GROUPS[name]) + f" ({country})",
    }
    return " and ".join(f"{kind} {said[kind]}" for kind, mask in _kinds(match, row) if mask[0])


def _kinds(match: Match, places: Places) -> Iterable[tuple[str, Mask]]:
    if match.networks:
        named = frozenset(match.networks)
        held = np.array([not named.isdisjoint(networks) for networks in places.network_sets])
        yield "network", held[places.network_set]
    if match.asns:
        yield "asn", np.isin(places.asn, np.array(match.asns, dtype=np.uint32))
    if match.cities:
        wanted = {city.casefold() for city in match.cities} - {""}
        yield "city", np.array([city.casefold() in wanted for city in places.cities])[places.city]
    if match.subdivisions:
        yield "subdivision", np.isin(places.subdivision, np.array(match.subdivisions, dtype="S6"))
    if match.countries:
        yield "country", _codes(places.country, match.countries)
    if match.continents:
        yield "continent", _codes(places.continent, match.continents)
    if match.groups:
        members = frozenset[str]().union(*(GROUPS[name] for name in match.groups))
        yield "group", _codes(places.country, members)


def _codes(column: NDArray[np.bytes_], wanted: Iterable[str]) -> Mask:
    """Membership of two-letter codes, by a table of all 65,536 of them."""
    table = np.zeros(65536, dtype=np.bool_)
    table[np.array(sorted(wanted), dtype="S2").view(np.uint16)] = True
    table[0] = False
    return table[np.ascontiguousarray(column, dtype="S2").view(np.uint16)]
