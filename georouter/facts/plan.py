"""What was worked out ahead for regions with a capacity: who goes where instead of where they would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import unpack_from
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.words.ids import RegionName, ServiceName

Tiers: TypeAlias = tuple[tuple[int, ...], ...]
"""A ranking: tiers of indices into a universe of regions."""

Crew: TypeAlias = tuple[tuple[RegionName, ...], tuple[float, ...], ServiceName | None]
"""A universe of regions and their weights: services with equal ones and equal rankings share their plan. One
with a ramp or with a failover that keeps a state, which is named, has a plan to itself."""


class Shares:
    """Per ranking the part of its clients that each region of the universe gets; they sum to 1.

    Tens of thousands of them travel between processes at every plan, so they are a few strings of bytes. A
    ranking is told by its hash (64 bits, of integers alone: the same in every process of one interpreter).
    Of two with the same hash the first is kept, whose parts count for both, each inside its own fence.
    """

    __slots__ = ("_counts", "_known", "_parts", "_rankings", "_regions", "_width")

    def __init__(self, width: int, rankings: Sequence[Tiers], parts: NDArray[np.float64]) -> None:
        """`parts[k]` are those of `rankings[k]`, shape (K, `width`)."""
        row, region = np.nonzero(parts)
        counts = np.bincount(row, minlength=len(rankings))
        divided = counts[row] > 1  # a region that gets everybody needs no number
        self._width = width
        self._rankings = np.fromiter(map(hash, rankings), np.int64, len(rankings)).tobytes()
        self._counts = counts.astype(np.uint16).tobytes()
        self._regions = region.astype(np.uint16).tobytes()
        self._parts = parts[row[divided], region[divided]].tobytes()
        self._known: dict[int, tuple[int, int, int]] | None = None

    @classmethod
    def of(cls, width: int, parts: Mapping[Tiers, Sequence[float]]) -> Self:
        """Those of a mapping."""
        return cls(width, tuple(parts), np.array([*parts.values()], dtype=np.float64).reshape(-1, width))

    def get(self, ranking: Tiers) -> tuple[float, ...] | None:
        """What is said of a ranking; None: it goes where it would."""
        found = self._index().get(hash(ranking))
        if found is None:
            return None
        count, region, part = found
        parts = [0.0] * self._width
        regions = unpack_from(f"{count}H", self._regions, 2 * region)
        values = (1.0,) if count == 1 else unpack_from(f"{count}d", self._parts, 8 * part)
        for one, value in zip(regions, values, strict=True):
            parts[one] = value
        return tuple(parts)

    def _index(self) -> dict[int, tuple[int, int, int]]:
        """Of each ranking's hash: how many regions, and where they and their parts begin."""
        if self._known is not None:
            return self._known
        counts = np.frombuffer(self._counts, np.uint16).astype(np.int64)
        divided = np.where(counts > 1, counts, 0)
        columns = (counts, np.cumsum(counts) - counts, np.cumsum(divided) - divided)
        places = zip(*(column.tolist()[::-1] for column in columns), strict=True)
        hashes = np.frombuffer(self._rankings, np.int64).tolist()[::-1]
        self._known = dict(zip(hashes, places, strict=True))
        return self._known

    def __contains__(self, ranking: Tiers) -> bool:
        return hash(ranking) in self._index()

    def __len__(self) -> int:
        return len(self._rankings) // 8

    def _values(self) -> tuple[int, bytes, bytes, bytes, bytes]:
        return self._width, self._rankings, self._counts, self._regions, self._parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shares) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __getstate__(self) -> tuple[int, bytes, bytes, bytes, bytes]:
        return self._values()

    def __setstate__(self, state: tuple[int, bytes, bytes, bytes, bytes]) -> None:
        self._width, self._rankings, self._counts, self._regions, self._parts = state
        self._known = None


@dataclass(frozen=True, slots=True)
class Spread:
    """One situation. `shares` holds only rankings that do not simply go where they would, by crew.

    `loads` are in the unit of capacity. `overload` is, for regions that get more than their limit
    because nothing else was left, the load as a multiple of the limit.
    """

    shares: Mapping[Crew, Shares] = field(default_factory=dict)
    loads: Mapping[RegionName, float] = field(default_factory=dict)
    overload: Mapping[RegionName, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """Made at `made_at` (Unix seconds) while the regions in `away` could not answer.

    `losses` is ready for the moment in which one more region goes.
    """

    made_at: float
    away: frozenset[RegionName]
    now: Spread
    losses: Mapping[RegionName, Spread] = field(default_factory=dict)

    def spread(self, away: frozenset[RegionName]) -> Spread:
        """What to do while these regions cannot answer.

        After a second loss the present spread stands, without those who are gone, until the next plan.
        """
        return self.prepared(away) or self.now

    def prepared(self, away: frozenset[RegionName]) -> Spread | None:
        """What was worked out for this; None where a loss came before that was done."""
        more = away - self.away
        if len(more) == 1:
            return self.losses.get(next(iter(more)))
        return None if more else self.now

    def settled(self, away: frozenset[RegionName]) -> "CapacityPlan":
        """What of it counts while these regions cannot answer, and nothing else."""
        return CapacityPlan(self.made_at, away, self.spread(away))
