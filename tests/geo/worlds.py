"""Small maps made without any file."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from georouter.geo.map import GeoMap, Kind, MapInfo, Places

INFO = MapInfo("test", 1_700_000_000, frozenset(Kind) - {Kind.ASN}, "by a test")


def places(rows: Sequence[Mapping[str, Any]]) -> Places:
    """The unplaced row, then `rows` (country, continent, subdivision, city, lat, lon; all optional)."""
    everything: list[Mapping[str, Any]] = [{}, *rows]
    cities = list(dict.fromkeys(["", *(row.get("city", "") for row in everything)]))
    return Places(
        country=np.array([row.get("country", "") for row in everything], "S2"),
        continent=np.array([row.get("continent", "") for row in everything], "S2"),
        subdivision=np.array([row.get("subdivision", "") for row in everything], "S6"),
        city=np.array([cities.index(row.get("city", "")) for row in everything], np.int32),
        lat=np.array([row.get("lat", np.nan) for row in everything], np.float32),
        lon=np.array([row.get("lon", np.nan) for row in everything], np.float32),
        asn=np.zeros(len(everything), np.uint32),
        network_set=np.zeros(len(everything), np.int32),
        cities=tuple(cities),
    )


def make_map(
    rows: Sequence[Mapping[str, Any]],
    four: Mapping[int, int],
    six: Mapping[int, int] | None = None,
) -> GeoMap:
    """A map of `rows`; `four` and `six` give the place from each first address on."""
    six = six or {0: 0}
    return GeoMap(
        starts4=np.array(sorted(four), np.uint32),
        place4=np.array([four[start] for start in sorted(four)], np.uint32),
        starts6=np.array(sorted(six), np.uint64),
        place6=np.array([six[start] for start in sorted(six)], np.uint32),
        places=places(rows),
        info=INFO,
    )
