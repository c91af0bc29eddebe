"""`Fences`: what happens to a ranking when a query stands for more clients than its own range."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.answers.tables import Fences
from georouter.compiler.ranges import Ground
from georouter.routing.rank import Ranked, restrict
from georouter.words.errors import Diagnostic, PolicyError
from georouter.words.ids import ServiceName

MOST_FENCES = 256
"""Distinct intersections of fences. `n` residency steps that all overlap make up to 2**n."""


@dataclass(frozen=True, slots=True, eq=False)
class Fenced:
    """The fences, the rankings they cut from the given ones (numbered after those), each place's fence."""

    fences: Fences
    derived: tuple[Ranked, ...]
    of: NDArray[np.int32]


def fence(  # noqa: PLR0917 - a chain on a map
    service: ServiceName,
    rankings: Sequence[Ranked],
    ids: NDArray[np.int32],
    ground: Ground,
    without_ecs: frozenset[int] | None,
    tenants: Sequence[Ranked] = (),
) -> Fenced:
    """Fences of a chain with residency. `ids` is the ranking id per place.

    `without_ecs` is what a query without client subnet may get, None for what its resolver may. The rankings
    of `tenants` are numbered after the others, and cut by the fences of clients alone.
    Raises PolicyError when the intersections are too many.
    """
    lies_in = [ranked.allowed for ranked in rankings]
    masks = dict.fromkeys(lies_in)
    if without_ecs is not None:
        masks[without_ecs] = None
    closed = _closure(service, tuple(masks))
    number = {mask: index for index, mask in enumerate(closed)}
    meet = array("I", (number[one & other] for one in closed for other in closed))
    table, derived = _restrictions((*rankings, *tenants), closed)
    by_ranking = np.array([number[mask] for mask in lies_in], dtype=np.int32)
    bottom = closed[0]
    for mask in closed:
        bottom &= mask
    return Fenced(
        Fences(
            count=len(closed),
            map=ground.range_map(by_ranking[ids]),
            meet=meet,
            restrict=table,
            bottom=number[bottom],
            without_ecs=-1 if without_ecs is None else number[without_ecs],
        ),
        derived,
        by_ranking[ids],
    )


def _closure(service: ServiceName, masks: Sequence[frozenset[int]]) -> tuple[frozenset[int], ...]:
    """The masks and all of their intersections, in a fixed order."""
    closed = dict.fromkeys(masks)
    waiting = list(closed)
    while waiting:
        one = waiting.pop()
        for other in tuple(closed):
            both = one & other
            if both not in closed:
                closed[both] = None
                waiting.append(both)
        if len(closed) > MOST_FENCES:
            message = (
                f"the residency steps overlap in more than {MOST_FENCES} ways; "
                "let fences name the same sets of regions"
            )
            raise PolicyError([Diagnostic("policy", 0, 0, f"services.{service}.chain", message)])
    return tuple(closed)


def _restrictions(
    rankings: Sequence[Ranked], masks: Sequence[frozenset[int]]
) -> tuple["array[int]", tuple[Ranked, ...]]:
    """`restrict[ranking * count + fence]`, for the mapped rankings and those made here alike."""
    known = {ranked: index for index, ranked in enumerate(rankings)}
    every = list(rankings)
    table = array("I")
    done = 0
    while done < len(every):
        ranked = every[done]
        allowed = ranked.allowed
        for mask in masks:
            if allowed <= mask:
                table.append(done)
                continue
            cut = restrict(ranked, mask)
            index = known.get(cut)
            if index is None:
                index = known[cut] = len(every)
                every.append(cut)
            table.append(index)
        done += 1
    return table, tuple(every[len(rankings) :])
