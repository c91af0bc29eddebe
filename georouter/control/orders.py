"""What the control loop orders from a builder, and what it gets back."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.compiler.plan import Plan
from georouter.compiler.serials import Numbered
from georouter.facts.demand import Census
from georouter.facts.failover import Reply
from georouter.facts.plan import CapacityPlan, Spread
from georouter.facts.world import World
from georouter.geo.map import MapInfo
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.policy.steps import Hook
from georouter.words.errors import Diagnostic
from georouter.words.ids import RegionName, ServiceName, ZoneName

Databases: TypeAlias = tuple[tuple[str, Hashable], ...]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """Build from `files`, or read `config` anew when they are None. `rtt_ms` is the node's own latency.

    With `files`, which are in use or were, a database that cannot be used is replaced by what it was
    when it was last good.
    """

    config: str
    files: tuple[PolicyFile, ...] | None = None
    rtt_ms: Mapping[RegionName, float] = field(default_factory=dict)
    serials: Mapping[ZoneName, Numbered] | None = None
    """What is known of serials; None: what the state directory has."""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """Explain one question with the policy in `files` and the live `world`.

    `world.rtt_ms` are the round trips that the plan in use was ranked by.
    """

    files: tuple[PolicyFile, ...]
    config: str
    world: World
    name: str
    client: str | None
    resolver: str | None
    type: str
    now: float


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Plan for the capacities of the policy in `files` in the live `world`, which knows the last plan.

    `censuses` say where the clients of services are. With `losses`, the spreads for the loss of each of these
    regions are asked for instead of the plan itself.
    """

    files: tuple[PolicyFile, ...]
    config: str
    world: World
    censuses: Mapping[ServiceName, Census]
    now: float
    losses: tuple[RegionName, ...] | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made. `seconds` is wall time by phase (`read`, `policy`, `geo`, `plan`).

    `databases` are the paths of the database files, each with what tells it from a later one.
    """

    files: tuple[PolicyFile, ...]
    policy: Policy
    warnings: tuple[Diagnostic, ...]
    plan: Plan
    info: MapInfo
    seconds: Mapping[str, float]
    databases: Databases = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no build: the policy's diagnostics, or one message about the environment.

    `files` are the files that could not be used, empty when they could not even be read; `databases`
    are those they name, as in `Built`, as far as it came.
    """

    message: str
    diagnostics: tuple[Diagnostic, ...] = ()
    files: tuple[PolicyFile, ...] = ()
    databases: Databases = ()


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call of a failover step. `id` stays the same when the call is repeated, after a crash too.

    `event` is `promote` or `switched`; `message` is what it says, as JSON.
    """

    service: ServiceName
    event: str
    id: str
    hook: Hook
    message: Mapping[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call, `said` in a few words."""

    reply: Reply
    said: str = ""


MakeCall: TypeAlias = Callable[[Call], Awaitable[Answer]]
"""Makes one call away from the event loop, in its time. Never raises for a hook that does not work."""

Counted: TypeAlias = Mapping[ServiceName, NDArray[np.float64]]
"""The census counters of services, by slot."""
Losses: TypeAlias = Mapping[RegionName, Spread]
Planning: TypeAlias = Callable[[PlanRequest], Awaitable[CapacityPlan | Losses | Failed]]
"""Makes one capacity plan, or spreads for losses, away from the event loop."""
Build: TypeAlias = Callable[[BuildRequest], Awaitable[Built | Failed]]
"""Runs one build away from the event loop. Never raises for a bad policy or a bad file."""
