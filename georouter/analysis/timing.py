"""How long it takes until clients are elsewhere: what health checks need, then what caches keep.

    first failed check, or a drain is planned      answers move
    ------------------|------------------------------|-------------------------------->
      steady TTL      |   lowered TTL                |   nobody is given the old answer
                      |<--------- `ahead_s` -------->|

What caches hold when answers move was handed out before: as much of it with the lowered TTL as they asked for
within `ahead_s`. What the TTL is afterwards only matters for the way back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from georouter.analysis.traffic import Side
from georouter.facts.world import Effective, Ramping, World
from georouter.policy.model import Policy, Service
from georouter.routing.ttl import ttl
from georouter.words.ids import RegionName

CURVE = (0.5, 0.9, 1.0)
"""The parts of the clients whose departure is told."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Seconds from a failure to other answers, where connections are refused or swallowed.

    `warned_s` is how long before the answers the first failed check is known, at least.
    """

    refused_s: float
    swallowed_s: float
    warned_s: float


def detection(policy: Policy, regions: Iterable[RegionName]) -> Detection | None:
    """The slowest of these regions' checks (see `facts.health`); None where nothing is checked."""
    found = []
    for name in regions:
        for endpoint in policy.regions[name].endpoints:
            if endpoint.check is not None:
                rule = policy.checks[endpoint.check].rule
                warned = (rule.fall - 1) * rule.confirm_interval_s
                pauses = rule.interval_s + warned
                found.append(Detection(pauses, pauses + rule.fall * rule.timeout_s, warned))
    if not found:
        return None
    return Detection(
        max(item.refused_s for item in found),
        max(item.swallowed_s for item in found),
        min(item.warned_s for item in found),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What caches hold when answers move: it had `ttl_s`, in the last `ahead_s` seconds `lowered_s`."""

    ttl_s: int
    lowered_s: int
    ahead_s: float

    def left(self, seconds: float) -> float:
        """The part (0..1) of what was held that has expired after so long.

        Caches ask again when an entry expires, and the ages of entries are spread evenly over a TTL: so in
        `ahead_s` as many of them as that is of `ttl_s` have come by, and have asked every `lowered_s` since.
        """
        kept = max(self.ttl_s - self.ahead_s, 0.0)
        seen = self.ahead_s - max(self.ahead_s - self.ttl_s, 0.0)
        renewed = self._renewed(self.ahead_s, seconds) - self._renewed(self.ahead_s - seen, seconds)
        return (min(seconds, kept) + renewed) / self.ttl_s

    def _renewed(self, since_s: float, seconds: float) -> float:
        """How much of the last `since_s` seconds caches began in whose entries then expire in time."""
        lowered = self.lowered_s
        if seconds >= lowered:
            return since_s
        whole, rest = divmod(since_s, lowered)
        return whole * seconds + max(0.0, rest - (lowered - seconds))

    @property
    def bends(self) -> list[float]:
        """Where the curve, which is made of straight lines, has its bends (seconds, ascending)."""
        kept = max(self.ttl_s - self.ahead_s, 0.0)
        first = max(self.ahead_s - self.ttl_s, 0.0)
        cuts = (self.lowered_s - since % self.lowered_s for since in (first, self.ahead_s))
        last = float(self.lowered_s) if self.ahead_s else 0.0
        return sorted({kept, last, *(min(cut, last) for cut in cuts)} - {0.0})


@dataclass(frozen=True, slots=True)
class Point:
    """After `seconds` from the moment the answers change, `left` (0..1) of the moved clients are gone."""

    left: float
    seconds: float


def drain_curve(held: Held) -> tuple[Point, ...]:
    """How clients leave when answers change.

    Resolvers that stretch a TTL, and connections that stay open, leave later than this.
    """
    return tuple(Point(part, _when(held, part)) for part in CURVE)


def _when(held: Held, part: float) -> float:
    """After how long so many have left."""
    begin, gone = 0.0, 0.0
    for end in held.bends:
        now = held.left(end)
        if now >= part - 1e-9:
            return begin + (end - begin) * (part - gone) / (now - gone)
        begin, gone = end, now
    return begin


class Why(StrEnum):
    """What makes answers move."""

    FAILURE = "failure"
    DRAIN = "drain"
    """At once."""
    PLANNED_DRAIN = "planned drain"
    """A steady TTL ahead."""
    RAMP = "ramp"
    """At each of its steps."""
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Departure:
    """How clients leave, and why."""

    why: Why
    held: Held
    curve: tuple[Point, ...]


def departures(before: Side, service: Service, after: World) -> tuple[Departure, ...]:
    """How the clients of a service leave where they are, when the world becomes `after`."""
    mine, world = frozenset(service.regions), before.world
    ramps = None if service.ramp is None else service.name
    base = ttl(service, service.regions, world, ramps).seconds

    def lowered(during: World) -> int:
        return min(base, ttl(service, service.regions, during, ramps).seconds)

    def newly(state: Effective) -> frozenset[RegionName]:
        return frozenset(
            name
            for name in mine
            if after.region(name).effective is state and world.region(name).effective is not state
        )

    found = []
    if failed := newly(Effective.DOWN):
        seen = detection(before.policy, (name for name in failed if name in before.policy.regions))
        doubted = lowered(replace(world, suspects=world.suspects | failed))
        found.append((Why.FAILURE, Held(base, doubted, seen.warned_s if seen is not None else 0.0)))
    if drained := newly(Effective.DRAINED):
        found.append((Why.DRAIN, Held(base, base, 0.0)))
        planned = lowered(replace(world, leaving=world.leaving | drained))
        if planned < base:
            found.append((Why.PLANNED_DRAIN, Held(base, planned, float(base))))
    if ramps is not None and ramps in after.ramps and after.ramps[ramps] != world.ramps.get(ramps):
        part = after.ramps[ramps].part
        moving = lowered(replace(world, ramps={**world.ramps, ramps: Ramping(part, moves=True)}))
        found.append((Why.RAMP, Held(moving, moving, 0.0)))
    if not found:
        found.append((Why.CHANGE, Held(base, base, 0.0)))
    return tuple(Departure(why, held, drain_curve(held)) for why, held in found)
