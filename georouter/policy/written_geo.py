"""Where things are, as it is written: a point, and the `geo` section."""

from typing import Annotated

from pydantic import Field

from georouter.policy.fields import (
    Asn,
    FileModel,
    Latitude,
    Longitude,
    Optionally,
    Text,
    Texts,
)


class LocationFile(FileModel):
    """A point on the globe."""

    lat: Latitude = Field(description="Degrees north, -90 to 90.")
    lon: Longitude = Field(description="Degrees east, -180 to 180.")
    country: Text | None = Field(default=None, description="ISO 3166-1 alpha-2, such as DE.")


class NetworkFile(FileModel):
    """Where the addresses of a network are, instead of what the database says."""

    country: Text | None = Field(default=None, description="ISO 3166-1 alpha-2, such as DE.")
    subdivision: Text | None = Field(default=None, description="ISO 3166-2, such as US-CA.")
    city: Text | None = Field(default=None, description="City name as the database writes it.")
    lat: Latitude | None = Field(default=None, description="Degrees north.")
    lon: Longitude | None = Field(default=None, description="Degrees east.")
    location: LocationFile | None = Field(default=None, description="The same as lat and lon.")
    asn: Asn | None = Field(default=None, description="Autonomous system number.")


class GeoFile(FileModel):
    """Where locations of clients come from."""

    database: Annotated[Texts, Field(min_length=1)] = Field(
        default=["builtin"], description='"builtin", or an MMDB file, or one per address family.'
    )
    asn: Texts = Field(default=[], description="MMDB files with autonomous system numbers.")
    networks: Annotated[dict[str, NetworkFile], Optionally] = Field(
        default={}, description="Places of your own networks, by CIDR."
    )
