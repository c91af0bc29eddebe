"""The meet of any stretch of ranges at once: a sparse table over an idempotent operation."""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


class Meeting:
    """`over(first, last)` is the meet of `values[first..last]`, for arrays of stretches.

    Raises ValueError when `meet` is no meet: then neither this nor the packet path's walk, which stops
    early at `bottom`, would mean anything.
    """

    def __init__(self, values: Ids, meet: Ids, bottom: int | None = None) -> None:
        if not _is_meet(meet, bottom):
            raise ValueError(
                "the table of fences is no meet: what several fences allow depends on their order"
            )
        self._meet = meet
        self._levels = [values]
        while (width := 1 << len(self._levels)) <= len(values):
            below = self._levels[-1]
            self._levels.append(
                meet[below[: len(values) - width + 1], below[width // 2 :][: len(values) - width + 1]]
            )

    def over(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Ids:
        """The meet of each stretch, both ends included."""
        made = np.empty(len(first), dtype=np.int32)
        level = np.frexp((last - first + 1).astype(np.float64))[1] - 1
        for number in np.unique(level).tolist():
            here = level == number
            table = self._levels[number]
            made[here] = self._meet[table[first[here]], table[last[here] - (1 << number) + 1]]
        return made


def _is_meet(meet: Ids, bottom: int | None) -> bool:
    """Whether it is idempotent, commutative and associative, with `bottom` below all."""
    every = np.arange(len(meet))
    return bool(
        (meet[every, every] == every).all()
        and (meet == meet.T).all()
        and all((meet[meet[one], :] == meet[one][meet]).all() for one in every.tolist())
        and (bottom is None or (meet[bottom] == bottom).all())
    )
