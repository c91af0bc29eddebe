"""The `server` section as it is written."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from georouter.policy.fields import (
    Bytes,
    Duration,
    FileModel,
    Optionally,
    Percent,
    Shorthand,
    ShortText,
    SocketOrOff,
    Text,
    Texts,
    Ttl,
    Workers,
)
from georouter.policy.nodes import describe
from georouter.policy.written_geo import LocationFile
from georouter.policy.written_transfer import KeyFile


class LimitsFile(FileModel):
    """Bounds of the server's sockets."""

    udp_payload: Annotated[Bytes, Field(ge=512, le=4096)] = Field(
        default=1232, description="Largest answer over UDP; larger ones are truncated."
    )
    receive_buffer: Annotated[Bytes, Field(ge=4096, le=2**30)] = Field(
        default=4 * 1024 * 1024, description="Socket receive buffer that is asked of the kernel."
    )
    python_queue: int = Field(
        default=256,
        ge=1,
        le=512,
        description="Queries that may wait for Python where the native packet path leaves them to it; "
        "what comes then is told to come over TCP.",
    )
    tcp_connections: int = Field(
        default=1000, ge=1, le=1_000_000, description="Open TCP connections at most."
    )
    tcp_connections_per_client: int = Field(
        default=100, ge=1, le=1_000_000, description="The same for one client."
    )
    tcp_idle_timeout: Duration = Field(
        default=10.0, description="Close a silent TCP connection after this long."
    )
    tcp_lifetime: Duration = Field(
        default=600.0, description="Close a TCP connection after this long, however busy."
    )
    transfers: int = Field(default=10, ge=1, le=1000, description="Zone transfers at a time at most.")
    transfers_per_client: int = Field(default=2, ge=1, le=1000, description="The same for one client.")


class RateLimitFile(FileModel):
    """How many responses over UDP one client network may cause."""

    responses_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Of one kind: a name's answers, a zone's missing names, or errors."
    )
    slip: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="Every so many limited responses is a small one; 0 for none."
    )
    window: Duration = Field(default=15.0, description="Who asks on is limited for so long afterwards.")
    ipv4: Annotated[int, Field(ge=8, le=32)] = Field(
        default=24, description="Prefix length of a client network."
    )
    ipv6: Annotated[int, Field(ge=16, le=64)] = Field(default=56, description="The same for IPv6.")
    exempt: Texts = Field(
        default=[],
        description="Networks or addresses that are never limited: resolvers of your own, monitoring.",
    )


class DebugFile(FileModel):
    """Who may ask what this server decides and believes, with TXT questions."""

    allow: Annotated[Texts, Field(min_length=1)] = Field(
        description="Networks or addresses that may ask _explain.NAME and _state.SERVICE."
    )


class ResolverFile(FileModel):
    """Who is asked for the targets of alias records outside our zones."""

    addresses: Texts = Field(
        default=[],
        description='Recursive servers, "192.0.2.1" or "[::1]:5353"; default are those of /etc/resolv.conf.',
    )
    timeout: Duration = Field(default=2.0, description="A try that takes longer has failed.")
    min_ttl: Ttl = Field(default=5, description="Addresses are asked for again no sooner than this.")
    max_ttl: Ttl = Field(default=3600, description="And no later.")


class BrakeFile(FileModel):
    """When so many regions fail at once that this node suspects itself."""

    share: Annotated[Percent, Field(ge=0, le=99)] = Field(
        default=50.0, description="More than this part of the checked regions."
    )
    min_regions: Annotated[int, Field(ge=2)] = Field(
        default=6, description="Fewer checked regions: no brake."
    )
    window: Duration = Field(default=10.0, description="Failures count as one event for so long.")
    max_freeze: Duration = Field(default=300.0, description="Then what is seen is believed all the same.")


def _brake(value: object) -> object:
    if value is False or value == "off":
        return None
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"expected a mapping such as {{share: 50%}}, or off, found {describe(value)}")
    return value or {}


BrakeOrOff = Annotated[BrakeFile | None, BeforeValidator(_brake), Shorthand({"enum": ["off", False]})]
"""None for `off`."""


class ServerFile(FileModel):
    """Where the daemon listens and keeps its files."""

    listen: Annotated[Texts, Field(min_length=1)] = Field(
        default=["127.0.0.1:5300"], description='DNS over UDP and TCP: "192.0.2.53:53", "[::1]:5300".'
    )
    admin: SocketOrOff = Field(
        default="127.0.0.1:8053", description="HTTP for metrics, status and overrides; false for none."
    )
    admin_token_file: Text | None = Field(
        default=None,
        description="File with the bearer token that changes need; without it only loopback may change.",
    )
    state_dir: Text = Field(default="./state", description="Folder for what must survive a restart.")
    workers: Workers = Field(
        default=0,
        description="UDP workers; auto is one for each core on the native packet path, else one.",
        json_schema_extra={"default": "auto"},
    )
    path: Literal["auto", "native", "python"] = Field(
        default="auto", description="The packet path; auto is the native one where it was built."
    )
    location: LocationFile | None = Field(default=None, description="Where this node stands.")
    seed: Text = Field(
        default="georouter", description="Nodes with the same seed make the same weighted choices."
    )
    limits: Annotated[LimitsFile, Optionally] = Field(
        default_factory=LimitsFile, description="Bounds of the sockets."
    )
    cookies: bool = Field(default=True, description="DNS cookies (RFC 7873).")
    cookie_secret_file: Text | None = Field(
        default=None,
        description="File with the secret (32 hexadecimal digits) that nodes behind one address share, "
        "and a second line with the one before or after it; default is one in state_dir.",
    )
    nsid: ShortText | None = Field(default=None, description="What NSID says (RFC 5001).")
    identity: ShortText | None = Field(
        default=None, description="What id.server and hostname.bind say (class CH); refused without."
    )
    version: ShortText | None = Field(
        default=None, description="What version.bind and version.server say (class CH); refused without."
    )
    rate_limit: RateLimitFile | None = Field(
        default=None, description="Limits responses over UDP per client network."
    )
    debug: DebugFile | None = Field(
        default=None, description="Debug names (_explain.NAME, _state.SERVICE); nobody may ask them without."
    )
    keys: Annotated[dict[str, KeyFile], Optionally] = Field(
        default={}, description="Keys that messages are signed with (TSIG), by name."
    )
    brake: BrakeOrOff = Field(
        default_factory=BrakeFile, description="Freezes answers when most regions fail at once; or off."
    )
    resolver: Annotated[ResolverFile, Optionally] = Field(
        default_factory=ResolverFile, description="Who is asked for alias targets."
    )
