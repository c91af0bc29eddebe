"""MMDB files (MaxMind DB format 2.0) as maps: validate everything, then walk the tree once.

bytes --metadata--> tree (walk) --ranges of data pointers--+
                    data section (decode, schema) --------+--> GeoMap / AsnMap
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import maxminddb
import numpy as np
from numpy.typing import NDArray

from georouter.geo.asn import AsnInfo, AsnMap
from georouter.geo.decode import Section
from georouter.geo.map import GeoMap, Kind, MapInfo, Places
from georouter.geo.ranges import merge
from georouter.geo.schema import Records, Texts, read_numbers, read_records
from georouter.geo.walk import EMPTY, SEPARATOR_BYTES, Offsets, Tree, read_tree, walk4, walk6

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


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """One validated file: its tree, its data section and what its metadata says."""

    tree: Tree
    section: Section
    type: str
    build_epoch_s: int


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """Ranges of one family: first addresses, data pointers, and the database they point into."""

    starts: NDArray[np.uint64]
    pointers: Offsets
    database: Database | None


def read(databases: Sequence[bytes], names: Sequence[str] = ()) -> GeoMap:
    """The map that one database holds, or two of them, one per family (an IPv4-only one first asked).

    `names` are file names, used only to find out who must be attributed. ValueError, with a message
    that says what is wrong, for bytes that are not a usable database.
    """
    opened = [open_database(data) for data in databases]
    families = _families(opened)
    tables: list[Records] = []
    rows: dict[int, NDArray[np.int64]] = {}
    offset = 0
    for database in opened:
        pointers = [family.pointers for family in families if family.database is database]
        if not pointers:
            continue
        distinct = np.unique(np.concatenate(pointers))
        distinct = distinct[distinct != EMPTY]
        records = read_records(database.section, distinct.astype(np.int64) - SEPARATOR_BYTES)
        tables.append(records)
        for number, family in enumerate(families):
            if family.database is database:
                found = np.searchsorted(distinct, family.pointers) + offset + 1
                rows[number] = np.where(family.pointers == EMPTY, 0, found)
        offset += len(distinct)
    places, place_of = _places(tables)
    if not offset or not place_of.any():
        raise ValueError("the database holds no locations (no country and no coordinates in any record)")
    starts4, place4 = merge(families[0].starts, place_of[rows.get(0, _nowhere(families[0]))])
    starts6, place6 = merge(families[1].starts, place_of[rows.get(1, _nowhere(families[1]))])
    return GeoMap(
        starts4=starts4.astype(np.uint32),
        place4=place4,
        starts6=starts6,
        place6=place6,
        places=places,
        info=_info(opened, places, names),
    )


def read_asn(databases: Sequence[bytes]) -> AsnMap:
    """The same for databases of autonomous systems. ValueError if no record has a number."""
    opened = [open_database(data) for data in databases]
    families = _families(opened)
    ranges = []
    for family in families:
        distinct, inverse = np.unique(family.pointers, return_inverse=True)
        numbers = np.zeros(len(distinct), np.uint32)
        known = distinct != EMPTY
        if family.database is not None and known.any():
            at = distinct[known].astype(np.int64) - SEPARATOR_BYTES
            numbers[known] = read_numbers(family.database.section, at)
        ranges.append(merge(family.starts, numbers[inverse]))
    (starts4, asn4), (starts6, asn6) = ranges
    if not asn4.any() and not asn6.any():
        raise ValueError("the database holds no autonomous system numbers")
    info = AsnInfo(_types(opened), min(database.build_epoch_s for database in opened))
    return AsnMap(starts4.astype(np.uint32), asn4, starts6, asn6, info)


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


def _families(databases: Sequence[Database]) -> tuple[_Family, _Family]:
    """Which database tells which family. An IPv4 database wins over the IPv4 part of an IPv6 one."""
    by_version = {database.tree.ip_version: database for database in databases}
    if not databases or len(by_version) != len(databases):
        raise ValueError("give one database, or one for IPv4 and one for IPv6")
    four = by_version.get(4) or by_version[6]
    six = by_version.get(6)
    none6 = np.zeros(1, np.uint64), np.array([EMPTY], np.uint32)
    return _Family(*walk4(four.tree), four), _Family(*(walk6(six.tree) if six else none6), six)


def _nowhere(family: _Family) -> NDArray[np.int64]:
    return np.zeros(len(family.starts), np.int64)


def _types(databases: Sequence[Database]) -> str:
    return " + ".join(dict.fromkeys(database.type for database in databases))


def _info(databases: Sequence[Database], places: Places, names: Sequence[str]) -> MapInfo:
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
