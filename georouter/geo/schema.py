"""What the records of a database say, whatever schema they are written in.

    nested   GeoIP2 and GeoLite2 (City, Country), DB-IP: country.iso_code, subdivisions[0].iso_code,
             city.names.en, location.latitude, continent.code
    flat     country_code, state1, city, latitude, longitude (and the usual spellings of these)
    asn      autonomous_system_number, or asn as a number or as text (`AS15169`)

Where `country` is absent, `registered_country` stands in: the country the network is registered in
is what GeoIP2 gives for satellite and anycast networks. A city-level database has rows without a
city whose coordinates stand for the whole country; they stay what they are, country-level rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.geo.codes import continent_of, country_centroid, is_country, subdivision_named
from georouter.geo.decode import MISSING, Positions, Section


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of texts: `index` into `names` (whose first is "")."""

    index: NDArray[np.int32]
    names: tuple[str, ...]

    def or_else(self, other: "Texts") -> "Texts":
        """The values of this column, and `other`'s value where this one has none."""
        empty = self.index == 0
        if not empty.any() or len(other.names) == 1:
            return self
        moved = np.where(other.index > 0, other.index + len(self.names) - 1, 0)
        return Texts(
            np.where(empty, moved, self.index).astype(np.int32), self.names + other.names[1:]
        ).distinct()

    def distinct(self) -> "Texts":
        """The same values with every name listed once."""
        numbers: dict[str, int] = {"": 0}
        renumber = np.array([numbers.setdefault(name, len(numbers)) for name in self.names], np.int32)
        return Texts(renumber[self.index], tuple(numbers))


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """One row per distinct record of a database."""

    country: Texts
    continent: Texts
    subdivision: Texts
    city: Texts
    lat: NDArray[np.float32]
    lon: NDArray[np.float32]


def read_records(section: Section, at: Positions) -> Records:
    """Columns for the records at `at`. ValueError for bytes that cannot be decoded."""
    record = _Maps(section, at)
    country = _countries(record)
    continent = record.maps("continent").texts("code").or_else(record.texts("continent_code"))
    location = record.maps("location")
    lat = _number(location.numbers("latitude"), record.numbers("latitude"), record.numbers("lat"))
    lon = _number(location.numbers("longitude"), record.numbers("longitude"), record.numbers("lng"))
    lat, lon = _valid(lat, lon)
    lat, lon = _centroids(country, lat, lon)
    city = record.maps("city").maps("names").texts("en").or_else(record.texts("city"))
    return Records(
        country=country,
        continent=_continents(continent, country),
        subdivision=_subdivisions(record, country),
        city=city,
        lat=lat.astype(np.float32),
        lon=lon.astype(np.float32),
    )


def read_numbers(section: Section, at: Positions) -> NDArray[np.uint32]:
    """The autonomous system number of the records at `at`, 0 where there is none."""
    record = _Maps(section, at)
    result = np.zeros(len(at), np.uint32)
    for key in ("autonomous_system_number", "asn", "as_number"):
        number = record.numbers(key)
        text = record.texts(key)
        parsed = np.array([_as_number(name) for name in text.names], np.float64)[text.index]
        number = np.where(np.isnan(number), parsed, number)
        good = (result == 0) & (number > 0) & (number < 2**32)
        result[good] = number[good].astype(np.uint32)
    return result


class _Maps:
    """Maps read together. `at` has an offset per row, MISSING where the row has no such map."""

    def __init__(self, section: Section, at: Positions) -> None:
        self._section = section
        self._rows = len(at)
        there = np.flatnonzero(at != MISSING)
        resolved = section.resolve(at[there])[0]
        distinct, inverse = np.unique(resolved, return_inverse=True)
        self._inverse = np.full(self._rows, len(distinct), np.int64)
        self._inverse[there] = inverse
        self._fields = section.fields(distinct)
        self._distinct = len(distinct)

    def _values(self, key: str) -> Positions:
        """Offsets of `key`'s value per distinct map, one MISSING more for the rows without a map."""
        values = np.full(self._distinct + 1, MISSING, np.int64)
        if key in self._fields:
            values[:-1] = self._fields[key]
        return values

    def maps(self, key: str) -> "_Maps":
        return _Maps(self._section, self._values(key)[self._inverse])

    def first_maps(self, key: str) -> "_Maps":
        values = self._values(key)
        there = values != MISSING
        values[there] = self._section.first_members(values[there])
        return _Maps(self._section, values[self._inverse])

    def texts(self, key: str) -> Texts:
        values = self._values(key)
        there = values != MISSING
        index = np.zeros(len(values), np.int32)
        found, names = self._section.texts(values[there])
        index[there] = found + 1
        return Texts(index[self._inverse], ("", *names)).distinct()

    def numbers(self, key: str) -> NDArray[np.float64]:
        values = self._values(key)
        there = values != MISSING
        numbers = np.full(len(values), np.nan)
        numbers[there] = self._section.numbers(values[there])
        return numbers[self._inverse]


def _as_number(text: str) -> float:
    digits = text.strip().upper().removeprefix("AS")
    return float(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else np.nan


def _number(*columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first number of each row that is one."""
    result = columns[0]
    for column in columns[1:]:
        result = np.where(np.isnan(result), column, result)
    return result


def _valid(
    lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both coordinates or neither; values off the globe are unknown, and so is exactly 0, 0."""
    with np.errstate(invalid="ignore"):
        good = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ((lat != 0) | (lon != 0))
    return np.where(good, lat, np.nan), np.where(good, lon, np.nan)


def _countries(record: _Maps) -> Texts:
    raw = record.maps("country").texts("iso_code")
    for other in (
        record.maps("registered_country").texts("iso_code"),
        record.texts("country_code"),
        record.texts("country"),
    ):
        raw = raw.or_else(other)
    codes = tuple(code if is_country(code) else "" for code in (name.strip().upper() for name in raw.names))
    return Texts(raw.index, codes).distinct()


def _continents(told: Texts, country: Texts) -> Texts:
    known = tuple(name if name in ("AF", "AN", "AS", "EU", "NA", "OC", "SA") else "" for name in told.names)
    derived = Texts(country.index, tuple(continent_of(code) for code in country.names)).distinct()
    return Texts(told.index, known).distinct().or_else(derived)


def _centroids(
    country: Texts, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows without coordinates get those of their country, so that distances can be told."""
    centres = np.array([country_centroid(code) or (np.nan, np.nan) for code in country.names])
    rows = np.isnan(lat)
    return np.where(rows, centres[country.index, 0], lat), np.where(rows, centres[country.index, 1], lon)


def _subdivisions(record: _Maps, country: Texts) -> Texts:
    """ISO 3166-2 codes: from a code where there is one, else by name."""
    first = record.first_maps("subdivisions")
    code = first.texts("iso_code")
    name = first.maps("names").texts("en")
    for key in ("state1", "state", "region", "region_name", "subdivision"):
        name = name.or_else(record.texts(key))
    pairs, inverse = _pairs(country, code, name)
    codes = [_subdivision(country.names[a], code.names[b], name.names[c]) for a, b, c in pairs]
    return Texts(inverse, tuple(codes)).distinct()


def _subdivision(country: str, code: str, name: str) -> str:
    if not country:
        return ""
    if code:
        short = code.strip().upper().removeprefix(f"{country}-")
        return f"{country}-{short}" if 0 < len(short) <= 3 and short.isascii() and short.isalnum() else ""
    return subdivision_named(country, name) if name else ""


def _pairs(*columns: Texts) -> tuple[list[tuple[int, ...]], NDArray[np.int32]]:
    """The distinct combinations of values in `columns`, and which of them each row has."""
    key = np.zeros(len(columns[0].index), np.int64)
    for column in columns:
        key = key * len(column.names) + column.index
    distinct, inverse = np.unique(key, return_inverse=True)
    parts = []
    for column in reversed(columns):
        distinct, part = np.divmod(distinct, len(column.names))
        parts.append(part.tolist())
    return list(zip(*reversed(parts), strict=True)), inverse.astype(np.int32)
