"""MMDB files (MaxMind DB format 2.0) as maps: validate everything, then walk the tree once.

bytes --metadata--> tree (walk) --ranges of data pointers--+
                    data section (decode, schema) --------+--> GeoMap / AsnMap
"""

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import maxminddb
import numpy as np
from numpy.typing import NDArray

from georouter.geo.asn import AsnInfo, AsnMap
from georouter.geo.decode import Positions, Section
from georouter.geo.map import GeoMap, Kind, MapInfo, Places
from georouter.geo.ranges import Start, merge
from georouter.geo.schema import Records, Texts, read_numbers, read_records
from georouter.geo.walk import EMPTY, SEPARATOR_BYTES, Offsets, Tree, read_tree, walk4, walk6

Row = TypeVar("Row")
ONE_OR_TWO = "give one database, or one for IPv4 and one for IPv6"

METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
METADATA_BYTES = 128 * 1024
"""The metadata is within this many bytes of the end (MaxMind DB format 2.0)."""

ATTRIBUTIONS = (
    ("dbip", "IP Geolocation by DB-IP (https://db-ip.com)"),
    ("geolite", "This product includes GeoLite data created by MaxMind (https://www.maxmind.com)"),
    ("geoip", "GeoIP data by MaxMind (https://www.maxmind.com)"),
    ("ipinfo", "IP address data powered by IPinfo (https://ipinfo.io)"),
    ("ip2location", "IP2Location data (https://www.ip2location.com)"),
)
"""Who must be named, by what a database's type or file name contains (without punctuation)."""


Content: TypeAlias = bytes | Callable[[], bytes]
"""A file's bytes, or who reads them when it is their turn: of two large files one at a time is in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """One validated file: its tree, its data section and what its metadata says."""

    tree: Tree
    section: Section
    type: str
    build_epoch_s: int


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges(Generic[Start]):
    """Ranges of one family: first addresses and rows of a database's records, from 1; 0 is no record."""

    starts: NDArray[Start]
    rows: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class _Part(Generic[Row]):
    """What is kept of one file. `four` and `six` are None where another one tells that family."""

    ip_version: int
    type: str
    build_epoch_s: int
    four: _Ranges[np.uint32] | None
    six: _Ranges[np.uint64] | None
    records: Row


def read(databases: Sequence[Content], names: Sequence[str] = ()) -> GeoMap:
    """The map that one database holds, or two of them, one per family (an IPv4-only one first asked).

    `names` are file names, used only to find out who must be attributed. ValueError, with a message
    that says what is wrong, for bytes that are not a usable database.
    """
    parts = _parts(databases, read_records)
    places, place_of = _places([part.records for part in parts])
    if not place_of[1:].any():
        raise ValueError("the database holds no locations (no country and no coordinates in any record)")
    (starts4, place4), (starts6, place6) = _merged(parts, [len(part.records.lat) for part in parts], place_of)
    return GeoMap(
        starts4=starts4,
        place4=place4,
        starts6=starts6,
        place6=place6,
        places=places,
        info=_info(parts, places, names),
    )


def read_asn(databases: Sequence[Content]) -> AsnMap:
    """The same for databases of autonomous systems. ValueError if no record has a number."""
    parts = _parts(databases, read_numbers)
    numbers = np.concatenate([np.zeros(1, np.uint32), *(part.records for part in parts)])
    (starts4, asn4), (starts6, asn6) = _merged(parts, [len(part.records) for part in parts], numbers)
    if not asn4.any() and not asn6.any():
        raise ValueError("the database holds no autonomous system numbers")
    info = AsnInfo(_types(parts), min(part.build_epoch_s for part in parts))
    return AsnMap(starts4, asn4, starts6, asn6, info)


def _parts(databases: Sequence[Content], decode: Callable[[Section, Positions], Row]) -> list[_Part[Row]]:
    """Every database, the one for IPv4 first. An IPv4 database wins over the IPv4 part of an IPv6 one."""
    if not databases:
        raise ValueError(ONE_OR_TWO)
    parts = [
        _part(source if isinstance(source, bytes) else source(), decode, alone=len(databases) == 1)
        for source in databases
    ]
    if len({part.ip_version for part in parts}) != len(parts):
        raise ValueError(ONE_OR_TWO)
    return parts


def _part(content: bytes, decode: Callable[[Section, Positions], Row], *, alone: bool) -> _Part[Row]:
    """One file, extracted. Of the file, its tree and the walk nothing is left when records are decoded."""
    database = open_database(content)
    del content
    tree, section = database.tree, database.section
    version, type_, epoch = tree.ip_version, database.type, database.build_epoch_s
    del database
    four = walk4(tree) if version == 4 or alone else None
    six = walk6(tree) if version == 6 else None
    del tree
    used = _used(section.size + SEPARATOR_BYTES, [walked[1] for walked in (four, six) if walked is not None])
    rows = np.cumsum(used, dtype=np.uint32)
    ranges4 = None if four is None else _Ranges(four[0], rows[four[1]])
    ranges6 = None if six is None else _Ranges(six[0], rows[six[1]])
    del four, six, rows
    distinct = np.flatnonzero(used)
    del used
    distinct -= SEPARATOR_BYTES
    return _Part(version, type_, epoch, ranges4, ranges6, decode(section, distinct))


def _used(size: int, pointers: Sequence[Offsets]) -> NDArray[np.bool_]:
    """Where in the data section a record begins that some range points to."""
    used = np.zeros(size, np.bool_)
    for each in pointers:
        used[each] = True
    used[EMPTY] = False
    return used


def _merged(
    parts: Sequence[_Part[Row]], counts: Sequence[int], values: NDArray[np.uint32]
) -> tuple[tuple[NDArray[np.uint32], NDArray[np.uint32]], tuple[NDArray[np.uint64], NDArray[np.uint32]]]:
    """The ranges of both families with the values of their rows. `values` are those of all parts behind a
    first 0; `counts` tells how many each has.
    """
    four = (np.zeros(1, np.uint32), np.zeros(1, np.uint32))
    six = (np.zeros(1, np.uint64), np.zeros(1, np.uint32))
    first = 1
    for part, count in zip(parts, counts, strict=True):
        own = np.concatenate([values[:1], values[first : first + count]])
        if part.four is not None:
            four = merge(part.four.starts, own[part.four.rows])
        if part.six is not None:
            six = merge(part.six.starts, own[part.six.rows])
        first += count
    return four, six


def open_database(data: bytes) -> Database:
    """Validate the metadata and the whole tree of one file."""
    marker = data.rfind(METADATA_MARKER, max(0, len(data) - METADATA_BYTES))
    if marker < 0:
        raise ValueError("not an MMDB file, or cut off: it has no metadata at its end")
    metadata = _metadata(data)
    nodes, bits, version = metadata.node_count, metadata.record_size, metadata.ip_version
    if metadata.binary_format_major_version != 2:
        raise ValueError(f"MMDB format {metadata.binary_format_major_version} is not supported, only 2")
    if version not in (4, 6):
        raise ValueError(f"the metadata claims IP version {version}")
    if bits not in (24, 28, 32):
        raise ValueError(f"the metadata claims {bits}-bit records, not 24, 28 or 32")
    table = nodes * bits // 4
    if nodes < 1 or table + SEPARATOR_BYTES > marker:
        raise ValueError(
            f"a search tree of {nodes} nodes does not fit into the {len(data)} bytes of the file"
        )
    view = memoryview(data)
    if any(view[table : table + SEPARATOR_BYTES]):
        raise ValueError("the search tree does not end where the metadata says")
    section = view[table + SEPARATOR_BYTES : marker]
    tree = read_tree(view[:table], bits, version, len(section))
    return Database(tree, Section(section), metadata.database_type, metadata.build_epoch)


def _metadata(data: bytes) -> maxminddb.reader.Metadata:
    """Read by maxminddb, which raises whatever junk makes it stumble over."""
    try:
        with maxminddb.open_database(io.BytesIO(data), maxminddb.MODE_FD) as reader:
            metadata = reader.metadata()
    except (
        maxminddb.InvalidDatabaseError, ArithmeticError, AttributeError, LookupError, MemoryError,
        RecursionError, TypeError, ValueError, struct.error,
    ) as error:  # fmt: skip
        raise ValueError(f"the metadata cannot be read: {error}") from error
    numbers = (
        metadata.node_count,
        metadata.record_size,
        metadata.ip_version,
        metadata.binary_format_major_version,
        metadata.build_epoch,
    )
    if not all(type(number) is int for number in numbers) or not isinstance(metadata.database_type, str):
        raise ValueError("the metadata has values of the wrong type")
    return metadata


def _types(databases: Sequence[_Part[Row]]) -> str:
    return " + ".join(dict.fromkeys(database.type for database in databases))


def _info(databases: Sequence[_Part[Row]], places: Places, names: Sequence[str]) -> MapInfo:
    kinds = {Kind.NETWORK}
    if places.continent.any():
        kinds.add(Kind.CONTINENT)
    if places.country.any():
        kinds |= {Kind.COUNTRY, Kind.GROUP}
    if places.subdivision.any():
        kinds.add(Kind.SUBDIVISION)
    if places.city.any():
        kinds.add(Kind.CITY)
    types = _types(databases)
    return MapInfo(
        database=types,
        build_epoch_s=min(database.build_epoch_s for database in databases),
        kinds=frozenset(kinds),
        attribution=_attribution([types, *names]),
    )


def _attribution(hints: Sequence[str]) -> str:
    text = "".join(letter for letter in " ".join(hints).lower() if letter.isalnum() or letter == " ")
    return next((credit for hint, credit in ATTRIBUTIONS if hint in text), "")


def _places(tables: Sequence[Records]) -> tuple[Places, NDArray[np.uint32]]:
    """Distinct places of all records, and the row of each record behind a first 0 for "no record"."""
    country, continent, subdivision, city = (
        _join([_column(table, name) for table in tables])
        for name in ("country", "continent", "subdivision", "city")
    )
    lat = np.concatenate([np.array([np.nan], np.float32), *(table.lat for table in tables)])
    lon = np.concatenate([np.array([np.nan], np.float32), *(table.lon for table in tables)])
    codes = np.zeros(len(lat), np.int64)
    for column in (country, continent, subdivision, city):
        codes = np.unique(codes * len(column.names) + column.index, return_inverse=True)[1]
    # Two NaNs with equal bits are equal as integers.
    spot = lat.view(np.uint32).astype(np.uint64) << np.uint64(32) | lon.view(np.uint32)
    spots = np.unique(spot, return_inverse=True)[1]
    key = codes * (int(spots.max()) + 1) + spots
    _, first, place_of = np.unique(key, return_index=True, return_inverse=True)
    # The place of row 0 (nothing known) becomes row 0 of the places, by swapping it with that.
    nothing = place_of[0]
    first[[0, nothing]] = first[[nothing, 0]]
    place_of = np.where(place_of == nothing, 0, np.where(place_of == 0, nothing, place_of))
    cities, city_index = np.unique(city.index[first], return_inverse=True)
    places = Places(
        country=np.array(country.names, "S2")[country.index[first]],
        continent=np.array(continent.names, "S2")[continent.index[first]],
        subdivision=np.array(subdivision.names, "S6")[subdivision.index[first]],
        city=city_index.astype(np.int32),
        lat=lat[first],
        lon=lon[first],
        asn=np.zeros(len(first), np.uint32),
        network_set=np.zeros(len(first), np.int32),
        cities=tuple(city.names[index] for index in cities.tolist()),
    )
    return places, place_of.astype(np.uint32)


def _column(table: Records, name: str) -> Texts:
    column = getattr(table, name)
    assert isinstance(column, Texts)  # noqa: S101
    return column


def _join(columns: Sequence[Texts]) -> Texts:
    """The columns below each other, behind one row of ""."""
    names: list[str] = [""]
    parts: list[NDArray[np.signedinteger]] = [np.zeros(1, np.int64)]
    for column in columns:
        parts.append(column.index + len(names))
        names.extend(column.names)
    return Texts(np.concatenate(parts).astype(np.int32), tuple(names)).distinct()
