"""What `explain` tells, as values and as an object for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from georouter.analysis.ask import Decided, Meaning
from georouter.analysis.asker import Judged
from georouter.analysis.draws import Draw
from georouter.analysis.find import Found
from georouter.analysis.kept import Kept
from georouter.analysis.planning import Planned
from georouter.analysis.turns import Turn
from georouter.answers.layout import Reason
from georouter.facts.signals import Grade, Value
from georouter.geo.map import Address, Network
from georouter.policy.steps import Tiers
from georouter.policy.tenants import Tenant
from georouter.routing.decide import Trace
from georouter.words.ids import RegionName, SignalName


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, at which Unix time. `client` is the block in the query's client subnet, if any.

    `resolver_assumed`: nobody said where the resolver is; it stands where the client does.
    """

    name: str
    type: str
    client: Network | None
    resolver: Address
    resolver_assumed: bool
    at: float


@dataclass(frozen=True, slots=True)
class Locality:
    """Where the database puts who is judged. `network` is the block around it that shares the record."""

    network: Network
    country: str
    country_name: str
    continent: str
    subdivision: str
    city: str
    lat: float | None
    lon: float | None
    asn: int
    networks: tuple[Network, ...]
    database: str
    attribution: str


@dataclass(frozen=True, slots=True)
class SignalView:
    """One signal of a region: its last value, how old it is (seconds), what is believed of it."""

    name: SignalName
    value: Value
    grade: Grade
    age_s: float


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region as selection saw it."""

    name: RegionName
    observed: str
    forced: str | None
    effective: str
    health: float
    weight: float
    rtt_ms: float | None
    signals: tuple[SignalView, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """One candidate: its regions in answer order, its part (0..1) of the choice, whether it is taken now."""

    regions: tuple[RegionName, ...]
    share: float
    reason: Reason
    chosen: bool


@dataclass(frozen=True, slots=True)
class Steering:
    """The decision: each step, the ranking it led to, the state of the regions, who may answer."""

    steps: tuple[Trace, ...]
    tiers: Tiers
    dropped: tuple[RegionName, ...]
    regions: tuple[RegionView, ...]
    reason: Reason
    servfail: bool
    candidates: tuple[Share, ...]
    tenant: Tenant | None = None
    ramp: Turn | None = None
    kept: Kept | None = None
    plan: Planned | None = None
    draw: Draw | None = None
    frozen_since: float | None = None


@dataclass(frozen=True, slots=True)
class Aliased:
    """An alias: the name whose addresses it has, as the policy says; where that leads outside our zones, the
    name that a resolver is asked for, and how good what it said is (`fresh`, `stale`, `unknown`).
    """

    target: str
    outside: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one question. For names that are not steered, `judged`, `locality` and `steering`
    are None; `alias` is for names that have the addresses of another one.
    """

    question: Question
    found: Found
    judged: Judged | None
    locality: Locality | None
    steering: Steering | None
    answer: Meaning
    decided: Decided | None
    alias: Aliased | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: dataclasses become objects, networks and reasons texts."""
        plain = _plain(self)
        if not isinstance(plain, dict):
            raise TypeError("an explanation is an object")
        return plain


def _plain(value: object) -> Any:
    if isinstance(value, Reason):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(map(_plain, value))
    return str(value)
