"""Every question that the map's ranges make different: who may ask, which ranking the tables give, and
what may be answered there.

    ranges of the tables x ranges of what is expected --> client subnets inside one range
    prefixes round every border of a fence            --> client blocks that straddle fences
    ranges again, under the rule for no subnet        --> resolvers

Only distinct (ranking, expectation) pairs are kept, each with one client that stands for it.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.fencing import Expected
from georouter.analysis.meeting import Meeting
from georouter.answers.steer import MAX_FENCE_RANGES
from georouter.answers.tables import LOCAL, Fences, RangeMap, RangeTable
from georouter.compiler.publish import EVERYBODY
from georouter.compiler.steering import Table
from georouter.geo.map import GeoMap, Network
from georouter.geo.ranges import merge, with_points

_Addresses = NDArray[np.uint64]


class How(IntEnum):
    """How a client is known."""

    SUBNET = 0
    """By a client subnet inside one range."""
    BLOCK = 1
    """By a client subnet that holds several fences."""
    RESOLVER = 2
    """By its resolver's address."""


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Columns: the ranking that the tables give, the number of what is expected, and who stands for it.

    `kind` is that of the tenant whose name is asked for, -1 for names that are decided by place. `ranges` and
    `blocks` say how many of them there are, duplicates included.
    """

    ranking: NDArray[np.int64]
    mask: NDArray[np.int64]
    how: NDArray[np.int64]
    family: NDArray[np.int64]
    address: _Addresses
    length: NDArray[np.int64]
    kind: NDArray[np.int64]
    ranges: int
    blocks: int

    def client(self, index: int) -> Network:
        """Who stands for a question."""
        return network(int(self.family[index]), int(self.address[index]), int(self.length[index]))


def network(family: int, address: int, length: int) -> Network:
    """The prefix of an address as the map has it."""
    return IPv4Network((address, length)) if family == 4 else IPv6Network((address << 64, length))


_COLUMNS = ("ranking", "mask", "how", "family", "address", "length", "kind")


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """One family: the tables' ranges, and those of what is expected, equal neighbours merged."""

    version: int
    starts: _Addresses
    rankings: NDArray[np.int64]
    borders: _Addresses
    masks: NDArray[np.int32]
    fences: RangeTable | None

    @property
    def bits(self) -> int:
        """How long an address is on the map."""
        return 32 if self.version == 4 else 64


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    ranking: NDArray[np.int64]
    mask: NDArray[np.int64]
    how: How
    version: int
    address: _Addresses
    length: int


def make_questions(table: Table, geo: GeoMap, expectation: Expected, *, subnets: bool) -> Questions:
    """All questions to one table. Without `subnets`, clients are only known by their resolvers."""
    batches: list[_Batch] = []
    ranges = blocks = 0
    for family in _families(table, geo, expectation, table.map):
        starts, rankings, masks = _cells(family)
        ranges += len(starts)
        local = rankings >= LOCAL
        if subnets:
            batches.append(_inside(family, starts[~local], rankings[~local], masks[~local]))
            for batch in _blocks(table.fences, family, expectation):
                blocks += len(batch.ranking)
                batches.append(_distinct(batch))
        batches.append(_resolvers(table.fences, family, expectation, (starts, rankings, masks)))
    return _together(batches, ranges, blocks)


def tenant_questions(
    table: Table, geo: GeoMap, expectation: Expected, kinds: Sequence[tuple[int, int, int]], *, subnets: bool
) -> Questions:
    """All questions for names of tenants, who differ by their kind and by the fence that the client is in.

    `kinds` are (number of the kind, its ranking, the number of what its residency allows); of those that
    are alike one is enough. What is expected is in `Expected.resident`.
    """
    batches: list[_Batch] = []
    ranges = blocks = 0
    fences = table.fences
    pinned = table.pinned.fences if table.pinned is not None else None
    for family in _families(table, geo, expectation, pinned or EVERYBODY):
        starts, numbers, masks = _cells(family)
        ranges += len(starts)
        local = numbers >= LOCAL
        if subnets:
            batches.append(_inside(family, starts[~local], numbers[~local], masks[~local]))
            for batch in _tenant_blocks(fences, family, expectation):
                blocks += len(batch.ranking)
                batches.append(_distinct(batch))
        numbers = numbers & (LOCAL - 1)
        if fences is not None and fences.without_ecs >= 0:
            numbers = _square(fences)[numbers, fences.without_ecs].astype(np.int64)
        masks = expectation.meet[masks, expectation.without_subnet].astype(np.int64)
        asking = _Batch(numbers, masks, How.RESOLVER, family.version, starts, family.bits)
        batches.append(_distinct(asking))
    return _for_kinds(_together(batches, ranges, blocks), fences, expectation, kinds)


def _for_kinds(
    asked: Questions, fences: Fences | None, expectation: Expected, kinds: Sequence[tuple[int, int, int]]
) -> Questions:
    """Questions whose "rankings" are numbers of fences, for every kind."""
    count = len(asked.ranking)
    number, ranking, allowed = (np.repeat(column, count) for column in np.array(kinds, dtype=np.int64).T)
    which = np.tile(np.arange(count), len(kinds))
    if fences is not None:
        ranking = _restricted(fences, ranking, asked.ranking[which])
    mask = expectation.resident[allowed, asked.mask[which]].astype(np.int64)
    _, first = np.unique(mask << 32 | ranking, return_index=True)
    first.sort()
    of = which[first]
    return replace(
        asked,
        ranking=ranking[first],
        mask=mask[first],
        kind=number[first],
        **{name: getattr(asked, name)[of] for name in ("how", "family", "address", "length")},
        ranges=asked.ranges * len(kinds),
        blocks=asked.blocks * len(kinds),
    )


def together(one: Questions, other: Questions) -> Questions:
    """The questions of both."""
    return Questions(
        **{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in _COLUMNS},
        ranges=one.ranges + other.ranges,
        blocks=one.blocks + other.blocks,
    )


def _families(table: Table, geo: GeoMap, expectation: Expected, ranges: RangeMap) -> Iterator[_Family]:
    fences = table.fences.map if table.fences else None
    for version, tables, starts, places, fence in (
        (4, ranges.v4, geo.starts4.astype(np.uint64), geo.place4, fences.v4 if fences else None),
        (6, ranges.v6, geo.starts6, geo.place6, fences.v6 if fences else None),
    ):
        borders, masks = merge(starts, expectation.of[places])
        yield _Family(
            version, _numbers(tables.starts), _numbers(tables.values).astype(np.int64), borders, masks, fence
        )


def _numbers(values: "array[int]") -> _Addresses:
    return np.frombuffer(values, dtype=np.uint32 if values.itemsize == 4 else np.uint64).astype(np.uint64)


def _at(starts: _Addresses, points: _Addresses) -> NDArray[np.intp]:
    """Which range each point lies in."""
    return np.searchsorted(starts, points, side="right") - 1


def _cells(family: _Family) -> tuple[_Addresses, NDArray[np.int64], NDArray[np.int64]]:
    """The ranges in which the tables and the expectation are both constant."""
    starts, origin = with_points(family.starts, family.borders)
    return starts, family.rankings[origin], family.masks[_at(family.borders, starts)].astype(np.int64)


def _inside(
    family: _Family, starts: _Addresses, rankings: NDArray[np.int64], masks: NDArray[np.int64]
) -> _Batch:
    return _distinct(_Batch(rankings, masks, How.SUBNET, family.version, starts, family.bits))


def _resolvers(
    fences: Fences | None,
    family: _Family,
    expectation: Expected,
    cells: tuple[_Addresses, NDArray[np.int64], NDArray[np.int64]],
) -> _Batch:
    """Whoever asks without client subnet, or with one that says nothing."""
    starts, rankings, masks = cells
    rankings = rankings & (LOCAL - 1)
    if fences is not None and fences.without_ecs >= 0:
        rankings = _restricted(fences, rankings, np.full(len(rankings), fences.without_ecs))
    masks = expectation.meet[masks, expectation.without_subnet].astype(np.int64)
    return _distinct(_Batch(rankings, masks, How.RESOLVER, family.version, starts, family.bits))


def _restricted(
    fences: Fences, rankings: NDArray[np.int64], numbers: NDArray[np.integer]
) -> NDArray[np.int64]:
    table = np.frombuffer(fences.restrict, dtype=np.uint32)
    return table[rankings * fences.count + numbers].astype(np.int64)


def _blocks(fences: Fences | None, family: _Family, expectation: Expected) -> Iterator[_Batch]:
    """Every prefix that a border of a fence cuts, by length: `steer.fenced` for all of them at once."""
    wanted = Meeting(family.masks, expectation.meet)
    borders = family.borders
    given: Meeting | None = None
    starts = np.zeros(1, dtype=np.uint64)
    if fences is not None and family.fences is not None:
        starts = _numbers(family.fences.starts)
        values = _numbers(family.fences.values).astype(np.int32)
        given = Meeting(values, _square(fences), fences.bottom)
        borders, _ = with_points(borders, starts)
    for length, base, last in _cut(family, borders):
        first_range = _at(family.starts, base)
        ranking = family.rankings[first_range]
        if fences is not None and given is not None:
            ranking = ranking.copy()
            at, end = _at(starts, base), _at(starts, last)
            cut = (_at(family.starts, last) != first_range) & (at != end) & (ranking < LOCAL)
            number = given.over(at[cut], end[cut])
            number[end[cut] - at[cut] >= MAX_FENCE_RANGES] = fences.bottom
            ranking[cut] = _restricted(fences, ranking[cut], number)
        mask = wanted.over(_at(family.borders, base), _at(family.borders, last)).astype(np.int64)
        kept = ranking < LOCAL
        yield _Batch(ranking[kept], mask[kept], How.BLOCK, family.version, base[kept], length)


def _tenant_blocks(fences: Fences | None, family: _Family, expectation: Expected) -> Iterator[_Batch]:
    """As `_blocks` for names of tenants: `steer.rank_tenant`. The rankings are numbers of fences."""
    wanted = Meeting(family.masks, expectation.meet)
    borders = family.borders
    given: Meeting | None = None
    starts = np.zeros(1, dtype=np.uint64)
    if fences is not None and family.fences is not None:
        starts = _numbers(family.fences.starts)
        given = Meeting(_numbers(family.fences.values).astype(np.int32), _square(fences), fences.bottom)
        borders, _ = with_points(borders, starts)
    for length, base, last in _cut(family, borders):
        own = family.rankings[_at(family.starts, base)]
        number = np.zeros(len(base), dtype=np.int64)
        if fences is not None and given is not None:
            at, end = _at(starts, base), _at(starts, last)
            number = given.over(at, end).astype(np.int64)
            number[end - at >= MAX_FENCE_RANGES] = fences.bottom
        mask = wanted.over(_at(family.borders, base), _at(family.borders, last)).astype(np.int64)
        kept = own < LOCAL
        yield _Batch(number[kept], mask[kept], How.BLOCK, family.version, base[kept], length)


def _cut(family: _Family, borders: _Addresses) -> Iterator[tuple[int, _Addresses, _Addresses]]:
    """Every prefix that one of the borders cuts: its length, first and last addresses."""
    for length in range(1, family.bits):
        rest = np.uint64((1 << family.bits - length) - 1)
        base = borders[borders & rest != 0] & ~rest
        base = base[np.append(True, base[1:] != base[:-1])] if len(base) else base
        yield length, base, base | rest


def _square(fences: Fences) -> NDArray[np.int32]:
    table = np.frombuffer(fences.meet, dtype=np.uint32).astype(np.int32)
    return table.reshape(fences.count, fences.count)


def _distinct(batch: _Batch) -> _Batch:
    """The first of each pair of ranking and mask."""
    _, first = np.unique(batch.mask << 32 | batch.ranking, return_index=True)
    return _Batch(
        batch.ranking[first], batch.mask[first], batch.how, batch.version, batch.address[first], batch.length
    )


def _together(batches: list[_Batch], ranges: int, blocks: int) -> Questions:
    """The batches one behind the other; of equal pairs the plainest: addresses before blocks."""
    batches = sorted(batches, key=lambda batch: (batch.how, batch.version, -batch.length))
    ranking = np.concatenate([batch.ranking for batch in batches])
    mask = np.concatenate([batch.mask for batch in batches])
    _, first = np.unique(mask << 32 | ranking, return_index=True)
    first.sort()
    size = [len(batch.ranking) for batch in batches]
    return Questions(
        ranking=ranking[first],
        mask=mask[first],
        how=np.repeat([int(batch.how) for batch in batches], size)[first],
        family=np.repeat([batch.version for batch in batches], size)[first],
        address=np.concatenate([batch.address for batch in batches])[first],
        length=np.repeat([batch.length for batch in batches], size)[first],
        kind=np.full(len(first), -1),
        ranges=ranges,
        blocks=blocks,
    )
