"""What the capacity plan does to the group of clients that one ranking stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from georouter.facts.world import World
from georouter.policy.model import Policy
from georouter.routing.rank import Ranked
from georouter.routing.select import Rule, planned
from georouter.words.ids import RegionName


class Effect(StrEnum):
    """What a plan does to a group."""

    INERT = "inert"
    """There is no plan."""
    FITS = "fits"
    """Everybody goes where they would."""
    MOVES = "moves"
    """`parts` go where they would not, or less of them where they would."""


@dataclass(frozen=True, slots=True)
class Planned:
    """`parts` (their sum is 1) of the group go to these regions; `loads`, `capacities` and `limit` (a part
    of the capacity) are of the regions that the group prefers, in the unit of capacity.
    """

    effect: Effect
    parts: Mapping[RegionName, float] = field(default_factory=dict)
    loads: Mapping[RegionName, float] = field(default_factory=dict)
    capacities: Mapping[RegionName, float] = field(default_factory=dict)
    limit: float = 1.0


def planned_for(
    policy: Policy, rule: Rule, regions: tuple[RegionName, ...], ranked: Ranked, world: World
) -> Planned | None:
    """The plan's effect on a ranking over `regions`; None for a service without capacity step."""
    if rule.capacity is None:
        return None
    if world.capacity is None:
        return Planned(Effect.INERT)
    shares = planned(rule, regions, world)
    parts = None if shares is None or ranked.pinned else shares.get(ranked.tiers)
    if parts is None:
        return Planned(Effect.FITS)
    loads = world.capacity.spread(world.away).loads
    full = [regions[region] for region in ranked.tiers[0]] if ranked.tiers else []
    return Planned(
        effect=Effect.MOVES,
        parts={name: part for name, part in zip(regions, parts, strict=True) if part > 0},
        loads={name: loads[name] for name in full if name in loads},
        capacities={
            name: capacity for name in full if (capacity := policy.regions[name].capacity) is not None
        },
        limit=rule.capacity.failure_limit if world.away else rule.capacity.steady_limit,
    )
