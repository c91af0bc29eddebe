"""`georouter geo`: what a geo database is, where it puts an address, and how a compact map is made."""

import ipaddress
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from georouter.cli.output import console, moment, plain, print_json, table
from georouter.geo import store
from georouter.geo.asn import AsnMap
from georouter.geo.build import DEFAULT_SCHEME, Scheme, coarsen, sizes
from georouter.geo.codes import COUNTRIES, subdivision_names
from georouter.geo.locate import locate, locate_asn
from georouter.geo.map import UNPLACED, Address, GeoMap
from georouter.sources.geo_files import load_asn, load_map
from georouter.words.errors import SourceError

Result = TypeVar("Result")

database_option = click.option(
    "--database",
    "databases",
    multiple=True,
    metavar="FILE",
    help="An MMDB (once per family) or a compact map; without it, the built-in map.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class AddressType(click.ParamType[Address]):
    """An IPv4 or IPv6 address."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """Text to address; a usage error for anything else."""
        try:
            return ipaddress.ip_address(value)
        except ValueError:
            self.fail(f"{value!r} is not an IPv4 or IPv6 address", param, ctx)


@click.group(name="geo")
def geo_group() -> None:
    """Build, describe or ask the geo database."""


@geo_group.command()
@database_option
@json_option
def info(*, databases: tuple[str, ...], as_json: bool) -> None:
    """Describe a database: what it can tell, how old and how large it is."""
    began = time.perf_counter()
    map_ = _or_exit(lambda: load_map(databases))
    described = describe(map_) | {"load_ms": round((time.perf_counter() - began) * 1000)}
    if as_json:
        print_json(described)
        return
    shown = table("", "")
    shown.show_header = False
    for key, value in described.items():
        shown.add_row(plain(key.replace("_", " ")), plain(_text(key, value)))
    console().print(shown)


@geo_group.command()
@click.argument("addresses", nargs=-1, required=True, type=AddressType(), metavar="ADDR...")
@database_option
@click.option("--asn-database", "asn_databases", multiple=True, metavar="FILE", help="An ASN database.")
@json_option
def lookup(
    *,
    addresses: tuple[Address, ...],
    databases: tuple[str, ...],
    asn_databases: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say where addresses are, and the widest network round each that shares the place."""
    map_ = _or_exit(lambda: load_map(databases))
    asn_map = _or_exit(lambda: load_asn(asn_databases))
    found = [place(map_, asn_map, address) for address in addresses]
    if as_json:
        print_json({"database": map_.info.database, "attribution": map_.info.attribution, "results": found})
        return
    shown = table("address", "network", "place", "lat, lon", *(["AS"] if asn_map else []))
    for row in found:
        cells = [row["address"], row["network"], _place_text(row), _spot_text(row)]
        shown.add_row(*(plain(cell) for cell in [*cells, *([row["asn"]] if asn_map else [])]))
    console().print(shown)
    _credit(map_)


@geo_group.command()
@click.argument("inputs", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The map to write."
)
@click.option(
    "--cell",
    type=click.FloatRange(0.1, 180),
    default=DEFAULT_SCHEME.cell_degrees,
    show_default=True,
    help="Edge of a grid cell in degrees; places of a subdivision within one cell become one.",
)
@click.option(
    "--block4",
    type=click.IntRange(8, 32),
    default=DEFAULT_SCHEME.block4,
    show_default=True,
    help="IPv4 prefix length inside which only country borders are kept.",
)
@click.option(
    "--block6",
    type=click.IntRange(16, 64),
    default=DEFAULT_SCHEME.block6,
    show_default=True,
    help="The same for IPv6.",
)
@click.option("--name", help="What the map calls its source; default: what the databases call themselves.")
@click.option("--attribution", help="Who must be named; default: by what the databases are called.")
def build(
    *,
    inputs: tuple[str, ...],
    output: Path,
    cell: float,
    block4: int,
    block6: int,
    name: str | None,
    attribution: str | None,
) -> None:
    """Make a compact map from a city database: borders of countries exact, places inside coarser."""
    full = _or_exit(lambda: load_map(inputs))
    credit = attribution or full.info.attribution
    if not credit:
        raise click.UsageError("the databases do not say whose they are; name the source with --attribution")
    small = coarsen(full, Scheme(cell, block4, block6))
    named = replace(small.info, database=name or small.info.database, attribution=credit)
    content = store.encode(replace(small, info=named))
    _or_exit(lambda: _write(output, content))
    ranges = len(small.starts4) + len(small.starts6)
    click.echo(
        f"{output}: {len(content):,} bytes, {len(small.places):,} places, {ranges:,} ranges"
        f" (from {len(full.places):,} and {len(full.starts4) + len(full.starts6):,})"
    )
    _credit(replace(small, info=named))


@geo_group.command("record")
@click.argument("database", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("address", type=AddressType(), metavar="ADDR")
def record_command(*, database: Path, address: Address) -> None:
    """Print what a database file itself holds of an address, as JSON; null for nothing."""
    from georouter.sources.mmdb_record import record  # noqa: PLC0415 - geoip2 brings an HTTP client along

    print_json(_or_exit(lambda: record(database, address)))


def describe(map_: GeoMap) -> dict[str, Any]:
    """What `info` shows."""
    placed4 = sizes(map_.starts4, 32)[map_.place4 != UNPLACED].sum()
    placed6 = sizes(map_.starts6, 64)[map_.place6 != UNPLACED].sum()
    return {
        "database": map_.info.database,
        "built": moment(map_.info.build_epoch_s),
        "kinds": sorted(map_.info.kinds),
        "countries": len(np.unique(map_.places.country[map_.places.country != b""])),
        "subdivisions": len(np.unique(map_.places.subdivision[map_.places.subdivision != b""])),
        "cities": len(map_.places.cities) - 1,
        "places": len(map_.places) - 1,
        "ranges_ipv4": len(map_.starts4),
        "ranges_ipv6": len(map_.starts6),
        "placed_addresses_ipv4": int(placed4),
        "placed_prefixes_ipv6": int(placed6),
        "attribution": map_.info.attribution,
    }


def place(map_: GeoMap, asn_map: AsnMap | None, address: Address) -> dict[str, Any]:
    """What `lookup` shows of one address; None for what is not known."""
    row, network = locate(map_, address)
    places = map_.places
    country = places.country[row].decode()
    subdivision = places.subdivision[row].decode()
    lat, lon = float(places.lat[row]), float(places.lon[row])
    return {
        "address": str(address),
        "network": str(network),
        "country": country or None,
        "country_name": COUNTRIES[country].name if country in COUNTRIES else None,
        "continent": places.continent[row].decode() or None,
        "subdivision": subdivision or None,
        "subdivision_name": subdivision_names().get(subdivision),
        "city": places.cities[places.city[row]] or None,
        "lat": None if math.isnan(lat) else round(lat, 4),
        "lon": None if math.isnan(lon) else round(lon, 4),
        "asn": (locate_asn(asn_map, address) or None) if asn_map else None,
    }


def _place_text(row: dict[str, Any]) -> str:
    """Largest first: `NA, United States (US), California (US-CA), San Jose`."""
    if row["country"] is None and row["lat"] is None:
        return "not placed"
    named = [row["continent"]]
    for key in ("country", "subdivision"):
        if row[key]:
            label = row[f"{key}_name"]
            named.append(f"{label} ({row[key]})" if label else row[key])
    return ", ".join(part for part in [*named, row["city"]] if part)


def _spot_text(row: dict[str, Any]) -> str:
    return "" if row["lat"] is None else f"{row['lat']:.2f}, {row['lon']:.2f}"


def _text(key: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and key != "load_ms" else str(value)


def _credit(map_: GeoMap) -> None:
    if map_.info.attribution:
        click.echo(map_.info.attribution)


def _or_exit(work: Callable[[], Result]) -> Result:
    """Do `work`; a file that cannot be used ends the command with 1 and its reason."""
    try:
        return work()
    except SourceError as error:
        raise click.ClickException(str(error)) from error


def _write(path: Path, content: bytes) -> None:
    """Write a new file beside the old one and put it in its place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SourceError(f"{path}: {error.strerror or error}") from error
