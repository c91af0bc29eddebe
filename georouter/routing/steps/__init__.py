"""The steps of a chain, one module each with the same furniture: `rank` and `explain`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from georouter.policy.steps import (
    Capacity,
    Failover,
    Geo,
    Latency,
    Limit,
    Nearest,
    Pin,
    Residency,
    Step,
    Sticky,
    Weighted,
)
from georouter.routing.scene import Scene
from georouter.routing.steps import (
    capacity,
    failover,
    geo,
    latency,
    limit,
    nearest,
    pin,
    residency,
    sticky,
    weighted,
)
from georouter.routing.tiers import TierArray


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of step: its name in YAML, its type in the policy, and what it does.

    `rank(step, tiers, scene)` gives the tiers after the step; `explain(step, before, after, scene)`
    says for a scene with one place why they are so.
    """

    name: str
    step: type
    rank: Callable[[Any, TierArray, Scene], TierArray]
    explain: Callable[[Any, TierArray, TierArray, Scene], tuple[str, ...]]


STEPS: tuple[Kind, ...] = (
    Kind("residency", Residency, residency.rank, residency.explain),
    Kind("geo", Geo, geo.rank, geo.explain),
    Kind("nearest", Nearest, nearest.rank, nearest.explain),
    Kind("latency", Latency, latency.rank, latency.explain),
    Kind("failover", Failover, failover.rank, failover.explain),
    Kind("weighted", Weighted, weighted.rank, weighted.explain),
    Kind("sticky", Sticky, sticky.rank, sticky.explain),
    Kind("capacity", Capacity, capacity.rank, capacity.explain),
    Kind("pin", Pin, pin.rank, pin.explain),
    Kind("limit", Limit, limit.rank, limit.explain),
)

_BY_TYPE = {kind.step: kind for kind in STEPS}


def kind_of(step: Step) -> Kind:
    """The furniture of this step."""
    return _BY_TYPE[type(step)]
