"""What moves between two flows of a service: from where to where, whose clients, at what cost in latency."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.traffic import Clients, Flow
from georouter.words.ids import RegionName

CHUNK = 65536
"""Clients at a time: 65536 x 30 regions x 8 bytes are 16 MB."""

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """`share` of all clients go from one region to another; None: nobody answers them."""

    source: RegionName | None
    target: RegionName | None
    share: float


@dataclass(frozen=True, slots=True)
class Country:
    """One country. `share`, `moved`, `refused` are of all clients; `added_ms` is the mean of its moved ones.

    `code` is empty for clients that the database puts in no country; `refused` counts those newly refused.
    """

    code: str
    share: float
    moved: float
    refused: float
    added_ms: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Estimated round trips in milliseconds: means over all clients, and what the moved ones gain or lose."""

    before_ms: float
    after_ms: float
    moved_mean_ms: float
    moved_p95_ms: float


@dataclass(frozen=True, slots=True)
class Shift:
    """Parts of the clients. `refused`: a fence leaves them no region; `unanswered`: nobody answers them."""

    moved: float
    before: dict[RegionName, float]
    after: dict[RegionName, float]
    ways: tuple[Way, ...]
    refused_before: float
    refused_after: float
    unanswered_before: float
    unanswered_after: float
    newly_refused: float
    countries: tuple[Country, ...]
    latency: Latency | None
    countries_asking: int = 0
    """How many countries have clients at all; `countries` are those of which some move."""


def shift(before: Flow, after: Flow, clients: Clients) -> Shift:
    """Compare two flows for the same clients."""
    return shift_of([(before, after, clients, 1.0)])


def shift_of(parts: Sequence[tuple[Flow, Flow, Clients, float]]) -> Shift:
    """Compare pairs of flows, at least one, each for its clients; these are such a part of all."""
    flows = [flow for part in parts for flow in part[:2]]
    sums = _Sums(tuple(dict.fromkeys(name for flow in flows for name in flow.regions)))
    for before, after, clients, share in parts:
        sums.begin(before, after)
        for begin in range(0, len(clients.weight), CHUNK):
            part = slice(begin, begin + CHUNK)
            sums.add(clients.weight[part] * share, clients.before[part], clients.after[part])
    return sums.result()


class _Sums:
    """Adds up over chunks of clients. The last column of every share array is "nobody"."""

    flows: tuple[Flow, Flow]
    shares: tuple[_Array, _Array]

    def __init__(self, regions: tuple[RegionName, ...]) -> None:
        self.regions = regions
        self.totals = np.zeros((2, len(regions) + 1))
        self.ways = np.zeros((len(regions) + 1, len(regions) + 1))
        self.refused = np.zeros(2)
        self.codes: list[NDArray[np.bytes_]] = []
        self.columns: list[_Array] = []

    def begin(self, before: Flow, after: Flow) -> None:
        """What is added next flows like this."""
        self.flows = (before, after)
        self.shares = (_aligned(before, self.regions), _aligned(after, self.regions))

    def add(self, weight: _Array, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Clients of these weights at these places of the two maps."""
        rows = (self.flows[0].of[first], self.flows[1].of[second])
        old, new = self.shares[0][rows[0]], self.shares[1][rows[1]]
        kept = np.minimum(old, new)
        lost, gained = old - kept, new - kept
        moved = lost.sum(axis=1)
        moved[moved < 1e-9] = 0.0
        per = np.divide(weight, moved, out=np.zeros_like(weight), where=moved > 0)
        self.ways += (lost * per[:, None]).T @ gained
        self.totals += np.stack([weight @ old, weight @ new])
        refused = tuple(flow.refused[row] for flow, row in zip(self.flows, rows, strict=True))
        self.refused += [weight @ refused[0], weight @ refused[1]]
        rtt = (self._rtt(0, first), self._rtt(1, second))
        answered = tuple(1.0 - shares[:, -1] for shares in (old, new))
        self.codes.append(self.flows[0].side.geo.places.country[first])
        self.columns.append(
            np.stack(
                [
                    weight,
                    weight * moved,
                    weight * (refused[1] & ~refused[0]),
                    _mean(old, rtt[0], answered[0]),
                    _mean(new, rtt[1], answered[1]),
                    _mean(gained, rtt[1], gained[:, :-1].sum(axis=1))
                    - _mean(lost, rtt[0], lost[:, :-1].sum(axis=1)),
                ]
            )
        )

    def _rtt(self, side: int, places: NDArray[np.int64]) -> _Array:
        flow = self.flows[side]
        made = np.zeros((len(places), len(self.regions) + 1))
        made[:, [self.regions.index(name) for name in flow.regions]] = flow.rtt_ms(places)
        return made

    def result(self) -> Shift:
        """The figures of everything added."""
        weight, moved, refused, before, after, added = np.concatenate(self.columns, axis=1)
        names: Sequence[RegionName | None] = (*self.regions, None)
        ways = [
            Way(names[source], names[target], float(self.ways[source, target]))
            for source, target in np.argwhere(self.ways > 1e-9)
        ]
        totals = [
            {name: float(row[column]) for column, name in enumerate(self.regions) if row[column] > 0}
            for row in self.totals
        ]
        codes = np.concatenate(self.codes)
        return Shift(
            moved=float(moved.sum()),
            before=totals[0],
            after=totals[1],
            ways=tuple(sorted(ways, key=lambda way: -way.share)),
            refused_before=float(self.refused[0]),
            refused_after=float(self.refused[1]),
            unanswered_before=float(self.totals[0, -1]),
            unanswered_after=float(self.totals[1, -1]),
            newly_refused=float(refused.sum()),
            countries=_countries(codes, weight, moved, refused, added),
            latency=_latency(weight, moved, before, after, added),
            countries_asking=len(np.unique(codes[codes != b""])),
        )


def _aligned(flow: Flow, regions: tuple[RegionName, ...]) -> _Array:
    """Shares per ranking over the given regions and nobody."""
    made = np.zeros((len(flow.shares), len(regions) + 1))
    made[:, [regions.index(name) for name in flow.regions]] = flow.shares
    made[:, -1] = np.maximum(1.0 - flow.shares.sum(axis=1), 0.0)
    made[made < 1e-12] = 0.0
    return made


def _mean(shares: _Array, rtt: _Array, total: _Array) -> _Array:
    """Per row the mean round trip of those who are answered; NaN where nobody is."""
    filled = np.where(shares > 0, rtt, 0.0)
    summed = (shares[:, :-1] * filled[:, :-1]).sum(axis=1)
    made: _Array = np.divide(summed, total, out=np.full(len(shares), np.nan), where=total > 1e-9)
    return made


def _countries(
    codes: NDArray[np.bytes_], weight: _Array, moved: _Array, refused: _Array, added: _Array
) -> tuple[Country, ...]:
    """Those with any moved client, most moved first."""
    found, inverse = np.unique(codes, return_inverse=True)
    known = np.isfinite(added) & (moved > 0)
    sums = [
        np.bincount(inverse, weights=values, minlength=len(found))
        for values in (
            weight,
            moved,
            refused,
            np.where(known, moved, 0.0),
            np.where(known, moved * added, 0.0),
        )
    ]
    made = [
        Country(
            code=code.decode(),
            share=float(sums[0][index]),
            moved=float(sums[1][index]),
            refused=float(sums[2][index]),
            added_ms=float(sums[4][index] / sums[3][index]) if sums[3][index] > 0 else None,
        )
        for index, code in enumerate(found.tolist())
        if sums[1][index] > 0
    ]
    return tuple(sorted(made, key=lambda country: -country.moved))


def _latency(weight: _Array, moved: _Array, before: _Array, after: _Array, added: _Array) -> Latency | None:
    both = np.isfinite(before) & np.isfinite(after)
    if not both.any():
        return None
    total = weight[both].sum()
    mine = np.isfinite(added) & (moved > 0)
    mean, p95 = 0.0, 0.0
    if mine.any():
        order = np.argsort(added[mine])
        values, weights = added[mine][order], np.cumsum(moved[mine][order])
        mean = float(np.average(added[mine], weights=moved[mine]))
        p95 = float(values[min(int(np.searchsorted(weights, 0.95 * weights[-1])), len(values) - 1)])
    return Latency(
        before_ms=float(weight[both] @ before[both] / total),
        after_ms=float(weight[both] @ after[both] / total),
        moved_mean_ms=mean,
        moved_p95_ms=p95,
    )
