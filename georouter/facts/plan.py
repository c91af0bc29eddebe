"""What was worked out ahead for regions with a capacity: who goes where instead of where they would."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from georouter.words.ids import RegionName, ServiceName

Tiers: TypeAlias = tuple[tuple[int, ...], ...]
"""A ranking: tiers of indices into a universe of regions."""

Crew: TypeAlias = tuple[tuple[RegionName, ...], tuple[float, ...], ServiceName | None]
"""A universe of regions and their weights: services with equal ones and equal rankings share their plan. One
with a ramp, which is named, has a plan to itself."""

Shares: TypeAlias = Mapping[Tiers, tuple[float, ...]]
"""Per ranking the part of its clients that each region of the universe gets; they sum to 1."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One situation. `shares` holds only rankings that do not simply go where they would, by crew.

    `loads` are in the unit of capacity. `overload` is, for regions that get more than their limit
    because nothing else was left, the load as a multiple of the limit.
    """

    shares: Mapping[Crew, Shares] = field(default_factory=dict)
    loads: Mapping[RegionName, float] = field(default_factory=dict)
    overload: Mapping[RegionName, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """Made at `made_at` (Unix seconds) while the regions in `away` could not answer.

    `losses` is ready for the moment in which one more region goes.
    """

    made_at: float
    away: frozenset[RegionName]
    now: Spread
    losses: Mapping[RegionName, Spread] = field(default_factory=dict)

    def spread(self, away: frozenset[RegionName]) -> Spread:
        """What to do while these regions cannot answer.

        After a second loss the present spread stands, without those who are gone, until the next plan.
        """
        more = away - self.away
        if len(more) == 1:
            return self.losses.get(next(iter(more)), self.now)
        return self.now
