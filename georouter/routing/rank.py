"""Ranking: which regions a client at a place prefers, in tiers. Changes with policy, map and latency only."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.policy.model import Policy, Service
from georouter.policy.steps import Residency, Step
from georouter.routing.scene import Scene
from georouter.routing.steps import kind_of
from georouter.routing.tiers import FALLBACK_TIER, OUTSIDE, TierArray, start, unique_rows

__all__ = ["FALLBACK_TIER", "OUTSIDE", "Ranked", "Ranking", "distinct", "rank", "restrict", "steps_in_order"]

Ranking: TypeAlias = tuple[tuple[int, ...], ...]
"""Tiers of region indices (columns of `scene.universe`), best first; ascending inside a tier."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What one kind of place gets: the tiers, and the fallback-only regions its fences allow."""

    tiers: Ranking
    fallback: tuple[int, ...] = ()

    @property
    def allowed(self) -> frozenset[int]:
        """Every region that may ever be answered here: the fence."""
        return frozenset(region for tier in self.tiers for region in tier) | frozenset(self.fallback)


def rank(policy: Policy, service: Service, scene: Scene) -> TierArray:
    """Tier number per place and region, shape (P, R), without gaps.

    `OUTSIDE` where a fence keeps a region out; `FALLBACK_TIER` for regions only `when_all_down:
    fallback` may use. Fences come first, wherever they stand in the chain.
    """
    del policy
    tiers = start(len(scene.places), scene.own, len(scene.regions))
    for step in steps_in_order(service):
        tiers = kind_of(step).rank(step, tiers, scene)
    return tiers


def steps_in_order(service: Service) -> tuple[Step, ...]:
    """The chain as it runs: residency steps first, the others as written."""
    return tuple(sorted(service.chain, key=lambda step: not isinstance(step, Residency)))


def distinct(tiers: TierArray) -> tuple[tuple[Ranked, ...], NDArray[np.int32]]:
    """The distinct rankings, in the order in which places first have them, and the id of each place's."""
    first, inverse = unique_rows(tiers)
    return tuple(_ranked(row) for row in tiers[first].tolist()), inverse.astype(np.int32)


def restrict(ranked: Ranked, allowed: frozenset[int]) -> Ranked:
    """The same order with only the allowed regions left."""
    tiers = (tuple(region for region in tier if region in allowed) for tier in ranked.tiers)
    return Ranked(
        tuple(tier for tier in tiers if tier),
        tuple(region for region in ranked.fallback if region in allowed),
    )


def _ranked(row: list[int]) -> Ranked:
    tiers: dict[int, list[int]] = {}
    for region, tier in enumerate(row):
        tiers.setdefault(tier, []).append(region)
    fallback = tiers.pop(FALLBACK_TIER, [])
    tiers.pop(OUTSIDE, None)
    return Ranked(tuple(tuple(tiers[tier]) for tier in sorted(tiers)), tuple(fallback))
