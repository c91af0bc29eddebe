"""The steps of a chain as the resolved policy holds them: plain frozen values, references checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from georouter.facts.failover import FailoverRule
from georouter.facts.ramp import RampRule
from georouter.geo.map import Network
from georouter.policy.tenants import TenantDirectory
from georouter.words.ids import RegionName, SignalName

Tiers: TypeAlias = tuple[tuple[RegionName, ...], ...]
"""Regions in order of preference; regions in one inner tuple are equal."""


@dataclass(frozen=True, slots=True)
class Match:
    """Met when any value of any kind is. Countries are `DE`, subdivisions `US-CA`, groups `EU`."""

    networks: tuple[Network, ...] = ()
    asns: tuple[int, ...] = ()
    cities: tuple[str, ...] = ()
    subdivisions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    continents: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    where: str = field(default="", compare=False, repr=False)
    """`file:line:column`, for messages; equal matches in different places are equal."""


class Unplaced(StrEnum):
    """What a fence does with addresses that the database does not place."""

    ALLOW = "allow"
    RESTRICT = "restrict"
    DENY = "deny"


class WithoutEcs(StrEnum):
    """What a fence does with queries that carry no client subnet."""

    RESOLVER = "resolver"
    RESTRICT = "restrict"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Residency:
    """Clients that meet `clients` get only `regions`, whatever happens (a hard fence)."""

    clients: Match
    regions: frozenset[RegionName]
    unplaced: Unplaced = Unplaced.RESTRICT
    without_ecs: WithoutEcs = WithoutEcs.RESOLVER


@dataclass(frozen=True, slots=True)
class GeoRule:
    """`match` is None for the default rule. `tiers` are the regions it names, in order."""

    match: Match | None
    tiers: Tiers


@dataclass(frozen=True, slots=True)
class Geo:
    """The first rule that matches names the regions in order."""

    rules: tuple[GeoRule, ...]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Great-circle distance. `bias_percent` (-99..99) makes a region seem nearer (positive) or farther."""

    tolerance_km: float = 0.0
    bias_percent: Mapping[RegionName, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latency:
    """Round-trip time: measured where it can be, modelled from distance elsewhere."""

    tolerance_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that stands in a file of its own, which is read when it is needed."""

    file: str


@dataclass(frozen=True, slots=True)
class Hook:
    """An HTTP call. `body` is added to the JSON object that is sent; no secret is ever shown."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    body: Mapping[str, str | Secret] = field(default_factory=dict)
    timeout_s: float = 5.0
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Failover:
    """An explicit order. Regions it does not name come last, together.

    With a `rule` the step keeps a state: one region is active until a sequence moves on to another.
    """

    order: Tiers
    rule: FailoverRule | None = None
    promote: Hook | None = None
    notify: Hook | None = None


@dataclass(frozen=True, slots=True)
class Weighted:
    """Shares inside a tier. A region not named weighs 1; weight 0 answers only when all others are gone.

    With a `ramp` one region has no weight but a cohort, which grows.
    """

    weights: Mapping[RegionName, float]
    ramp: RampRule | None = None


@dataclass(frozen=True, slots=True)
class Sticky:
    """Inside a tier a client network of this prefix length keeps its region as long as that can answer."""

    ipv4: int = 24
    ipv6: int = 56


@dataclass(frozen=True, slots=True)
class Capacity:
    """What would overflow a region goes to the next best. Limits and steps are parts of one.

    A region takes `steady_limit` of its capacity, `failure_limit` while any region is gone. From one
    plan to the next at most `max_step` of the demand moves, except after a failure. Where the service has
    no demand, it is the sum of what the regions say by `signal`.
    """

    steady_limit: float = 0.67
    failure_limit: float = 1.0
    max_step: float = 0.1
    signal: SignalName | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """How many regions and how many addresses one answer holds."""

    regions: int = 1
    addresses: int = 8


class Unknown(StrEnum):
    """What names get whose label is not in the tenant directory."""

    CHAIN = "chain"
    HASH = "hash"
    NXDOMAIN = "nxdomain"


@dataclass(frozen=True, slots=True)
class Pin:
    """Names that a wildcard stands for are tenants', by the `label`-th label to the left of its parent."""

    directory: TenantDirectory
    label: int = 1
    unknown: Unknown = Unknown.CHAIN


Step: TypeAlias = Residency | Geo | Nearest | Latency | Failover | Weighted | Sticky | Capacity | Pin | Limit
