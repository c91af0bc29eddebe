"""Where a service's clients are: the address space at first, then whoever asks.

DNS queries come filtered by caches, so they say nothing of how much is asked for, only of how it is
divided. Queries fade with `HALF_LIFE_S`, so that the division follows the day without following noise.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_S = 1800.0
PRIOR_QUERIES = 1000.0
"""The address space counts as much as this many queries."""

Counts: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """`faded` queries by slot at `at` (Unix seconds); `last` are the counters they were read off."""

    at: float
    faded: Counts
    last: Counts


def observe(census: Census | None, counters: Counts, now: float) -> Census:
    """The census after the counters (by slot, ever growing) were read at `now`.

    Counters that fell began anew: all they hold is news. A clock that went back fades nothing.
    """
    if census is None or len(census.faded) != len(counters):
        return Census(now, counters.astype(np.float64), counters)
    began = bool((counters < census.last).any())
    fresh = counters if began else counters - census.last
    fading = 0.5 ** (max(now - census.at, 0.0) / HALF_LIFE_S)
    return Census(now, census.faded * fading + fresh, counters)


def division(prior: Counts, slots: NDArray[np.integer], census: Census | None) -> Counts:
    """The part of the clients (they sum to 1) that each ranking has.

    `prior[k]` is the part of the address space with ranking k and `slots[k]` its slot; rankings that share
    one divide its queries by address space.
    """
    total = float(prior.sum())
    known = prior / total if total > 0 else np.full(len(prior), 1.0 / max(len(prior), 1))
    if census is None or not len(known):
        return known
    together = np.bincount(slots, weights=known, minlength=len(census.faded))
    inside = np.divide(known, together[slots], out=np.zeros_like(known), where=together[slots] > 0)
    alone = np.bincount(slots, minlength=len(census.faded))[slots]
    inside = np.where(together[slots] > 0, inside, 1.0 / alone)
    asked = census.faded[slots] * inside
    made: Counts = (PRIOR_QUERIES * known + asked) / (PRIOR_QUERIES + float(asked.sum()))
    return made
