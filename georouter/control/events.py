"""Everything that can change what is answered: the only things the control loop listens to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from georouter.control.orders import Answer, Built, Call, Failed
from georouter.control.planning import Planned
from georouter.facts.aliases import Reply
from georouter.facts.endpoints import EndpointKey
from georouter.facts.overrides import Override
from georouter.facts.ramp import RampOrder
from georouter.facts.signals import Values
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True)
class Probed:
    """A health check came back. `rtt_s` is the TCP connect, when there was one; `values` its signals."""

    key: EndpointKey
    ok: bool
    reason: str
    duration_s: float
    rtt_s: float | None = None
    values: Values | None = None


@dataclass(frozen=True, slots=True)
class AliasAsked:
    """A resolver was asked for the addresses of an alias target; `replies` by family, 4 and 6."""

    target: bytes
    replies: Mapping[int, Reply]


@dataclass(frozen=True, slots=True)
class ReloadAsked:
    """Somebody wants the files read again; `done` (if any) gets the outcome: None or an error text."""

    cause: str
    done: "asyncio.Future[str | None] | None" = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BuildDone:
    """The builder's answer. `cause` is why it was asked; `rtt_ms` is what the plan was ranked by."""

    cause: str
    result: Built | Failed
    rtt_ms: Mapping[RegionName, float]
    waiting: "tuple[asyncio.Future[str | None], ...]" = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class OverrideSet:
    """An operator forces a region; replaces an earlier override of it."""

    override: Override


@dataclass(frozen=True, slots=True)
class OverrideCleared:
    """An operator takes an override back."""

    region: RegionName
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallDone:
    """A hook of a failover step has been called."""

    call: Call
    answer: Answer


@dataclass(frozen=True, slots=True)
class FailbackAsked:
    """An operator wants a service to go back; `done` gets None, or why it cannot."""

    service: ServiceName
    to: RegionName | None
    author: str
    reason: str
    done: "asyncio.Future[str | None] | None" = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RampAsked:
    """An operator wants something of a service's ramp; `done` gets None, or why it cannot be."""

    service: ServiceName
    order: RampOrder
    author: str
    reason: str
    done: "asyncio.Future[str | None] | None" = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BrakeReleased:
    """An operator ends a freeze; `done` gets None, or why there is nothing to end."""

    author: str
    reason: str
    done: "asyncio.Future[str | None] | None" = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: overrides may have expired, latencies may want a new ranking, a failover or a ramp
    its turn.
    """


Event: TypeAlias = (
    Probed
    | AliasAsked
    | ReloadAsked
    | BuildDone
    | OverrideSet
    | OverrideCleared
    | CallDone
    | FailbackAsked
    | RampAsked
    | BrakeReleased
    | Planned
    | Tick
)
