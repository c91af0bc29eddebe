"""The resolved policy: what every other room reads. Frozen, typed, every reference known to exist.

The file as written (versioned, strict, with line numbers) is a different model, in `written`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from georouter.answers.networks import NOBODY, Networks
from georouter.answers.ratelimit import Rate
from georouter.facts.ramp import RampRule
from georouter.facts.rules import AliasRule, BrakeRule, HealthRule
from georouter.geo.map import Network
from georouter.policy.steps import Failover, Step, Weighted
from georouter.words.ids import CheckName, RegionName, ServiceName, ZoneName


@dataclass(frozen=True, slots=True)
class Location:
    """Degrees; `country` is ISO 3166-1 alpha-2 where the operator named it."""

    lat: float
    lon: float
    country: str | None = None


class CheckType(StrEnum):
    """How an endpoint is asked whether it works."""

    HTTP = "http"
    HTTPS = "https"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of question to endpoints. `address` overrides where it connects (host or IP);
    `host` is the Host header and the TLS server name. `headers` are further ones. `body` is a
    substring the answer must hold.
    """

    name: CheckName
    type: CheckType
    port: int
    path: str = "/"
    host: str | None = None
    address: str | None = None
    statuses: frozenset[int] = frozenset({200})
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool = True
    ca_file: str | None = None
    rule: HealthRule = field(default_factory=HealthRule)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`address` is an IPv4 or IPv6 address, or an absolute lower-case hostname without final dot."""

    address: str
    family: int
    """4, 6, or 0 for a hostname (answered as CNAME)."""
    weight: float = 1.0
    check: CheckName | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """Where the service can be answered from. Up while at least `min_healthy` endpoints are."""

    name: RegionName
    location: Location | None
    """None only where no step goes by places: services with such steps name none of these regions."""
    endpoints: tuple[Endpoint, ...]
    capacity: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    min_healthy: int = 1


class AllDown(StrEnum):
    """What is answered when every region the fence allows is down."""

    SERVE_ALL = "serve_all"
    LAST_KNOWN = "last_known"
    SERVFAIL = "servfail"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Binding:
    """An HTTPS or SVCB record in ServiceMode (RFC 9460 2.4.3), but for the addresses of a decision.

    `target` is in wire format, the root for the owner name; `params` are (key, value) in the order of
    keys. `hints`: with the addresses that A and AAAA give.
    """

    priority: int
    target: bytes
    params: tuple[tuple[int, bytes], ...]
    hints: bool


@dataclass(frozen=True, slots=True)
class Ttls:
    """TTLs while something may move, in seconds; None leaves it at the steady one."""

    suspect_s: int | None = None
    down_s: int | None = None
    ramp_s: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A set of regions and the chain that orders them. `fallback` is used with `AllDown.FALLBACK`.

    `ttl_s` is the steady TTL, `ttls` what lowers it.
    Without `ecs`, clients are only ever known by their resolver's address. `demand` is what all clients
    together ask of it, in the unit of the regions' `capacity`; None where nobody said. `https` and `svcb`
    are the records of these types at the service's names; none for NODATA.
    """

    name: ServiceName
    regions: tuple[RegionName, ...]
    chain: tuple[Step, ...] = ()
    ttl_s: int = 30
    when_all_down: AllDown = AllDown.SERVE_ALL
    fallback: tuple[RegionName, ...] = ()
    ecs: bool = True
    ttls: Ttls | None = None
    demand: float | None = None
    https: tuple[Binding, ...] = ()
    svcb: tuple[Binding, ...] = ()

    @property
    def failover(self) -> Failover | None:
        """The `failover` step, if it is one that keeps a state."""
        steps = (step for step in self.chain if isinstance(step, Failover) and step.rule is not None)
        return next(steps, None)

    @property
    def ramp(self) -> RampRule | None:
        """The ramp of the `weighted` step, if it has one."""
        steps = (step.ramp for step in self.chain if isinstance(step, Weighted) and step.ramp is not None)
        return next(steps, None)


@dataclass(frozen=True, slots=True)
class Soa:
    """Start of authority (RFC 1035 3.3.13). `mname`, `rname` absolute without final dot.

    `serial` is None for one that rises with the zone's content. `negative_ttl_s` is the MINIMUM field.
    """

    mname: str
    rname: str
    serial: int | None = None
    refresh_s: int = 14400
    retry_s: int = 3600
    expire_s: int = 1209600
    negative_ttl_s: int = 60
    ttl_s: int = 3600


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Static records of one owner and type; `rdatas` are uncompressed wire format."""

    owner: bytes
    """Owner name in lower-case wire format; `*` labels stay as they are."""
    type: int
    ttl_s: int
    rdatas: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Steered:
    """`owner` (lower-case wire format) is answered by `service`."""

    owner: bytes
    service: ServiceName


@dataclass(frozen=True, slots=True)
class Notify:
    """A secondary that is told of changes (RFC 1996): host and port, and the key to sign with, if any."""

    address: tuple[str, int]
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Who may copy a zone: clients in `networks`, and those who sign with one of `keys` (lower-case wire
    names). `steered` is False where a zone with steered names is kept back.
    """

    networks: Networks = NOBODY
    keys: tuple[bytes, ...] = ()
    notify: tuple[Notify, ...] = ()
    steered: bool = True


@dataclass(frozen=True, slots=True)
class Alias:
    """`owner` is answered with the addresses of `target` (both lower-case wire format).

    `ttl_s` bounds the TTL of the answers; None leaves it to the target.
    """

    owner: bytes
    target: bytes
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone. Its apex NS records are in `records`; the SOA is made from `soa`."""

    name: ZoneName
    apex: bytes
    """The zone's name in lower-case wire format."""
    soa: Soa
    records: Sequence[RecordSet]
    steered: tuple[Steered, ...]
    transfer: Transfer | None = None
    """None: nobody may copy it."""
    aliases: tuple[Alias, ...] = ()


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key of `server.keys` (RFC 8945); `name` in lower-case wire format. The secret is only in its file."""

    name: bytes
    algorithm: str
    secret_file: str


@dataclass(frozen=True, slots=True)
class Resolver:
    """Who is asked for alias targets outside our zones: `addresses` (host and port), or where there are
    none the system's own. `timeout_s` is for one try.
    """

    addresses: tuple[tuple[str, int], ...] = ()
    timeout_s: float = 2.0
    rule: AliasRule = field(default_factory=AliasRule)


@dataclass(frozen=True, slots=True)
class Server:
    """Sockets, limits and places of files. Addresses are `(host, port)`; paths are absolute."""

    listen: tuple[tuple[str, int], ...] = (("127.0.0.1", 5300),)
    admin: tuple[str, int] | None = ("127.0.0.1", 8053)
    admin_token_file: str | None = None
    """A file with the bearer token for changes; without it only loopback may make changes."""
    state_dir: str = "./state"
    workers: int = 0
    """UDP workers; 0 means "auto"."""
    path: str = "auto"
    """The packet path: `auto`, `native` or `python`."""
    python_queue: int = 256
    """Queries that may wait for Python."""
    location: Location | None = None
    udp_payload_limit: int = 1232
    receive_buffer_bytes: int = 4 * 1024 * 1024
    tcp_connections: int = 1000
    tcp_connections_per_client: int = 100
    tcp_idle_timeout_s: float = 10.0
    tcp_lifetime_s: float = 600.0
    seed: str = "georouter"
    """Part of every weighted choice's hash; nodes with the same seed choose alike."""
    cookies: bool = True
    cookie_secret_file: str | None = None
    """A file with the secret that nodes share; without it there is one in `state_dir`."""
    nsid: str = ""
    identity: str = ""
    version: str = ""
    """What the server says of itself; empty for nothing."""
    rate_limit: Rate | None = None
    debug: Networks = NOBODY
    """Source addresses that may ask debug names."""
    keys: tuple[TsigKey, ...] = ()
    transfers: int = 10
    transfers_per_client: int = 2
    resolver: Resolver = field(default_factory=Resolver)
    brake: BrakeRule | None = field(default_factory=BrakeRule)
    """None: this node never suspects itself."""


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """A CIDR override: addresses in `network` are where the operator says they are.

    `None` means "not said": a country without coordinates gets the centroid of that country.
    """

    network: Network
    country: str | None = None
    subdivision: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None
    asn: int | None = None


@dataclass(frozen=True, slots=True)
class GeoSource:
    """`databases` is empty for the built-in map, else MMDB files (one, or one per family)."""

    databases: tuple[str, ...] = ()
    asn_databases: tuple[str, ...] = ()
    networks: tuple[NetworkPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """`name` asked by `client` while `down` are down must be answered from exactly `expect`.

    `type` is A, AAAA, HTTPS, SVCB, or empty for whatever the regions have. `expect` is the set of regions
    that may answer (more than one where weights split). `ramp` is the part (0..1) that the service's ramp has
    come to, None for its beginning. `degraded` is the graded health (0..1) of some regions. `where` is
    `file:line:column` of the test.

    With `at` (Unix seconds) `expect` are those that answer this client at these instants, whoever else may.
    With `shares` what counts are the parts (0..1) of the client networks there, each give or take `within`;
    with `refused` that a fence leaves no region: `expect` then says nothing.
    """

    name: str
    client: Network
    expect: frozenset[RegionName]
    down: tuple[RegionName, ...] = ()
    where: str = ""
    type: str = ""
    ramp: float | None = None
    degraded: Mapping[RegionName, float] = field(default_factory=dict)
    at: tuple[float, ...] = ()
    shares: Mapping[RegionName, float] | None = None
    within: float = 0.01
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the operator said. Mappings keep the order of the file."""

    server: Server = field(default_factory=Server)
    geo: GeoSource = field(default_factory=GeoSource)
    checks: Mapping[CheckName, Check] = field(default_factory=dict)
    regions: Mapping[RegionName, Region] = field(default_factory=dict)
    services: Mapping[ServiceName, Service] = field(default_factory=dict)
    zones: Mapping[ZoneName, Zone] = field(default_factory=dict)
    tests: tuple[PolicyTest, ...] = ()
