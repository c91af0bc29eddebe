"""Groups of clients that a capacity plan treats alike: equal regions, weights and ranking, in any service.

Made once from those who ask; what every situation (as it is, and the loss of each region) has in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.facts.plan import Crew, Tiers
from georouter.policy.model import Policy
from georouter.routing.rank import Ranked
from georouter.routing.select import Rule
from georouter.words.ids import RegionName

Array = NDArray[np.float64]
Universe = tuple[RegionName, ...]

STAY_MS = 5.0
"""Nobody is moved for less, and ties stay where they are."""
_TIER_MS = 50.0
"""What a tier counts for clients whose round trips nobody can estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """The clients of one service, by ranking.

    `demand[k]` is in the unit of capacity, `rtt_ms[k, r]` the mean estimated round trip of the clients of
    `rankings[k]` to region r of the universe, NaN where there is no estimate.
    """

    universe: Universe
    rankings: tuple[Ranked, ...]
    demand: Array
    rtt_ms: Array
    rule: Rule

    @property
    def crew(self) -> Crew:
        """By whom the plan knows it."""
        return self.universe, self.rule.weights, self.rule.alone


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """G groups of clients with a capacity step, and R regions of the policy (`names`).

    `price[g, r]` is what a region costs a group in milliseconds, infinite outside its ranking. `crew_of[g]`
    is the number of its crew; `of[a][k]` is the group of ranking k of asking a, -1 for others.
    """

    names: Universe
    crews: tuple[Crew, ...]
    tiers: tuple[Tiers, ...]
    crew_of: NDArray[np.int64]
    price: Array
    columns: tuple[NDArray[np.int64], ...]
    """Of each asking: the numbers of its universe's regions."""
    of: tuple[NDArray[np.int64], ...]


def group(policy: Policy, askings: Sequence[Asking]) -> Groups:
    """The groups of these clients; those nobody of whom asks for anything are left out."""
    names = tuple(policy.regions)
    column = {name: index for index, name in enumerate(names)}
    crews: dict[Crew, int] = {}
    known: dict[tuple[int, Tiers], int] = {}
    rows: list[Array] = []
    columns, of = [], []
    for asking in askings:
        ours = np.array([column[name] for name in asking.universe], dtype=np.int64)
        numbers = np.full(len(asking.rankings), -1, dtype=np.int64)
        columns.append(ours)
        of.append(numbers)
        if asking.rule.capacity is None:
            continue
        crew = crews.setdefault(asking.crew, len(crews))
        fresh = []
        for number in np.flatnonzero(asking.demand > 0).tolist():
            key = (crew, asking.rankings[number].tiers)
            if key not in known:
                known[key] = len(known)
                fresh.append(number)
            numbers[number] = known[key]
        price = np.full((len(fresh), len(names)), np.inf)
        price[:, ours] = prices([asking.rankings[number].tiers for number in fresh], asking.rtt_ms[fresh])
        rows.append(price)
    return Groups(
        names,
        tuple(crews),
        tuple(tiers for _, tiers in known),
        np.array([crew for crew, _ in known], dtype=np.int64),
        np.concatenate(rows) if rows else np.empty((0, len(names))),
        tuple(columns),
        tuple(of),
    )


def prices(rankings: Sequence[Tiers], rtt_ms: Array) -> Array:
    """What a region costs clients in milliseconds, shape (K, R): never less than one of an earlier tier.

    Infinite for regions outside the ranking.
    """
    sizes = [sum(map(len, tiers)) for tiers in rankings]
    row = np.repeat(np.arange(len(rankings)), sizes)
    pairs = ((one, number) for tiers in rankings for number, tier in enumerate(tiers) for one in tier)
    region, tier = np.fromiter(pairs, np.dtype((np.int64, 2)), sum(sizes)).T
    cost = rtt_ms[row, region]
    cost = np.where(np.isfinite(cost), cost, tier * _TIER_MS)
    floor = np.zeros(len(rankings))
    by_tier = np.argsort(tier, kind="stable")
    for here in np.split(by_tier, np.flatnonzero(np.diff(tier[by_tier])) + 1):
        cost[here] = np.maximum(cost[here], floor[row[here]])
        np.maximum.at(floor, row[here], cost[here])
        floor += STAY_MS
    price = np.full(rtt_ms.shape, np.inf)
    price[row, region] = cost
    return price
