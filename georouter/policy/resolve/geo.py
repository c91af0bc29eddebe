"""The `geo:` section."""

from georouter.geo.map import Network
from georouter.policy.model import GeoSource, NetworkPlace
from georouter.policy.nodes import Path
from georouter.policy.resolve import places
from georouter.policy.resolve.context import Context
from georouter.policy.written_geo import GeoFile, NetworkFile

BUILTIN = "builtin"


def resolve(written: GeoFile, context: Context) -> GeoSource:
    """File names absolute, networks parsed."""
    path: Path = ("geo", "database")
    databases: tuple[str, ...] = ()
    if written.database != [BUILTIN]:
        if BUILTIN in written.database:
            context.report.error(path, f'"{BUILTIN}" cannot be combined with files')
        databases = tuple(
            context.absolute(name, (*path, index)) for index, name in enumerate(written.database)
        )
    return GeoSource(
        databases=databases,
        asn_databases=tuple(
            context.absolute(name, ("geo", "asn", index)) for index, name in enumerate(written.asn)
        ),
        networks=_networks(written.networks, context),
    )


def _networks(written: dict[str, NetworkFile], context: Context) -> tuple[NetworkPlace, ...]:
    found: dict[Network, NetworkPlace] = {}
    for text, place in written.items():
        path: Path = ("geo", "networks", text)
        network = places.network(text, path, context, key=True)
        resolved = _place(network, place, path, context) if network else None
        if network is None or resolved is None:
            continue
        if network in found:
            context.report.error(path, f"{network} is listed twice", key=True)
        found[network] = resolved
    return tuple(found.values())


def _place(network: Network, written: NetworkFile, path: Path, context: Context) -> NetworkPlace | None:
    report, point = context.report, written.location
    if (written.lat is None) != (written.lon is None):
        report.error(path, '"lat" and "lon" go together', key=True)
    if point is not None and written.lat is not None:
        report.error((*path, "location"), 'give "location" or "lat" and "lon", not both', key=True)
    if point is not None and point.country is not None:
        places.country(point.country, (*path, "location", "country"), context)
    country = written.country or (point.country if point else None)
    if written.country is not None:
        places.country(written.country, (*path, "country"), context)
    if written.subdivision is not None and places.subdivision(
        written.subdivision, (*path, "subdivision"), context
    ):
        of = places.country_of(written.subdivision)
        if country not in (None, of):
            message = f'"{written.subdivision}" is a subdivision of {of}, not of {country}'
            report.error((*path, "subdivision"), message)
        country = country or of
    if not written.model_fields_set:
        report.error(path, "says nothing about the network; give a country, lat and lon, or asn", key=True)
    return NetworkPlace(
        network=network,
        country=country,
        subdivision=written.subdivision,
        city=written.city,
        lat=point.lat if point else written.lat,
        lon=point.lon if point else written.lon,
        asn=written.asn,
    )
