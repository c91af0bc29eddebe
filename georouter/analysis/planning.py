"""What the capacity plan does to the group of clients that one ranking stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from georouter.compiler.asking import demand_of
from georouter.facts.world import World
from georouter.policy.model import Policy, Service
from georouter.routing.rank import Ranked
from georouter.routing.scene import universe
from georouter.routing.select import planned, rule_of
from georouter.routing.transport import NoSolverError, load_solver
from georouter.words.ids import RegionName


class Effect(StrEnum):
    """What a plan does to a group."""

    INERT = "inert"
    """The step does nothing; `Inert` says why."""
    FITS = "fits"
    """Everybody goes where they would."""
    MOVES = "moves"
    """`parts` go where they would not, or less of them where they would."""


class Inert(StrEnum):
    """Why a step does nothing."""

    NO_DEMAND = "no demand"
    """The policy has none for the service, and no signal tells it."""
    NO_LOAD = "no load"
    """No region has told its load lately, by the signal that the step names."""
    NO_SOLVER = "no solver"
    NO_PLAN = "no plan"
    """None was made: there is no daemon, or it has just begun."""
    ACTIVE = "active"
    """The service's failover step keeps one region active for everybody."""
    TENANT = "tenant"
    """The name is a tenant's, whom no plan sends elsewhere."""


@dataclass(frozen=True, slots=True)
class Planned:
    """`parts` (their sum is 1) of the group go to these regions; `loads`, `capacities` and `limit` (a part
    of the capacity) are of the regions that the group prefers, in the unit of capacity. `why` is there
    where the step is inert.
    """

    effect: Effect
    parts: Mapping[RegionName, float] = field(default_factory=dict)
    loads: Mapping[RegionName, float] = field(default_factory=dict)
    capacities: Mapping[RegionName, float] = field(default_factory=dict)
    limit: float = 1.0
    why: Inert | None = None


def planned_for(policy: Policy, service: Service, ranked: Ranked, world: World, now: float) -> Planned | None:
    """The plan's effect at `now` on a ranking of a service; None for a service without capacity step."""
    rule = rule_of(service)
    if rule.capacity is None:
        return None
    if (why := _inert(service, ranked, world, now)) is not None or world.capacity is None:
        return Planned(Effect.INERT, why=why)
    regions = universe(service)
    shares = planned(rule, regions, world)
    parts = None if shares is None else shares.get(ranked.tiers)
    loads = world.capacity.spread(world.away).loads
    full = [regions[region] for region in ranked.tiers[0]] if ranked.tiers else []
    return Planned(
        effect=Effect.FITS if parts is None else Effect.MOVES,
        parts={name: part for name, part in zip(regions, parts or (), strict=False) if part > 0},
        loads={name: loads[name] for name in full if name in loads},
        capacities={
            name: capacity for name in full if (capacity := policy.regions[name].capacity) is not None
        },
        limit=rule.capacity.failure_limit if world.away else rule.capacity.steady_limit,
    )


def _inert(service: Service, ranked: Ranked, world: World, now: float) -> Inert | None:
    """Why the plan has nothing to say; a plan that stands was made with what was known then."""
    step = rule_of(service).capacity
    if ranked.pinned:
        return Inert.TENANT
    if service.failover is not None:
        return Inert.ACTIVE
    if service.demand is None and (step is None or step.signal is None):
        return Inert.NO_DEMAND
    if world.capacity is not None:
        return None
    if demand_of(service, world, now) <= 0:
        return Inert.NO_LOAD
    try:
        load_solver()
    except NoSolverError:
        return Inert.NO_SOLVER
    return Inert.NO_PLAN
