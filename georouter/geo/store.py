"""A map as bytes: the compact form that the package carries.

    magic | zlib of: header length (4 bytes, big-endian) | header (JSON) | arrays

Range starts are stored as differences, each array as byte planes (all first bytes, all second
bytes, ...), which is what compresses best. LZMA would save a tenth of the size and take six times as
long to unpack, at every start.
"""

import json
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from georouter.geo.map import GeoMap, Kind, MapInfo, Places

MAGIC = b"georouter map 1\n"

LARGEST_BYTES = 1 << 30
"""More than any map unpacks to: a bound for what a damaged or hostile file can make us allocate."""

PLACE_COLUMNS: Mapping[str, str] = {
    "country": "S2",
    "continent": "S2",
    "subdivision": "S6",
    "city": "<i4",
    "lat": "<f4",
    "lon": "<f4",
}
RANGE_COLUMNS: Mapping[str, str] = {"starts4": "<u4", "place4": "<u4", "starts6": "<u8", "place6": "<u4"}


def encode(map: GeoMap, level: int = 9) -> bytes:  # noqa: A002
    """The compact form; the same bytes for the same map and compression level (1 to 9, which is smallest).

    Overlays are not part of it: ValueError.
    """
    arrays = to_arrays(map)
    packed = []
    listing = []
    for name, form in (*RANGE_COLUMNS.items(), *PLACE_COLUMNS.items()):
        column = arrays[name].astype(form)
        if name.startswith("starts"):
            column = np.diff(column, prepend=column.dtype.type(0))
        listing.append([name, len(column)])
        packed.append(np.ascontiguousarray(column.view(np.uint8).reshape(len(column), -1).T).tobytes())
    header = json.dumps({"info": info_text(map.info), "cities": map.places.cities, "arrays": listing})
    text = header.encode()
    raw = b"".join([len(text).to_bytes(4, "big"), text, *packed])
    return MAGIC + zlib.compress(raw, level)


def decode(data: bytes) -> GeoMap:
    """Undo `encode`. ValueError for bytes that are not a whole, sound map."""
    if not data.startswith(MAGIC):
        raise ValueError("not a georouter map (or one of another version)")
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(memoryview(data)[len(MAGIC) :], LARGEST_BYTES)
    except zlib.error as error:
        raise ValueError(f"the map is damaged: {error}") from error
    if not unpacker.eof:
        raise ValueError("the map is cut off")
    try:
        length = int.from_bytes(raw[:4], "big")
        header = json.loads(raw[4 : 4 + length])
        arrays = _unpack(memoryview(raw)[4 + length :], header["arrays"])
        return from_arrays(arrays, read_info(header["info"]), tuple(header["cities"]))
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"the map's header is damaged: {error!r}") from error


def _unpack(body: memoryview, listing: list[tuple[str, int]]) -> dict[str, NDArray[np.generic]]:
    forms = {**RANGE_COLUMNS, **PLACE_COLUMNS}
    arrays: dict[str, NDArray[np.generic]] = {}
    offset = 0
    for name, count in listing:
        form = np.dtype(forms[name])
        planes = np.frombuffer(body, np.uint8, count * form.itemsize, offset)
        offset += count * form.itemsize
        octets = np.empty((count, form.itemsize), np.uint8)
        for place, plane in enumerate(
            planes.reshape(form.itemsize, count)
        ):  # half as long as a transposition
            octets[:, place] = plane
        column = octets.view(form)[:, 0]
        arrays[name] = np.cumsum(column, dtype=form) if name.startswith("starts") else column
    return arrays


def to_arrays(map: GeoMap) -> dict[str, NDArray[np.generic]]:  # noqa: A002
    """The columns of a map by name. ValueError for a map with an overlay."""
    if map.places.asn.any() or map.places.network_set.any():
        raise ValueError("a map with an overlay cannot be stored")
    ranges = {name: getattr(map, name) for name in RANGE_COLUMNS}
    return ranges | {name: getattr(map.places, name) for name in PLACE_COLUMNS}


def from_arrays(arrays: Mapping[str, NDArray[np.generic]], info: MapInfo, cities: tuple[str, ...]) -> GeoMap:
    """A map from its columns. ValueError unless they keep every promise of `GeoMap` and `Places`."""
    columns = {
        name: np.ascontiguousarray(arrays[name]).astype(form, copy=False)
        for name, form in (*RANGE_COLUMNS.items(), *PLACE_COLUMNS.items())
    }
    rows = len(columns["country"])
    if not rows or any(len(columns[name]) != rows for name in PLACE_COLUMNS):
        raise ValueError("the map's place columns have different lengths")
    for family in "46":
        starts, place = columns[f"starts{family}"], columns[f"place{family}"]
        if not len(starts) or len(starts) != len(place) or starts[0] != 0:
            raise ValueError(f"the map's IPv{family} ranges are incomplete")
        if (starts[1:] <= starts[:-1]).any() or int(place.max()) >= rows:
            raise ValueError(f"the map's IPv{family} ranges are out of order")
    city = columns["city"]
    if not cities or int(city.min()) < 0 or int(city.max()) >= len(cities):
        raise ValueError("the map's city names are incomplete")
    places = Places(
        country=columns["country"],
        continent=columns["continent"],
        subdivision=columns["subdivision"],
        city=city,
        lat=columns["lat"],
        lon=columns["lon"],
        asn=np.zeros(rows, np.uint32),
        network_set=np.zeros(rows, np.int32),
        cities=cities,
    )
    return GeoMap(
        starts4=columns["starts4"],
        place4=columns["place4"],
        starts6=columns["starts6"],
        place6=columns["place6"],
        places=places,
        info=info,
    )


def info_text(info: MapInfo) -> dict[str, object]:
    """`info` as JSON values."""
    return {
        "database": info.database,
        "build_epoch_s": info.build_epoch_s,
        "kinds": sorted(info.kinds),
        "attribution": info.attribution,
    }


def read_info(values: Mapping[str, object]) -> MapInfo:
    """Undo `info_text`. KeyError, TypeError or ValueError for what it did not write."""
    kinds, epoch = values["kinds"], values["build_epoch_s"]
    if not isinstance(kinds, list) or not isinstance(epoch, int):
        raise TypeError("kinds or build time")
    return MapInfo(
        database=str(values["database"]),
        build_epoch_s=epoch,
        kinds=frozenset(Kind(kind) for kind in kinds),
        attribution=str(values["attribution"]),
    )
