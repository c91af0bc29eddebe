"""What if: the load of every region, and who moves, when the world or the policy changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.moving import Moving, compare
from georouter.analysis.shift import Shift
from georouter.analysis.timing import Departure, departures
from georouter.analysis.traffic import Clients, Side
from georouter.compiler.asking import RoundTrips, make_asking
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Policy
from georouter.routing.capacity import make_plan
from georouter.routing.scene import make_scene
from georouter.routing.select import rule_of
from georouter.words.ids import RegionName, ServiceName

DOWN = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)
DRAINED = RegionFacts(observed=State.UP, effective=Effective.DRAINED, forced=Effective.DRAINED)


@dataclass(frozen=True, slots=True)
class Load:
    """One region under the services whose demand is known. A capacity is None where the policy has none."""

    region: RegionName
    before: float
    after: float
    unplanned: float
    """What it would be afterwards without capacity steps."""
    capacity_before: float | None
    capacity_after: float | None

    @property
    def used(self) -> float | None:
        """The part of the capacity in use afterwards: 1.0 is full; None without a capacity."""
        if self.capacity_after is None:
            return None
        if not self.capacity_after:
            return float("inf") if self.after > 0 else 0.0
        return self.after / self.capacity_after


@dataclass(frozen=True, slots=True)
class Outcome:
    """One service. Demands are in the unit of capacity; None where the policy has none."""

    service: ServiceName
    demand_before: float | None
    demand_after: float | None
    ttl_s: int
    shift: Shift
    moving: Moving | None = None
    """What happens to its tenants; None where it has none."""
    departures: tuple[Departure, ...] = ()
    """How clients leave where they are."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """`clients` says what shares are shares of. `loads` are empty when no service has a demand."""

    clients: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    loads: tuple[Load, ...]
    planned: bool = False
    """Whether a capacity plan has its part in this."""
    overload: Mapping[RegionName, float] = field(default_factory=dict)
    """The load afterwards as a multiple of the limit, where capacity plans find no room within the limits."""

    @property
    def used(self) -> float | None:
        """The fullest region's part of its capacity in use; None where nothing can be said."""
        return max((load.used for load in self.loads if load.used is not None), default=None)

    @property
    def uncounted(self) -> tuple[ServiceName, ...]:
        """Services that are in no load, for want of a demand."""
        return tuple(item.service for item in self.outcomes if item.demand_after is None)


def simulate(
    before: Side,
    after: Side,
    clients: Mapping[ServiceName, Clients],
    *,
    multiplier: float = 1.0,
) -> Simulation:
    """Compare two sides for the services of `clients`, which both must have; demand is multiplied after."""
    plain = _outcomes(before, after, clients, multiplier)
    planned_before = with_plan(
        before, {name: (item.before, item.weight) for name, item in clients.items()}, 1.0
    )
    planned_after = with_plan(
        after, {name: (item.after, item.weight) for name, item in clients.items()}, multiplier
    )
    planned = planned_before is not before or planned_after is not after
    outcomes = _outcomes(planned_before, planned_after, clients, multiplier) if planned else plain
    return Simulation(
        tuple(dict.fromkeys(asking.of for asking in clients.values())),
        outcomes,
        _loads(before, after, outcomes, plain),
        planned,
        plan.now.overload if (plan := planned_after.world.capacity) is not None else {},
    )


def _outcomes(
    before: Side, after: Side, clients: Mapping[ServiceName, Clients], multiplier: float
) -> tuple[Outcome, ...]:
    outcomes = []
    for name, asking in clients.items():
        old, new = before.policy.services[name], after.policy.services[name]
        demand = None if new.demand is None else new.demand * multiplier
        both = compare(before, after, old, new, asking)
        leaving = departures(before, old, after.world)
        outcomes.append(Outcome(name, old.demand, demand, new.ttl_s, both.shift, both.moving, leaving))
    return tuple(outcomes)


def with_plan(
    side: Side,
    clients: Mapping[ServiceName, tuple[NDArray[np.int64], NDArray[np.float64]]],
    multiplier: float,
) -> Side:
    """The side with its capacity plan in force, whole; the side itself where no service asks for one.

    `clients` are places and how many are there, by service. Raises NoSolverError.
    """
    steps = {name: rule_of(side.policy.services[name]).capacity for name in clients}
    if not any(step and side.policy.services[name].demand for name, step in steps.items()):
        return side
    askings = []
    for name, (places, weights) in clients.items():
        service = side.policy.services[name]
        if service.demand is not None:
            rankings, of = side.rankings(service)
            weight = np.bincount(places, weights=weights, minlength=len(side.geo.places)).astype(np.float64)
            scene = make_scene(side.policy, service, side.geo.places, side.world)
            trips = RoundTrips(side.geo, weight)
            demand = service.demand * multiplier
            askings.append(make_asking(service, scene, trips, rankings, of, demand))
    return side.during(
        replace(side.world, capacity=make_plan(side.policy, askings, side.world, 0.0, losses=()))
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """What the loss of one region alone would do."""

    region: RegionName
    simulation: Simulation

    @property
    def moved(self) -> float:
        """The largest share of its clients that any service loses from here to elsewhere."""
        return max((item.shift.moved for item in self.simulation.outcomes), default=0.0)


def every_region(
    side: Side, clients: Mapping[ServiceName, Clients], *, multiplier: float = 1.0
) -> Iterator[Loss]:
    """The N-1 report: each region that one of the services uses, gone alone."""
    used = dict.fromkeys(region for name in clients for region in side.policy.services[name].regions)
    for region in used:
        after = side.during(having(side.world, down=(region,)))
        yield Loss(region, simulate(side, after, clients, multiplier=multiplier))


def having(world: World, *, down: Iterable[RegionName] = (), drained: Iterable[RegionName] = ()) -> World:
    """The world with these regions down or drained."""
    facts = {**dict.fromkeys(drained, DRAINED), **dict.fromkeys(down, DOWN)}
    return replace(world, regions={**world.regions, **facts})


def with_capacity(policy: Policy, factors: Mapping[RegionName, float]) -> Policy:
    """The policy with the capacity of some regions multiplied."""
    return replace(
        policy,
        regions={
            name: replace(region, capacity=region.capacity * factors.get(name, 1.0))
            if region.capacity is not None
            else region
            for name, region in policy.regions.items()
        },
    )


def _loads(
    before: Side, after: Side, outcomes: Sequence[Outcome], plain: Sequence[Outcome]
) -> tuple[Load, ...]:
    """Per region, what the services whose demand is known on both sides put on it."""
    old: dict[RegionName, float] = {}
    new: dict[RegionName, float] = {}
    unplanned: dict[RegionName, float] = {}
    for item, without in zip(outcomes, plain, strict=True):
        if item.demand_before is None or item.demand_after is None:
            continue
        for shares, demand, sums in (
            (item.shift.before, item.demand_before, old),
            (item.shift.after, item.demand_after, new),
            (without.shift.after, item.demand_after, unplanned),
        ):
            for region, share in shares.items():
                sums[region] = sums.get(region, 0.0) + share * demand
    if not old and not new:
        return ()
    names = dict.fromkeys((*before.policy.regions, *after.policy.regions))
    return tuple(
        Load(
            region=name,
            before=old.get(name, 0.0),
            after=new.get(name, 0.0),
            unplanned=unplanned.get(name, 0.0),
            capacity_before=capacity(before, name),
            capacity_after=capacity(after, name),
        )
        for name in names
        if name in old or name in new or name in unplanned or capacity(after, name) is not None
    )


def capacity(side: Side, region: RegionName) -> float | None:
    """What a region can take: its capacity times its graded health, nothing while it is down."""
    known = side.policy.regions.get(region)
    if known is None or known.capacity is None:
        return None
    facts = side.world.region(region)
    return 0.0 if facts.effective is Effective.DOWN else known.capacity * facts.health
