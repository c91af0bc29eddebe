import random
from typing import Any

import numpy as np
import pytest

from georouter.geo.build import DEFAULT_SCHEME, Scheme, coarsen, sizes
from georouter.geo.map import UNPLACED, GeoMap, Kind
from georouter.geo.ranges import values_at
from tests.geo.worlds import make_map

US: dict[str, Any] = {"country": "US", "continent": "NA"}
CA: dict[str, Any] = {"country": "CA", "continent": "NA"}
FJ: dict[str, Any] = {"country": "FJ", "continent": "OC"}
ROWS = [
    US | {"subdivision": "US-NY", "city": "New York", "lat": 40.7, "lon": -74.0},
    US | {"subdivision": "US-NY", "city": "Yonkers", "lat": 40.9, "lon": -73.9},
    US | {"subdivision": "US-CA", "city": "San Jose", "lat": 37.3, "lon": -121.9},
    CA | {"subdivision": "CA-QC", "city": "Montreal", "lat": 45.5, "lon": -73.6},
    FJ | {"lat": -18.0, "lon": 179.5},
    FJ | {"lat": -18.0, "lon": -179.5},
    {"country": "AQ", "continent": "AN"},
    {"lat": 12.0, "lon": 13.0},
]
NEW_YORK, YONKERS, SAN_JOSE, MONTREAL, FIJI_EAST, FIJI_WEST, NOWHERE, STATELESS = range(1, 9)


def random_map(seed: int) -> GeoMap:
    """Short runs of all places over a little of both families."""
    dice = random.Random(seed)
    four = {0: 0} | {dice.randrange(2**32) >> dice.choice((0, 8, 16)): dice.randrange(9) for _ in range(300)}
    base = 0x2A00 << 48
    six = {0: 0} | {base + dice.getrandbits(dice.choice((4, 20, 40))): dice.randrange(9) for _ in range(300)}
    return make_map(ROWS, four, six)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("scheme", [DEFAULT_SCHEME, Scheme(180, 16, 32), Scheme(0.1, 30, 60)])
def test_countries_are_never_moved(seed: int, scheme: Scheme) -> None:
    """Every address keeps its country, its continent, and whether it is placed at all."""
    full = random_map(seed)
    small = coarsen(full, scheme)
    for family in "46":
        starts, place = getattr(full, f"starts{family}"), getattr(full, f"place{family}")
        small_starts, small_place = getattr(small, f"starts{family}"), getattr(small, f"place{family}")
        pieces = np.union1d(starts, small_starts)
        before, after = values_at(starts, place, pieces), values_at(small_starts, small_place, pieces)
        assert (full.places.country[before] == small.places.country[after]).all()
        assert (full.places.continent[before] == small.places.continent[after]).all()
        assert ((before == UNPLACED) == (after == UNPLACED)).all()
        assert small_starts[0] == 0
        assert (small_starts[1:] > small_starts[:-1]).all()
        assert (small_place[1:] != small_place[:-1]).all()


def found(map_: GeoMap, address: int) -> dict[str, Any]:
    """The place of an IPv4 address."""
    row = int(values_at(map_.starts4, map_.place4, np.array([address], np.uint32))[0])
    return {
        "country": map_.places.country[row].decode(),
        "subdivision": map_.places.subdivision[row].decode(),
        "lat": round(float(map_.places.lat[row]), 2),
        "lon": round(float(map_.places.lon[row]), 2),
    }


def test_places_of_a_cell_become_their_mean() -> None:
    """Weighted by addresses; the cell does not reach into another subdivision."""
    full = make_map(ROWS, {0: NEW_YORK, 3 << 24: YONKERS, 4 << 24: SAN_JOSE, 5 << 24: 0})
    small = coarsen(full, Scheme(10, 24, 44))
    assert found(small, 1) == found(small, 3 << 24)
    assert found(small, 1) == {"country": "US", "subdivision": "US-NY", "lat": 40.75, "lon": -73.98}
    assert found(small, 4 << 24)["lat"] == 37.3
    assert small.places.cities == ("",)
    assert small.info.kinds == full.info.kinds - {Kind.CITY}


def test_a_mean_across_longitude_180_stays_there() -> None:
    """Two halves of Fiji do not average to Africa."""
    full = make_map(ROWS, {0: FIJI_EAST, 1 << 24: FIJI_WEST, 2 << 24: 0})
    small = coarsen(full, Scheme(360, 24, 44))
    assert {abs(found(small, 0)["lon"]), abs(found(small, 1 << 24)["lon"])} <= {179.5, 180.0}


def test_the_most_of_a_block_counts() -> None:
    """Inside a /24 one place is left of a country, the one with most addresses."""
    full = make_map(ROWS, {0: NEW_YORK, 100: SAN_JOSE, 256: MONTREAL, 300: SAN_JOSE, 400: MONTREAL, 512: 0})
    small = coarsen(full, Scheme(1, 24, 44))
    assert small.starts4.tolist() == [0, 256, 300, 400, 512]
    assert [found(small, address)["subdivision"] for address in (0, 255, 256, 350, 511)] == [
        "US-CA", "US-CA", "CA-QC", "US-CA", "CA-QC",
    ]  # fmt: skip


def test_countries_without_coordinates_stay() -> None:
    """Unknown coordinates stay unknown, and what has coordinates but no country is not unplaced."""
    small = coarsen(make_map(ROWS, {0: NOWHERE, 1 << 24: STATELESS, 2 << 24: 0}), DEFAULT_SCHEME)
    assert found(small, 0)["country"] == "AQ"
    assert np.isnan(small.places.lat[small.place4[0]])
    assert found(small, 1 << 24)["lat"] == 12.0
    assert small.place4[2] == UNPLACED


def test_sizes_are_exact_where_floats_are_not() -> None:
    """A single /64 high up counts as one."""
    high = 0xFFFF << 48
    assert sizes(np.array([0, high, high + 1], np.uint64), 64)[1:].tolist() == [1.0, float(2**48 - 1)]
    assert sizes(np.array([0, 2**32 - 1], np.uint32), 32).tolist() == [2**32 - 1, 1]
