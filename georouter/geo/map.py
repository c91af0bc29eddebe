"""The whole Internet as sorted arrays: `GeoMap`, and the `Places` its ranges point to.

A map holds, per address family, the ascending first addresses of its ranges and for each range the
row of `Places` that everything inside it shares. Range `i` ends one below the start of range
`i + 1`; the first range starts at 0, so that every address lies in exactly one range. IPv6 addresses
are their top 64 bits. Row 0 of `Places` is "unplaced": addresses the database does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

UNPLACED = 0
"""The row of `Places` for addresses without a location."""


class Kind(StrEnum):
    """What a rule can match a client by; a database tells some of them."""

    NETWORK = "network"
    ASN = "asn"
    CITY = "city"
    SUBDIVISION = "subdivision"
    COUNTRY = "country"
    CONTINENT = "continent"
    GROUP = "group"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Columns of equal length `P`, one row per distinct place.

    `country`: ISO 3166-1 alpha-2 as `S2`, empty when unknown. `continent`: `AF AN AS EU NA OC SA` as
    `S2`. `subdivision`: ISO 3166-2 such as `US-CA` as `S6`. `city`: index into `cities` (0 is "").
    `lat`, `lon`: degrees, NaN when unknown. `asn`: the autonomous system number, 0 unless an overlay
    was asked for it. `network_set`: index into `network_sets` (0 is the empty set): which of the
    policy's own networks cover the place.
    """

    country: NDArray[np.bytes_]
    continent: NDArray[np.bytes_]
    subdivision: NDArray[np.bytes_]
    city: NDArray[np.int32]
    lat: NDArray[np.float32]
    lon: NDArray[np.float32]
    asn: NDArray[np.uint32]
    network_set: NDArray[np.int32]
    cities: tuple[str, ...] = ("",)
    network_sets: tuple[frozenset[Network], ...] = (frozenset(),)

    def __len__(self) -> int:
        return len(self.country)

    def row(self, index: int) -> "Places":
        """The same columns with only row `index`: what `explain` hands to the steps."""
        return self.take([index])

    def take(self, rows: Sequence[int]) -> "Places":
        """The same columns with these rows in this order."""
        return Places(
            country=self.country[rows],
            continent=self.continent[rows],
            subdivision=self.subdivision[rows],
            city=self.city[rows],
            lat=self.lat[rows],
            lon=self.lon[rows],
            asn=self.asn[rows],
            network_set=self.network_set[rows],
            cities=self.cities,
            network_sets=self.network_sets,
        )


@dataclass(frozen=True, slots=True)
class MapInfo:
    """Where a map came from. `build_epoch_s` is the database's own build time (Unix seconds)."""

    database: str
    build_epoch_s: int
    kinds: frozenset[Kind]
    attribution: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class GeoMap:
    """Ranges of both families over `places`. `starts4` is uint32, `starts6` uint64 (top 64 bits)."""

    starts4: NDArray[np.uint32]
    place4: NDArray[np.uint32]
    starts6: NDArray[np.uint64]
    place6: NDArray[np.uint32]
    places: Places
    info: MapInfo
