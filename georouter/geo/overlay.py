"""What the operator knows better, laid over a map: CIDR overrides, AS numbers, named networks.

Ranges are cut where a network, an override or a wanted AS number begins or ends; the places they
point to get further rows. The more specific network wins over the wider one, whatever their order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from georouter.geo.asn import AsnMap
from georouter.geo.codes import continent_of, country_centroid
from georouter.geo.map import GeoMap, Kind, Network, Places
from georouter.geo.ranges import bounds, merge, values_at, with_points


class Override(Protocol):
    """Where the addresses in `network` are; `None` is "not said".

    A place is replaced as a whole: naming a country forgets the database's city. A country without
    coordinates gets the country's centroid, a subdivision without a country implies it, and an
    override that says nothing but `asn` keeps the database's place.
    """

    @property
    def network(self) -> Network: ...  # noqa: D102
    @property
    def country(self) -> str | None: ...  # noqa: D102
    @property
    def subdivision(self) -> str | None: ...  # noqa: D102
    @property
    def city(self) -> str | None: ...  # noqa: D102
    @property
    def lat(self) -> float | None: ...  # noqa: D102
    @property
    def lon(self) -> float | None: ...  # noqa: D102
    @property
    def asn(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class NetworkOverride:
    """An `Override` in its plainest form."""

    network: Network
    country: str | None = None
    subdivision: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None
    asn: int | None = None


def overlay(
    map: GeoMap,  # noqa: A002
    *,
    networks: Sequence[Network] = (),
    overrides: Sequence[Override] = (),
    asn_map: AsnMap | None = None,
    asns: frozenset[int] = frozenset(),
) -> GeoMap:
    """`map` with overrides in place, `network_set` by `networks`, and `asn` for the numbers in `asns`.

    AS numbers of the database that nobody asked for stay 0, so that the map is not cut along every
    AS border. Of two overrides for one network the later one counts. ValueError for an IPv6 network
    longer than /64.
    """
    if not networks and not overrides and not (asn_map and asns):
        return map
    named = sorted(set(networks), key=lambda network: network.prefixlen)
    placed = sorted(
        {item.network: item for item in overrides}.values(), key=lambda item: item.network.prefixlen
    )
    sets: list[frozenset[Network]] = [frozenset()]
    # Rows of the overrides follow the map's own rows, in the order of `placed`.
    layers = [
        _Layer(map.starts4.astype(np.uint64), map.place4.astype(np.int64), 4),
        _Layer(map.starts6, map.place6.astype(np.int64), 6),
    ]
    for layer in layers:
        mine = [item for item in placed if item.network.version == layer.version]
        inside = [network for network in named if network.version == layer.version]
        layer.cut([*inside, *(item.network for item in mine)])
        if asn_map is not None and asns:
            layer.lay_asns(asn_map, asns)
        for number, item in enumerate(placed):
            if item.network.version == layer.version:
                layer.place(item, len(map.places) + number)
        layer.name(inside, sets)
    places, rows = _rows(_extend(map.places, placed), layers, tuple(sets))
    (starts4, place4), (starts6, place6) = (
        merge(layer.starts, row) for layer, row in zip(layers, rows, strict=True)
    )
    kinds = map.info.kinds | {Kind.NETWORK} | ({Kind.ASN} if asn_map is not None else set())
    info = replace(map.info, kinds=kinds)
    return GeoMap(starts4.astype(np.uint32), place4, starts6, place6, places, info)


class _Layer:
    """The ranges of one family while they are being cut; a row, a number and a set for each."""

    def __init__(self, starts: NDArray[np.uint64], rows: NDArray[np.int64], version: int) -> None:
        self.version = version
        self.starts = starts
        self.rows = rows
        self.asns = np.zeros(len(rows), np.int64)
        self.sets = np.zeros(len(rows), np.int64)

    def cut(self, networks: Sequence[Network]) -> None:
        """Make a range begin where each network begins, and where it has ended."""
        if networks:
            edges = {edge for network in networks for edge in bounds(network)}
            edges.discard(1 << (32 if self.version == 4 else 64))
            self._cut_at(np.array(sorted(edges), np.uint64))

    def _cut_at(self, points: NDArray[np.uint64]) -> None:
        self.starts, origin = with_points(self.starts, points)
        self.rows, self.asns, self.sets = self.rows[origin], self.asns[origin], self.sets[origin]

    def _slices(self, networks: Sequence[Network]) -> Iterator[tuple[Network, slice]]:
        edges = [bounds(network) for network in networks]
        first = np.searchsorted(self.starts, np.array([low for low, _ in edges], np.uint64))
        last = np.searchsorted(
            self.starts, np.array([high - 1 for _, high in edges], np.uint64), side="right"
        )
        for network, low, high in zip(networks, first.tolist(), last.tolist(), strict=True):
            yield network, slice(low, high)

    def lay_asns(self, asn_map: AsnMap, asns: frozenset[int]) -> None:
        """The database's numbers, those in `asns` only."""
        starts, numbers = (
            (asn_map.starts4.astype(np.uint64), asn_map.asn4)
            if self.version == 4
            else (asn_map.starts6, asn_map.asn6)
        )
        wanted = np.isin(numbers, np.array(sorted(asns), np.int64))
        starts, kept = merge(starts, np.where(wanted, numbers, 0).astype(np.int64))
        self._cut_at(starts)
        self.asns = values_at(starts, kept, self.starts)

    def place(self, override: Override, row: int) -> None:
        """Lay one override down; wider ones come first."""
        for _, where in self._slices([override.network]):
            if _says_where(override):
                self.rows[where] = row
            if override.asn is not None:
                self.asns[where] = override.asn

    def name(self, networks: Sequence[Network], sets: list[frozenset[Network]]) -> None:
        """Note which of `networks` (wider ones first) cover each range; new sets go to `sets`.

        All of a network lies in the same wider ones, so its set is theirs and itself.
        """
        for network, where in self._slices(networks):
            sets.append(sets[int(self.sets[where.start])] | {network})
            self.sets[where] = len(sets) - 1


def _says_where(item: Override) -> bool:
    said = (item.country, item.subdivision, item.city, item.lat, item.lon)
    return any(value is not None for value in said)


def _extend(places: Places, overrides: Sequence[Override]) -> Places:
    """`places` with a row per override behind its own."""
    if not overrides:
        return places
    countries = [item.country or (item.subdivision or "").partition("-")[0] for item in overrides]
    cities = {name: number for number, name in enumerate(places.cities)}
    city = [cities.setdefault(item.city or "", len(cities)) for item in overrides]
    spots = [_spot(item, country) for item, country in zip(overrides, countries, strict=True)]
    none = [0] * len(overrides)
    return Places(
        country=np.concatenate([places.country, np.array(countries, "S2")]),
        continent=np.concatenate(
            [places.continent, np.array([continent_of(code) for code in countries], "S2")]
        ),
        subdivision=np.concatenate(
            [places.subdivision, np.array([item.subdivision or "" for item in overrides], "S6")]
        ),
        city=np.concatenate([places.city, np.array(city, np.int32)]),
        lat=np.concatenate([places.lat, np.array([lat for lat, _ in spots], np.float32)]),
        lon=np.concatenate([places.lon, np.array([lon for _, lon in spots], np.float32)]),
        asn=np.concatenate([places.asn, np.array(none, np.uint32)]),
        network_set=np.concatenate([places.network_set, np.array(none, np.int32)]),
        cities=tuple(cities),
        network_sets=places.network_sets,
    )


def _spot(item: Override, country: str) -> tuple[float, float]:
    if item.lat is not None and item.lon is not None:
        return item.lat, item.lon
    return country_centroid(country) or (np.nan, np.nan)


def _rows(
    places: Places, layers: Sequence[_Layer], sets: tuple[frozenset[Network], ...]
) -> tuple[Places, list[NDArray[np.uint32]]]:
    """Rows for every (place, number, set) in use; those with neither number nor set keep their row."""
    row, asn, chosen = (
        np.concatenate([getattr(layer, name) for layer in layers]) for name in ("rows", "asns", "sets")
    )
    special = (asn > 0) | (chosen > 0)
    # Two steps keep the combined numbers within 64 bits: AS numbers alone take 32.
    numbers, asn_index = np.unique(asn[special], return_inverse=True)
    key = (row[special] * len(numbers) + asn_index) * len(sets) + chosen[special]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    row = row.copy()
    base, base_asn, base_set = row[special][first], asn[special][first], chosen[special][first]
    row[special] = inverse + len(places)
    index = np.concatenate([np.arange(len(places)), base])
    kept = np.zeros(len(places), np.int64)
    result = Places(
        country=places.country[index],
        continent=places.continent[index],
        subdivision=places.subdivision[index],
        city=places.city[index],
        lat=places.lat[index],
        lon=places.lon[index],
        asn=np.concatenate([kept, base_asn]).astype(np.uint32),
        network_set=np.concatenate([kept, base_set]).astype(np.int32),
        cities=places.cities,
        network_sets=sets,
    )
    edge = len(layers[0].rows)
    return result, [row[:edge].astype(np.uint32), row[edge:].astype(np.uint32)]
