"""How far away is a region? Round trips of the checks' connect phase, smoothed.

Rule 1. An endpoint's round trip is an exponentially weighted mean (`ALPHA`); the first few samples
        are averaged evenly, so that the first one alone does not colour the next minute.
Rule 2. One sample moves the mean by at most `ALPHA` times the larger of the mean itself and
        `OUTLIER_FLOOR_MS`: a lost SYN (1 s) is a bump; a route that really changed is followed
        within a minute or two.
Rule 3. A region is as near as its nearest endpoint that is not down.
Rule 4. A published figure stays until the measured one has moved away from it by both
        `CHANGE_SHARE` and `CHANGE_MS`; only then are rankings compiled again.

Where a check connects (the endpoint's address, the check's own `address`, loopback) does not matter:
what it measured is what counts for its region.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.facts.health import UNKNOWN, Health
from georouter.facts.world import State
from georouter.words.ids import RegionName

ALPHA = 0.2
"""Weight of a new sample: at the default interval of 5 s, half of a step is followed after 15 s."""

OUTLIER_FLOOR_MS = 20.0
"""However small the mean, a sample may exceed it by this much before it is cut."""

CHANGE_SHARE = 0.10
CHANGE_MS = 2.0
"""Smaller movements are jitter: `latency` steps are written with tolerances of 5 to 30 ms."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The smoothed round trip to one endpoint, after `samples` measurements (counted up to 1 / ALPHA)."""

    rtt_ms: float
    samples: int = 1


def measure(latency: Latency | None, rtt_ms: float) -> Latency:
    """The belief after a sample. `rtt_ms` is positive; `latency` is None before the first one."""
    if latency is None:
        return Latency(rtt_ms)
    limit = latency.rtt_ms + max(latency.rtt_ms, OUTLIER_FLOOR_MS)
    samples = min(latency.samples + 1, round(1 / ALPHA))
    alpha = max(ALPHA, 1 / samples)
    return Latency(latency.rtt_ms + alpha * (min(rtt_ms, limit) - latency.rtt_ms), samples)


def changed(old_ms: float | None, new_ms: float | None) -> bool:
    """Whether `new_ms` is worth a new ranking where `old_ms` is in use. None: not measured."""
    if old_ms is None or new_ms is None:
        return old_ms is not new_ms
    moved = abs(new_ms - old_ms)
    return moved > CHANGE_MS and moved > CHANGE_SHARE * old_ms


def by_region(
    regions: Iterable[RegionShape],
    latencies: Mapping[EndpointKey, Latency],
    healths: Mapping[EndpointKey, Health],
) -> dict[RegionName, float]:
    """Round trip in ms of every region with a measured endpoint."""
    rtt_ms: dict[RegionName, float] = {}
    for shape in regions:
        keys = [key for key in shape.endpoints if key is not None and key in latencies]
        alive = [key for key in keys if healths.get(key, UNKNOWN).state is not State.DOWN]
        if keys:
            rtt_ms[shape.name] = _nearest([latencies[key] for key in alive or keys])
    return rtt_ms


def settle(
    published: Mapping[RegionName, float], measured: Mapping[RegionName, float]
) -> Mapping[RegionName, float]:
    """What to publish: `published` itself (the same object) while nothing `changed`.

    Otherwise a new mapping, in which only the figures that changed are new.
    """
    kept = {
        name: published[name] if name in published and not changed(published[name], rtt) else rtt
        for name, rtt in measured.items()
    }
    return published if kept == published else kept


def _nearest(latencies: Sequence[Latency]) -> float:
    return min(latency.rtt_ms for latency in latencies)
