"""What changed between two contents of a zone: the differences an IXFR is made of (RFC 1995).

Contents mark their sets by numbers, so sets that stayed are told at the speed of sorting; records are
only looked at where sets differ.
"""

from collections.abc import Iterable

import numpy as np

from georouter.answers.copies import Content, Delta, Record

MOST_SETS = 100_000
"""Sets that differ; a change beyond that is told as a whole zone, which takes a second per million names."""


def difference(old: Content, new: Content) -> Delta | None:
    """What leads from `old` to `new`; None where a transfer of the whole zone is as good."""
    gone, come = _only(old, new), _only(new, old)
    if len(gone) + len(come) > MOST_SETS:
        return None
    before, after = _records(old, gone), _records(new, come)
    kept = before.keys() & after.keys()
    removed = tuple(item for item in before if item not in kept)
    added = tuple(item for item in after if item not in kept)
    first, last = old.start(), new.start()
    octets = sum(len(owner) + len(tail) for owner, tail in (first, *removed, last, *added))
    return Delta(old.serial, first, last, removed, added, octets)


def _only(one: Content, other: Content) -> list[int]:
    """The places of the sets that `other` has not."""
    mine = np.frombuffer(one.marks, dtype=np.uint64) if one.marks else np.zeros(0, np.uint64)
    theirs = np.frombuffer(other.marks, dtype=np.uint64) if other.marks else np.zeros(0, np.uint64)
    alone = ~np.isin(mine, theirs) & (mine != 0)
    places: list[int] = np.flatnonzero(alone).tolist()
    return places


def _records(content: Content, places: Iterable[int]) -> dict[Record, None]:
    """The records of these sets, in the zone's order."""
    return dict.fromkeys(record for place in places for record in content.at(place))
