"""What changed between two contents of a zone: the differences an IXFR is made of (RFC 1995).

Contents mark their sets by numbers, so sets that stayed are told at the speed of sorting; records are
only looked at where sets differ.
"""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from georouter.answers.copies import Content, Delta, Record

Marks: TypeAlias = npt.NDArray[np.uint64]

PIECE = 1 << 15
"""Marks looked up at once: a few milliseconds."""
MOST_SETS = 100_000
"""Sets that differ; a change beyond that is told as a whole zone, which takes a second per million names."""


def difference(old: Content, new: Content) -> Delta | None:
    """What leads from `old` to `new`; None where a transfer of the whole zone is as good."""
    gone, come = _apart(_marks(old), _marks(new))
    if len(gone) + len(come) > MOST_SETS:
        return None
    before, after = _records(old, gone), _records(new, come)
    kept = before.keys() & after.keys()
    removed = tuple(item for item in before if item not in kept)
    added = tuple(item for item in after if item not in kept)
    first, last = old.start(), new.start()
    octets = sum(len(owner) + len(tail) for owner, tail in (first, *removed, last, *added))
    return Delta(old.serial, first, last, removed, added, octets)


def _marks(content: Content) -> Marks:
    return np.frombuffer(content.marks, dtype=np.uint64) if content.marks else np.zeros(0, np.uint64)


def _apart(one: Marks, other: Marks) -> tuple[list[int], list[int]]:
    """The places of the sets that only `one` has, and of those that only `other` has.

    Zones seldom change all over: what both begin and end with is left out first.
    """
    shared = min(len(one), len(other))
    start = _equal(one[:shared], other[:shared])
    rest = shared - start
    end = _equal(one[len(one) - rest :][::-1], other[len(other) - rest :][::-1])
    mine, theirs = one[start : len(one) - end], other[start : len(other) - end]
    return _missing(mine, theirs, start), _missing(theirs, mine, start)


def _equal(one: Marks, other: Marks) -> int:
    """How many marks both begin with."""
    apart = one != other
    return int(np.argmax(apart)) if apart.any() else len(one)


def _missing(mine: Marks, theirs: Marks, start: int) -> list[int]:
    """The places of marks that are not among `theirs`; in pieces, to let other threads in."""
    known = np.sort(theirs)
    found: list[int] = []
    for at in range(0, len(mine), PIECE):
        piece = mine[at : at + PIECE]
        alone = piece != 0
        if len(known):
            nearest = known[np.minimum(np.searchsorted(known, piece), len(known) - 1)]
            alone &= nearest != piece
        found.extend((np.flatnonzero(alone) + (start + at)).tolist())
    return found


def _records(content: Content, places: Iterable[int]) -> dict[Record, None]:
    """The records of these sets, in the zone's order."""
    return dict.fromkeys(record for place in places for record in content.at(place))
