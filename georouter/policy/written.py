"""The policy as it is written: version 1 of the file format, strict, one model per mapping.

`georouter schema` prints the JSON Schema of `Document`. Nothing here knows of other parts of the
file; references and meanings are checked by `resolve`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from georouter.policy.fields import (
    Asn,
    Bytes,
    Duration,
    FileModel,
    Latitude,
    Longitude,
    Optionally,
    Port,
    ServiceTtl,
    Shorthand,
    Text,
    Texts,
    Ttl,
    Weight,
)
from georouter.policy.written_steps import StepFile

VERSION = 1


class LocationFile(FileModel):
    """A point on the globe."""

    lat: Latitude = Field(description="Degrees north, -90 to 90.")
    lon: Longitude = Field(description="Degrees east, -180 to 180.")
    country: Text | None = Field(None, description="ISO 3166-1 alpha-2, such as DE.")


class LimitsFile(FileModel):
    """Bounds of the server's sockets."""

    udp_payload: Annotated[Bytes, Field(ge=512, le=4096)] = Field(
        1232, description="Largest answer over UDP; larger ones are truncated."
    )
    receive_buffer: Annotated[Bytes, Field(ge=4096, le=2**30)] = Field(
        4 * 1024 * 1024, description="Socket receive buffer that is asked of the kernel."
    )
    tcp_connections: int = Field(1000, ge=1, le=1_000_000, description="Open TCP connections at most.")
    tcp_connections_per_client: int = Field(100, ge=1, le=1_000_000, description="The same for one client.")
    tcp_idle_timeout: Duration = Field(10.0, description="Close a silent TCP connection after this long.")


class ServerFile(FileModel):
    """Where the daemon listens and keeps its files."""

    listen: Annotated[Texts, Field(min_length=1)] = Field(
        ["127.0.0.1:5300"], description='DNS over UDP and TCP: "192.0.2.53:53", "[::1]:5300".'
    )
    admin: Annotated[
        Text | Literal[False], WithJsonSchema({"anyOf": [{"type": "string"}, {"const": False}]})
    ] = Field("127.0.0.1:8053", description="HTTP for metrics, status and overrides; false for none.")
    admin_token_file: Text | None = Field(
        None, description="File with the bearer token that changes need; without it only loopback may change."
    )
    state_dir: Text = Field("./state", description="Folder for what must survive a restart.")
    workers: Annotated[
        Literal["auto"] | Annotated[int, Field(ge=1, le=256)],
        WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 256}]}),
    ] = Field("auto", description="UDP workers.")
    location: LocationFile | None = Field(None, description="Where this node stands.")
    seed: Text = Field("georouter", description="Nodes with the same seed make the same weighted choices.")
    limits: Annotated[LimitsFile, Optionally] = Field(LimitsFile(), description="Bounds of the sockets.")


class NetworkFile(FileModel):
    """Where the addresses of a network are, instead of what the database says."""

    country: Text | None = Field(None, description="ISO 3166-1 alpha-2, such as DE.")
    subdivision: Text | None = Field(None, description="ISO 3166-2, such as US-CA.")
    city: Text | None = Field(None, description="City name as the database writes it.")
    lat: Latitude | None = Field(None, description="Degrees north.")
    lon: Longitude | None = Field(None, description="Degrees east.")
    location: LocationFile | None = Field(None, description="The same as lat and lon.")
    asn: Asn | None = Field(None, description="Autonomous system number.")


class GeoFile(FileModel):
    """Where locations of clients come from."""

    database: Annotated[Texts, Field(min_length=1)] = Field(
        ["builtin"], description='"builtin", or an MMDB file, or one per address family.'
    )
    asn: Texts = Field([], description="MMDB files with autonomous system numbers.")
    networks: Annotated[dict[str, NetworkFile], Optionally] = Field(
        {}, description="Places of your own networks, by CIDR."
    )


class ExpectFile(FileModel):
    """What a healthy answer looks like."""

    status: Annotated[
        list[Annotated[int, Field(ge=100, le=599)]],
        BeforeValidator(lambda value: [value] if isinstance(value, int) else value),
        Field(min_length=1),
        WithJsonSchema(
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]}
        ),
    ] = Field([200], description="HTTP status codes that count as success.")
    body: Text | None = Field(None, description="Text that the body must contain.")


class TlsFile(FileModel):
    """How an https check looks at certificates."""

    verify: bool = Field(True, description="Whether the certificate must be valid for the host.")  # noqa: FBT003
    ca_file: Text | None = Field(None, description="PEM file with the authorities to trust.")


class CheckFile(FileModel):
    """A question that tells whether an endpoint works."""

    type: Literal["http", "https", "tcp"] = Field(description="How to ask.")
    port: Port | None = Field(None, description="Default 80 for http and 443 for https; tcp needs one.")
    path: Text | None = Field(None, description='Path and query of an HTTP request; "/" if not given.')
    host: Text | None = Field(None, description="Host header and TLS server name.")
    address: Text | None = Field(None, description="Connect here instead of to the endpoint.")
    expect: ExpectFile | None = Field(None, description="What a healthy answer looks like.")
    tls: TlsFile | None = Field(None, description="Certificate rules of an https check.")
    interval: Duration = Field(5.0, description="From the start of one attempt to the next.")
    timeout: Duration = Field(2.0, description="An attempt that takes longer has failed.")
    confirm_interval: Duration = Field(0.5, description="The pace after a first failure.")
    fall: int = Field(3, ge=1, le=100, description="Consecutive failures until down.")
    rise: int = Field(2, ge=1, le=100, description="Consecutive successes until up.")


class EndpointFile(FileModel):
    """One address of a region, or one hostname."""

    address: Text = Field(description="IPv4 or IPv6 address, or a hostname.")
    weight: Weight = Field(1.0, description="Share among the region's endpoints.")
    check: Text | None = Field(None, description="The name of a check; default is the region's.")


Endpoint = Annotated[
    EndpointFile,
    BeforeValidator(lambda value: {"address": value} if isinstance(value, str) else value),
    Shorthand({"type": "string"}),
]


class RegionFile(FileModel):
    """A place that services can be answered from."""

    location: LocationFile = Field(description="Where it stands.")
    endpoints: Annotated[list[Endpoint], Field(min_length=1)] = Field(
        description="Addresses or hostnames, each plain or {address, weight, check}.",
    )
    check: Text | None = Field(None, description="The check of endpoints that name none.")
    capacity: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Requests per second it can take."
    )
    labels: Annotated[dict[str, str], Optionally] = Field(
        {}, description="Your own words for residency rules."
    )
    min_healthy: int = Field(1, ge=1, description="Endpoints that must be up for the region to be up.")


class ServiceFile(FileModel):
    """What steered names are answered from."""

    regions: Annotated[Texts, Field(min_length=1)] = Field(
        description="The regions, in the order of last resort."
    )
    ttl: ServiceTtl = Field(30, description="TTL of steered answers.")
    chain: list[StepFile] = Field([], description="Steering steps, in order.")
    when_all_down: Annotated[
        object,
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": ["serve_all", "last_known", "servfail"]},
                    {
                        "type": "object",
                        "properties": {
                            "fallback": {"type": "array", "items": {"type": "string"}, "minItems": 1}
                        },
                        "required": ["fallback"],
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ] = Field("serve_all", description="What is answered when every allowed region is down.")


class SoaFile(FileModel):
    """Start of authority of a zone."""

    mname: Text | None = Field(None, description="Primary name server; default is the first of ns.")
    rname: Text | None = Field(None, description="Mail of the responsible person, with @ or as a name.")
    serial: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        None, description="Default is one that follows the zone's content."
    )
    refresh: Ttl = Field(7200, description="Secondaries ask for changes this often.")
    retry: Ttl = Field(900, description="And this long after a failure.")
    expire: Ttl = Field(1209600, description="And give up after this long.")
    negative_ttl: Ttl = Field(60, description="How long resolvers remember that a name does not exist.")
    ttl: Ttl | None = Field(None, description="TTL of the SOA record; default is the zone's.")


_RDATA: dict[str, Any] = {
    "anyOf": [
        {"type": ["string", "number"]},
        {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
    ]
}
_RECORD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "service": {"type": "string", "description": "Steer this name with a service."},
        "ttl": {"type": "string", "pattern": "^[0-9]", "description": "TTL of these records."},
    },
    "patternProperties": {"^[A-Z][A-Z0-9]*$": _RDATA},
    "additionalProperties": False,
    "minProperties": 1,
}

RECORDS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"anyOf": [_RECORD, {"type": "array", "items": _RECORD, "minItems": 1}]},
}


class ZoneFile(FileModel):
    """A zone that the server is authoritative for."""

    soa: Annotated[SoaFile, Optionally] = Field(SoaFile(), description="Start of authority.")
    ttl: Ttl = Field(3600, description="TTL of records that name none.")
    ns: Annotated[Texts, Field(min_length=1)] = Field(description="Name servers, absolute host names.")
    records: Annotated[object, WithJsonSchema(RECORDS_SCHEMA)] = Field(
        None, description="Owner name, relative to the zone unless it ends with a dot, to records."
    )


class TestFile(FileModel):
    """A question to the policy and the answer it must have."""

    name: Text = Field(description="A steered name, absolute.")
    client: Text = Field(description="Client address or network.")
    expect: Texts = Field(description="The regions that may answer, exactly.")
    down: Texts = Field([], description="Regions that are down meanwhile.")


class Document(FileModel):
    """A georouter policy."""

    version: Literal[1] = Field(description="Version of this file format.")
    server: Annotated[ServerFile, Optionally] = Field(
        ServerFile(), description="The daemon's sockets and files."
    )
    geo: Annotated[GeoFile, Optionally] = Field(
        GeoFile(), description="Where locations of clients come from."
    )
    checks: Annotated[dict[str, CheckFile], Optionally] = Field({}, description="Health checks, by name.")
    regions: Annotated[dict[str, RegionFile], Optionally] = Field({}, description="Regions, by name.")
    services: Annotated[dict[str, ServiceFile], Optionally] = Field({}, description="Services, by name.")
    zones: Annotated[dict[str, ZoneFile], Optionally] = Field({}, description="Zones, by name.")
    tests: Annotated[list[TestFile], BeforeValidator(lambda value: [] if value is None else value)] = Field(
        [], description="Questions to the policy that `georouter check` asks."
    )
