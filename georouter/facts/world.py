"""`World`: everything selection and ranking may know about regions, frozen at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from georouter.facts.aliases import Addresses, AliasKey
from georouter.facts.plan import CapacityPlan
from georouter.facts.signals import Grade, Value
from georouter.words.ids import RegionName, ServiceName, SignalName


class State(StrEnum):
    """What health checks (or their absence) say of an endpoint or a region."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Effective(StrEnum):
    """What selection acts on: the forced state where there is one, else the observed state."""

    UP = "up"
    UNKNOWN = "unknown"
    DRAINED = "drained"
    """Healthy, but the operator wants no traffic there while another region can take it."""
    DOWN = "down"


class Role(StrEnum):
    """What a region is to the `failover` step of a service."""

    NONE = "none"
    """The service has no such step, or none that keeps a state."""
    ACTIVE = "active"
    HELD = "held"
    """It is down and answers all the same: nobody else may, yet."""
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the failover of a service stands. `held`: the active region answers though it is down and
    another is up; `why` says it in words.
    """

    active: RegionName
    standbys: tuple[RegionName, ...] = ()
    held: bool = False
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RegionFacts:
    """One region. Observed, forced and effective state are three fields, always shown together.

    `health` is 0..1 and scales weights and capacity: it is less than 1 while signals are degraded.
    `endpoints_down` holds the indices (in policy order) of endpoints whose checks say down. `forced`
    is None while no override acts on the region. `role` and `cohort` differ by service (`routing` fills them
    in): `cohort` is the part (0..1) of the clients that a ramp gives the region, None where none does.
    `frozen` is what the brake has answers follow instead of `observed`, None while it is free.
    """

    observed: State
    effective: Effective
    forced: Effective | None = None
    health: float = 1.0
    endpoints_down: frozenset[int] = frozenset()
    role: Role = Role.NONE
    cohort: float | None = None
    frozen: State | None = None

    @property
    def unforced(self) -> Effective:
        """What would be acted on if nobody had forced anything."""
        return Effective((self.frozen or self.observed).value)


@dataclass(frozen=True, slots=True)
class Ramping:
    """How far the ramp of a service has come: the part (0..1) that moved, and whether more may follow."""

    part: float
    moves: bool = False
    phase: str = field(default="", compare=False)
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal of a region: its last value, when it was read (Unix seconds), what is believed of it.

    `stale_after_s` is how long the value says something.
    """

    value: Value
    read_at: float
    grade: Grade
    stale_after_s: float

    def is_fresh(self, now: float) -> bool:
        """Whether the value still says something. A clock that was set back makes nothing fresh for ever."""
        return abs(now - self.read_at) <= self.stale_after_s


Known: TypeAlias = Mapping[frozenset[RegionName], frozenset[RegionName]]
"""By the regions that clients may get, which fences leave them: those that were up in their last answers that
had any up. Clients inside another fence have another past."""

Readings: TypeAlias = Mapping[RegionName, Mapping[SignalName, Reading]]


@dataclass(frozen=True, slots=True)
class World:
    """The facts of one moment.

    `rtt_ms` is this node's smoothed round trip to a region; it says something only about clients
    near the node (`node_rtt_radius_km` of the latency step). `last_known` is, per service, what
    was answered last while anything was up (for `when_all_down: last_known`).
    `standings` are those of services whose `failover` step keeps a state, `ramps` those of services with a
    ramp; one that is missing is at its beginning. `readings` are the signals;
    what they mean for answers is in the regions' health already.
    `capacity` is the plan for services with a capacity step, None while there is none. `suspects` are
    regions that count as up and would be down if the failures that wait for confirmation were
    confirmed; `leaving` are those that will be drained soon. Both only lower TTLs.
    `aliases` are the addresses of alias targets outside our zones, as far as they are known.
    """

    regions: Mapping[RegionName, RegionFacts] = field(default_factory=dict)
    rtt_ms: Mapping[RegionName, float] = field(default_factory=dict)
    last_known: Mapping[ServiceName, Known] = field(default_factory=dict)
    readings: Readings = field(default_factory=dict)
    standings: Mapping[ServiceName, Standing] = field(default_factory=dict)

    ramps: Mapping[ServiceName, Ramping] = field(default_factory=dict)
    capacity: CapacityPlan | None = None
    suspects: frozenset[RegionName] = frozenset()
    leaving: frozenset[RegionName] = frozenset()
    aliases: Mapping[AliasKey, Addresses] = field(default_factory=dict)
    frozen_since: float | None = None
    """Since when the brake holds (Unix seconds): regions act as they were seen before."""

    def answering(self, *, doubts: bool) -> tuple[object, ...]:
        """What answers are made of, with `doubts` TTLs, too; worlds with equal ones are answered alike."""
        known = (self.regions, self.last_known, self.standings, self.ramps, self.capacity, self.aliases)
        return (*known, self.suspects, self.leaving) if doubts else known

    @property
    def away(self) -> frozenset[RegionName]:
        """The regions that take nobody while another one can: down or drained."""
        return frozenset(
            name
            for name, facts in self.regions.items()
            if facts.effective in {Effective.DOWN, Effective.DRAINED}
        )

    def region(self, name: RegionName) -> RegionFacts:
        """Facts of `name`; a region nobody checks counts as up."""
        return self.regions.get(name, NOBODY_CHECKS)


NOBODY_CHECKS = RegionFacts(observed=State.UP, effective=Effective.UP)
