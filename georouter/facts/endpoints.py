"""From endpoints to their region.

Rule 1. An endpoint nobody checks counts as up.
Rule 2. A region is up while at least `min_healthy` of its endpoints are.
Rule 3. It is down once so many are down that it cannot be up, whatever the unknown ones turn out to be.
Rule 4. In between it is unknown; so it is while all of its endpoints are.
Rule 5. A region without endpoints has nothing that could fail: it is up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from georouter.facts.health import UNKNOWN, Health, confirming
from georouter.facts.world import State
from georouter.words.ids import CheckName, RegionName


@dataclass(frozen=True, slots=True, order=True)
class EndpointKey:
    """What a health belongs to: it survives a reload that reorders endpoints, and a restart."""

    region: RegionName
    address: str
    """The endpoint's own address or hostname, also where the check connects elsewhere."""
    check: CheckName

    def __str__(self) -> str:
        return f"{self.region}/{self.address}/{self.check}"


@dataclass(frozen=True, slots=True)
class RegionShape:
    """As much of a region's policy as beliefs need. `endpoints` are in policy order, None: unchecked."""

    name: RegionName
    endpoints: tuple[EndpointKey | None, ...]
    min_healthy: int = 1


def endpoint_states(shape: RegionShape, healths: Mapping[EndpointKey, Health]) -> tuple[State, ...]:
    """The state of each endpoint, in policy order."""
    return tuple(
        State.UP if key is None else healths.get(key, UNKNOWN).state  # Rule 1
        for key in shape.endpoints
    )


def region_state(states: Sequence[State], min_healthy: int) -> State:
    """The state of a region with these endpoints. `min_healthy` is cut to 1..number of endpoints."""
    needed = min(max(min_healthy, 1), len(states))
    up = sum(state is State.UP for state in states)
    unknown = sum(state is State.UNKNOWN for state in states)
    if up >= needed:
        return State.UP
    return State.UNKNOWN if up + unknown >= needed else State.DOWN


def is_suspect(shape: RegionShape, healths: Mapping[EndpointKey, Health]) -> bool:
    """Whether the region would be down if the failures that wait for confirmation were confirmed."""
    doubted = tuple(
        State.DOWN if key is not None and confirming(healths.get(key, UNKNOWN)) else state
        for key, state in zip(shape.endpoints, endpoint_states(shape, healths), strict=True)
    )
    return region_state(doubted, shape.min_healthy) is State.DOWN


def endpoints_down(states: Sequence[State]) -> frozenset[int]:
    """Indices (in policy order) of endpoints whose checks say down."""
    return frozenset(index for index, state in enumerate(states) if state is State.DOWN)
