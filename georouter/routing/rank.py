"""Ranking: which regions a client at a place prefers, in tiers. Changes with policy, map and latency only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.policy.model import Policy, Service
from georouter.policy.steps import Pin, Residency, Step
from georouter.routing.scene import Scene, standing_at
from georouter.routing.steps import kind_of
from georouter.routing.tiers import FALLBACK_TIER, OUTSIDE, TierArray, start, unique_rows

__all__ = [
    "FALLBACK_TIER",
    "OUTSIDE",
    "Ranked",
    "Ranking",
    "distinct",
    "rank",
    "rank_tenant",
    "restrict",
    "stages",
    "steps_in_order",
]

Ranking: TypeAlias = tuple[tuple[int, ...], ...]
"""Tiers of region indices (columns of `scene.universe`), best first; ascending inside a tier."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What one kind of place gets: the tiers, and the fallback-only regions its fences allow.

    `pinned`: it is a tenant's, who stays at home as long as that can answer, whatever is full.
    """

    tiers: Ranking
    fallback: tuple[int, ...] = ()
    pinned: bool = False

    @property
    def allowed(self) -> frozenset[int]:
        """Every region that may ever be answered here: the fence."""
        return frozenset(region for tier in self.tiers for region in tier) | frozenset(self.fallback)


def rank(policy: Policy, service: Service, scene: Scene) -> TierArray:
    """Tier number per place and region, shape (P, R), without gaps.

    `OUTSIDE` where a fence keeps a region out; `FALLBACK_TIER` for regions only `when_all_down:
    fallback` may use. Fences come first, wherever they stand in the chain.
    """
    tiers = start(len(scene.places), scene.own, len(scene.regions))
    for step, seen in stages(policy, service, scene):
        tiers = kind_of(step).rank(step, tiers, seen)
    return tiers


def rank_tenant(policy: Policy, service: Service, scene: Scene) -> Ranked:
    """The ranking of the scene's tenant before any client's fence cuts it: whatever the place is."""
    tiers = start(1, scene.own, len(scene.regions))
    for step, seen in stages(policy, service, scene):
        if not isinstance(step, Residency):
            tiers = kind_of(step).rank(step, tiers, seen)
    return replace(distinct(tiers)[0][0], pinned=True)


def stages(policy: Policy, service: Service, scene: Scene) -> Iterator[tuple[Step, Scene]]:
    """The steps as they run, each with what it looks at.

    Residency steps come first, the others as written. For a tenant the pin comes first, the others see a
    client that stands at the tenant's home, and the client itself is seen by the residency steps alone,
    which come last.
    """
    steps = steps_in_order(service)
    if scene.tenancy is None:
        yield from ((step, scene) for step in steps)
        return
    home = replace(scene, places=standing_at(policy, scene.tenancy.home))
    order = {Pin: 0, Residency: 2}
    for step in sorted(steps, key=lambda step: order.get(type(step), 1)):
        yield step, scene if isinstance(step, Pin | Residency) else home


def steps_in_order(service: Service) -> tuple[Step, ...]:
    """The chain as it runs: residency steps first, the others as written."""
    return tuple(sorted(service.chain, key=lambda step: not isinstance(step, Residency)))


def distinct(tiers: TierArray) -> tuple[tuple[Ranked, ...], NDArray[np.int32]]:
    """The distinct rankings, in the order in which places first have them, and the id of each place's."""
    if len(tiers) == 1:
        return (_ranked(tiers[0].tolist()),), np.zeros(1, dtype=np.int32)
    first, inverse = unique_rows(tiers)
    return _rankings(tiers[first]), inverse.astype(np.int32)


def restrict(ranked: Ranked, allowed: frozenset[int]) -> Ranked:
    """The same order with only the allowed regions left."""
    tiers = (tuple(region for region in tier if region in allowed) for tier in ranked.tiers)
    return Ranked(
        tuple(tier for tier in tiers if tier),
        tuple(region for region in ranked.fallback if region in allowed),
        ranked.pinned,
    )


def _ranked(row: list[int]) -> Ranked:
    tiers: dict[int, list[int]] = {}
    for region, tier in enumerate(row):
        tiers.setdefault(tier, []).append(region)
    fallback = tiers.pop(FALLBACK_TIER, [])
    tiers.pop(OUTSIDE, None)
    return Ranked(tuple(tuple(tiers[tier]) for tier in sorted(tiers)), tuple(fallback))


def _rankings(rows: TierArray) -> tuple[Ranked, ...]:
    """The ranking of each row: all tiers of all rows are cut from one sorted array."""
    count, width = rows.shape
    order = np.argsort(rows, axis=1, kind="stable")
    tier = np.take_along_axis(rows, order, axis=1)
    is_first = np.ones(rows.shape, dtype=np.bool_)
    np.not_equal(tier[:, 1:], tier[:, :-1], out=is_first[:, 1:])
    begins = np.flatnonzero(is_first)
    ends = np.append(begins[1:], rows.size).tolist()
    number = tier.ravel()[begins]
    edges = np.searchsorted(begins, np.arange(count + 1) * width)
    low = edges[:-1] + (number[edges[:-1]] == OUTSIDE)
    high = edges[1:] - (number[edges[1:] - 1] == FALLBACK_TIER)
    regions = order.ravel().tolist()
    alone = [(region,) for region in range(width)]  # one object each: most tiers are of one region
    members = [
        alone[regions[begin]] if end - begin == 1 else tuple(regions[begin:end])
        for begin, end in zip(begins.tolist(), ends, strict=True)
    ]
    return tuple(
        Ranked(tuple(members[begin:end]), members[end] if end < after else ())
        for begin, end, after in zip(low.tolist(), high.tolist(), edges[1:].tolist(), strict=True)
    )
