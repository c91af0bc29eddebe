"""Makes a small map from a large one: exact about countries, coarse about where inside them.

    places      --cells-->   one place per (country, subdivision, cell of a grid), at the mean of its
                             addresses; no cities
    ranges      --blocks-->  between two borders of countries, changes of place inside one block
                             (a /22, say) are given up: the block gets the place most of it had

Country borders are never moved, because fences depend on them; only coordinates and subdivisions
inside a country are coarsened.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from georouter.geo.map import UNPLACED, GeoMap, Kind, Places
from georouter.geo.ranges import merge, values_at


@dataclass(frozen=True, slots=True)
class Scheme:
    """How coarse: the edge of a cell in degrees of latitude, and the prefix lengths of blocks."""

    cell_degrees: float
    block4: int
    block6: int


DEFAULT_SCHEME = Scheme(cell_degrees=1.0, block4=24, block6=44)
"""What the built-in map is made with; `data/README.md` has what was measured."""


def coarsen(map: GeoMap, scheme: Scheme) -> GeoMap:  # noqa: A002
    """The small map. Its `kinds` have no city; every address keeps its country and continent."""
    weights = _weights(map)
    places, group = _group(map.places, weights, scheme.cell_degrees)
    nation = _nations(map.places)
    starts4, place4 = _blocks(
        map.starts4.astype(np.uint64), map.place4, group, nation, bits=32, block=scheme.block4
    )
    starts6, place6 = _blocks(map.starts6, map.place6, group, nation, bits=64, block=scheme.block6)
    return GeoMap(
        starts4=starts4.astype(np.uint32),
        place4=place4,
        starts6=starts6,
        place6=place6,
        places=places,
        info=replace(map.info, kinds=map.info.kinds - {Kind.CITY}),
    )


def sizes(starts: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.float64]:
    """How many addresses (of `bits` bits) each range holds."""
    # Whole numbers: at 2**61 a float cannot tell a /64 from its neighbour. The end of IPv6 wraps to 0.
    edges = np.append(starts.astype(np.uint64), np.uint64(0))
    edges[-1] = (1 << bits) % (1 << 64)
    return (edges[1:] - edges[:-1]).astype(np.float64)


def _weights(map: GeoMap) -> NDArray[np.float64]:  # noqa: A002
    """What each place counts in a mean: its IPv4 addresses, and its IPv6 /48s as one address each.

    A single IPv6 range counts at most like a /32, lest a few giant allocations outweigh the rest.
    """
    rows = len(map.places)
    four = np.bincount(map.place4, weights=sizes(map.starts4, 32), minlength=rows)
    largest = 2.0**32
    per_range = np.minimum(sizes(map.starts6, 64), largest) / 2.0**16
    six = np.bincount(map.place6, weights=per_range, minlength=rows)
    return np.asarray(four + six + 1e-9, np.float64)


def _nations(places: Places) -> NDArray[np.int64]:
    """A number per (placed or not, country, continent): what must stay exact."""
    key = np.char.add(places.country, np.char.add(b"|", places.continent))
    numbers = np.unique(key, return_inverse=True)[1] + 1
    numbers[UNPLACED] = 0
    return numbers


def _group(places: Places, weights: NDArray[np.float64], cell: float) -> tuple[Places, NDArray[np.uint32]]:
    """The small map's places, and which of them each place of the large map belongs to."""
    lat, lon = places.lat.astype(np.float64), places.lon.astype(np.float64)
    known = ~np.isnan(lat)
    band = np.where(known, np.floor(lat / cell), 9999)
    # Cells are about as wide as high: a degree of longitude shrinks with the cosine of the latitude.
    width = cell / np.maximum(np.cos(np.radians(np.where(known, (band + 0.5) * cell, 0))), 0.05)
    column = np.where(known, np.floor(lon / width), 9999)
    names = np.char.add(_nations(places).astype("S8"), np.char.add(b"|", places.subdivision))
    key = np.unique(names, return_inverse=True)[1].astype(np.int64)
    key = (key * 20000 + band.astype(np.int64) + 10000) * 40000 + column.astype(np.int64) + 20000
    key[UNPLACED] = -1
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    mean_lat, mean_lon = _means(group, len(first), weights, lat, lon)
    result = Places(
        country=places.country[first],
        continent=places.continent[first],
        subdivision=places.subdivision[first],
        city=np.zeros(len(first), np.int32),
        lat=mean_lat,
        lon=mean_lon,
        asn=np.zeros(len(first), np.uint32),
        network_set=np.zeros(len(first), np.int32),
    )
    return result, group.astype(np.uint32)


def _means(
    group: NDArray[np.int64],
    count: int,
    weights: NDArray[np.float64],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The weighted mean of each group's points on the globe (as vectors: longitude 180 is no edge).

    Rounded to hundredths of a degree, about a kilometre. NaN for groups without coordinates.
    """
    phi, theta = np.radians(lat), np.radians(lon)
    vectors = (np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi))
    x, y, z = (np.bincount(group, weights=part * weights, minlength=count) for part in vectors)
    mean_lat = np.degrees(np.arctan2(z, np.hypot(x, y)))
    mean_lon = np.degrees(np.arctan2(y, x))
    return mean_lat.round(2).astype(np.float32), mean_lon.round(2).astype(np.float32)


def _blocks(
    starts: NDArray[np.uint64],
    place: NDArray[np.uint32],
    group: NDArray[np.uint32],
    nation: NDArray[np.int64],
    *,
    bits: int,
    block: int,
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Ranges over groups with no change inside a block but where the country changes."""
    starts, groups = merge(starts, group[place].astype(np.int64))
    nation_of_group = np.zeros(int(group.max()) + 1, np.int64)
    nation_of_group[group] = nation
    borders, _ = merge(starts, nation_of_group[groups])
    size = np.uint64(1 << (bits - block))
    lower = starts - starts % size
    upper = lower + size
    # Where the last block ends there is no address any more; the sum has wrapped round to 0 or 2**32.
    upper = upper[(upper > lower) & (upper <= np.uint64((1 << bits) - 1))]
    cuts = np.unique(np.concatenate([borders, lower, upper]))
    pieces = np.union1d(starts, cuts)
    segment = np.searchsorted(cuts, pieces, side="right") - 1
    return merge(cuts, _majority(segment, values_at(starts, groups, pieces), sizes(pieces, bits), len(cuts)))


def _majority(
    segment: NDArray[np.int64], group: NDArray[np.int64], weight: NDArray[np.float64], count: int
) -> NDArray[np.uint32]:
    """The group with the most weight in each of `count` segments; the lower number if there are two."""
    width = int(group.max()) + 1
    key, inverse = np.unique(segment * width + group, return_inverse=True)
    total = np.bincount(inverse, weights=weight)
    owner, candidate = np.divmod(key, width)
    order = np.lexsort((-candidate, total, owner))
    result = np.zeros(count, np.uint32)
    # The last of each segment in this order is the heaviest, and assignment keeps the last.
    result[owner[order]] = candidate[order]
    return result
