"""The policy as it is written: version 1 of the file format, strict, one model per mapping.

`georouter schema` prints the JSON Schema of `Document`. Nothing here knows of other parts of the
file; references and meanings are checked by `resolve`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from georouter.policy import units
from georouter.policy.fields import (
    Comparison,
    Duration,
    FileModel,
    Optionally,
    Percent,
    Port,
    ServiceTtl,
    Shorthand,
    Statuses,
    Text,
    Texts,
    Ttl,
    Weight,
    as_list,
)
from georouter.policy.written_geo import GeoFile, LocationFile
from georouter.policy.written_server import ServerFile
from georouter.policy.written_steps import StepFile
from georouter.policy.written_tests import PolicyTestFile
from georouter.policy.written_transfer import TransferFile

VERSION = 1


class ExpectFile(FileModel):
    """What a healthy answer looks like."""

    status: Statuses = Field(
        default=[200], description="HTTP status codes that count as success, such as 200, 2xx or 200-399."
    )
    body: Text | None = Field(default=None, description="Text that the body must contain.")


class TlsFile(FileModel):
    """How an https check looks at certificates."""

    verify: bool = Field(default=True, description="Whether the certificate must be valid for the host.")
    ca_file: Text | None = Field(default=None, description="PEM file with the authorities to trust.")


class SignalFile(FileModel):
    """A value in the JSON body of a good answer, and what it means."""

    path: Text = Field(description="JSON Pointer (RFC 6901) to the value, such as /db/lag_ms.")
    degraded: Comparison | None = Field(default=None, description="Where it weighs less.")
    down: Comparison | None = Field(default=None, description="Where the check fails.")
    missing: Literal["fail", "ignore", "degraded"] = Field(
        default="fail", description="What an answer without a usable value means."
    )
    hysteresis: Annotated[Percent, Field(ge=0, le=90)] = Field(
        default=10.0, description="How much better than a threshold a value must be to leave it."
    )


class CheckFile(FileModel):
    """A question that tells whether an endpoint works."""

    type: Literal["http", "https", "tcp"] = Field(description="How to ask.")
    port: Port | None = Field(
        default=None, description="Default 80 for http and 443 for https; tcp needs one."
    )
    path: Text | None = Field(
        default=None, description='Path and query of an HTTP request; "/" if not given.'
    )
    host: Text | None = Field(default=None, description="Host header and TLS server name.")
    headers: Annotated[dict[str, str], Optionally] = Field(
        default={}, description="More header fields of an HTTP request."
    )
    address: Text | None = Field(default=None, description="Connect here instead of to the endpoint.")
    expect: ExpectFile | None = Field(default=None, description="What a healthy answer looks like.")
    tls: TlsFile | None = Field(default=None, description="Certificate rules of an https check.")
    interval: Duration = Field(default=5.0, description="From the start of one attempt to the next.")
    timeout: Duration = Field(default=2.0, description="An attempt that takes longer has failed.")
    confirm_interval: Duration = Field(default=0.5, description="The pace after a first failure.")
    fall: int = Field(default=3, ge=1, le=100, description="Consecutive failures until down.")
    rise: int = Field(default=2, ge=1, le=100, description="Consecutive successes until up.")
    signals: Annotated[dict[str, SignalFile], Optionally] = Field(
        default={}, description="Values in the JSON body of an http answer, by name."
    )


class EndpointFile(FileModel):
    """One address of a region, or one hostname."""

    address: Text = Field(description="IPv4 or IPv6 address, or a hostname.")
    weight: Weight = Field(default=1.0, description="Share among the region's endpoints.")
    check: Text | None = Field(default=None, description="The name of a check; default is the region's.")


Endpoint = Annotated[
    EndpointFile,
    BeforeValidator(lambda value: {"address": value} if isinstance(value, str) else value),
    Shorthand({"type": "string"}),
]


class RegionFile(FileModel):
    """A place that services can be answered from."""

    location: LocationFile | None = Field(
        default=None, description="Where it stands; needed for nearest, latency and pin."
    )
    endpoints: Annotated[
        list[Endpoint], BeforeValidator(as_list), Field(min_length=1), Shorthand({"type": "string"})
    ] = Field(
        description="Addresses or hostnames, each plain or {address, weight, check}.",
    )
    check: Text | None = Field(default=None, description="The check of endpoints that name none.")
    capacity: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Requests per second it can take."
    )
    labels: Annotated[dict[str, str], Optionally] = Field(
        default={}, description="Your own words for residency rules."
    )
    min_healthy: int = Field(
        default=1, ge=1, description="Endpoints that must be up for the region to be up."
    )


class BindingFile(FileModel):
    """An HTTPS or SVCB record whose addresses are those of the decision (RFC 9460)."""

    priority: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=1, description="Lower ones are preferred (SvcPriority)."
    )
    target: Text = Field(
        default=".", description='Where the service is, an absolute name; "." is the name that was asked.'
    )
    alpn: Texts = Field(default=[], description="Protocols besides the default one, such as h2 and h3.")
    no_default_alpn: bool = Field(default=False, description="The default protocol is not supported.")
    port: Port | None = Field(default=None, description="Default is that of the scheme.")
    ech: Text | None = Field(default=None, description="Encrypted ClientHello: an ECHConfigList in base64.")
    params: Annotated[dict[str, str | int | None], Optionally] = Field(
        default={}, description='Other parameters as in zone files, such as {dohpath: "/q{?dns}"} or key667.'
    )
    hints: bool | None = Field(
        default=None,
        description='Whether ipv4hint and ipv6hint hold what A and AAAA answer; default for the target ".".',
    )


Bindings = str | BindingFile | Annotated[list[str | BindingFile], Field(min_length=1)] | None
"""For the schema; `resolve.bindings` reads them one by one."""


class TtlsFile(FileModel):
    """How long answers may be cached, and how long while something may move."""

    steady: ServiceTtl = Field(default=30, description="While all is calm.")
    suspect: ServiceTtl | None = Field(default=None, description="While a region's checks begin to fail.")
    down: ServiceTtl | None = Field(default=None, description="While a region is down or drained.")
    ramp: ServiceTtl | None = Field(default=None, description="While a drain is planned.")


class ServiceFile(FileModel):
    """What steered names are answered from."""

    regions: Annotated[Texts, Field(min_length=1)] = Field(
        description="The regions, in the order of last resort."
    )
    ttl: Annotated[
        TtlsFile,
        BeforeValidator(lambda value: value if isinstance(value, dict) else {"steady": value}),
        Shorthand({"type": "string", "pattern": units.DURATION_PATTERN}),
    ] = Field(default=TtlsFile(), description="TTL of steered answers; or {steady, suspect, down, ramp}.")
    ecs: bool = Field(
        default=True, description="Whether client subnets count; else only the resolver's address does."
    )
    demand: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="What all clients together ask of it, in the unit of the regions' capacity."
    )
    chain: list[StepFile] = Field(default=[], description="Steering steps, in order.")
    https: Bindings = Field(
        default=None, description='HTTPS records of the same decision: {alpn: [h2, h3]} or "1 . alpn=h2,h3".'
    )
    svcb: Bindings = Field(default=None, description="The same for SVCB records.")
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
    ] = Field(default="serve_all", description="What is answered when every allowed region is down.")


class SoaFile(FileModel):
    """Start of authority of a zone."""

    mname: Text | None = Field(default=None, description="Primary name server; default is the first of ns.")
    rname: Text | None = Field(
        default=None, description="Mail of the responsible person, with @ or as a name."
    )
    serial: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        default=None, description="Default is one that rises whenever the zone's content changes."
    )
    refresh: Ttl = Field(default=14400, description="Secondaries ask for changes this often.")
    retry: Ttl = Field(default=3600, description="And this long after a failure.")
    expire: Ttl = Field(default=1209600, description="And give up after this long.")
    negative_ttl: Ttl = Field(
        default=60, description="How long resolvers remember that a name does not exist."
    )
    ttl: Ttl | None = Field(default=None, description="TTL of the SOA record; default is the zone's.")


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
        "alias": {"type": "string", "description": "Answer with the addresses of this name."},
        "ttl": {"type": "string", "pattern": "^[0-9]", "description": "TTL of these records."},
    },
    "patternProperties": {"^[A-Z][A-Z0-9-]*$": _RDATA},
    "additionalProperties": False,
    "minProperties": 1,
}

RECORDS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"anyOf": [_RECORD, {"type": "array", "items": _RECORD, "minItems": 1}]},
}


class ZoneFile(FileModel):
    """A zone that the server is authoritative for."""

    soa: Annotated[SoaFile, Optionally] = Field(default_factory=SoaFile, description="Start of authority.")
    ttl: Ttl = Field(default=3600, description="TTL of records that name none.")
    file: Text | None = Field(default=None, description="Zone file (RFC 1035) with records of the zone.")
    ns: Texts = Field(
        default=[], description="Name servers, absolute host names; may be left out where the file has them."
    )
    records: Annotated[object, WithJsonSchema(RECORDS_SCHEMA)] = Field(
        default=None, description="Owner name, relative to the zone unless it ends with a dot, to records."
    )
    transfer: TransferFile | None = Field(default=None, description="Who may copy the zone; nobody without.")


class Document(FileModel):
    """A georouter policy."""

    version: Literal[1] = Field(description="Version of this file format.")
    server: Annotated[ServerFile, Optionally] = Field(
        default_factory=ServerFile, description="The daemon's sockets and files."
    )
    geo: Annotated[GeoFile, Optionally] = Field(
        default_factory=GeoFile, description="The geo database, and your own networks."
    )
    checks: Annotated[dict[str, CheckFile], Optionally] = Field(
        default={}, description="Health checks, by name."
    )
    regions: Annotated[dict[str, RegionFile], Optionally] = Field(default={}, description="Regions, by name.")
    services: Annotated[dict[str, ServiceFile], Optionally] = Field(
        default={}, description="Services, by name."
    )
    zones: Annotated[dict[str, ZoneFile], Optionally] = Field(default={}, description="Zones, by name.")
    tests: Annotated[list[PolicyTestFile], BeforeValidator(lambda value: [] if value is None else value)] = (
        Field(default=[], description="Questions to the policy that `georouter check` asks.")
    )
