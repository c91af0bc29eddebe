"""How long caches may keep a steered answer: long while all is calm, short while something may move.

    a region will be drained soon      `ramp`
    a ramp is under way                `ramp`
    a region's checks begin to fail    `suspect`
    a region is down or drained        `down`
    none of these                      `steady`

The shortest of those that hold counts. It is lowered at the first failed check, before anything is
confirmed: by the time answers move, some caches hold the short TTL already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from georouter.facts.world import Effective, World
from georouter.policy.model import Ttls
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True)
class Ttl:
    """The TTL in force, and why: one of `steady`, `suspect`, `down`, `ramp`."""

    seconds: int
    because: str


class Timed(Protocol):
    """What has TTLs: a service, or what the compiler made of it."""

    @property
    def ttl_s(self) -> int:
        """The steady TTL."""

    @property
    def ttls(self) -> Ttls | None:
        """The lowered ones, if it has any."""


def ttl(timed: Timed, regions: Sequence[RegionName], world: World, ramps: ServiceName | None = None) -> Ttl:
    """The TTL of a service of these regions in this world; `ramps` is its name if it has a ramp."""
    steady = Ttl(timed.ttl_s, "steady")
    lowered = timed.ttls
    if lowered is None:
        return steady
    mine = frozenset(regions)
    moves = ramps is not None and ramps in world.ramps and world.ramps[ramps].moves
    states = {world.region(name).effective for name in mine}
    holding = [
        Ttl(seconds, because)
        for seconds, because, holds in (
            (lowered.down_s, "down", not states.isdisjoint({Effective.DOWN, Effective.DRAINED})),
            (lowered.suspect_s, "suspect", not mine.isdisjoint(world.suspects)),
            (lowered.ramp_s, "ramp", not mine.isdisjoint(world.leaving) or moves),
        )
        if holds and seconds is not None
    ]
    return min([*holding, steady], key=lambda item: item.seconds)
