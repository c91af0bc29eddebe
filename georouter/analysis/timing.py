"""How long it takes until clients are elsewhere: what health checks need, then what caches keep."""

from collections.abc import Iterable
from dataclasses import dataclass

from georouter.policy.model import Policy
from georouter.words.ids import RegionName

CURVE = (0.5, 0.9, 1.0)
"""The parts of the clients whose departure is told."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Seconds from a failure to other answers, where connections are refused or swallowed."""

    refused_s: float
    swallowed_s: float


def detection(policy: Policy, regions: Iterable[RegionName]) -> Detection | None:
    """The slowest of these regions' checks (see `facts.health`); None where nothing is checked."""
    found = []
    for name in regions:
        for endpoint in policy.regions[name].endpoints:
            if endpoint.check is not None:
                rule = policy.checks[endpoint.check].rule
                pauses = rule.interval_s + (rule.fall - 1) * rule.confirm_interval_s
                found.append(Detection(pauses, pauses + rule.fall * rule.timeout_s))
    if not found:
        return None
    return Detection(max(item.refused_s for item in found), max(item.swallowed_s for item in found))


@dataclass(frozen=True, slots=True)
class Point:
    """After `seconds` from the moment the answers change, `left` (0..1) of the moved clients are gone."""

    left: float
    seconds: float


def drain_curve(ttl_s: int) -> tuple[Point, ...]:
    """How clients leave when answers change: the ages of cached answers are spread evenly over one TTL.

    Resolvers that stretch a TTL, and connections that stay open, leave later than this.
    """
    return tuple(Point(part, part * ttl_s) for part in CURVE)
