"""`SLOT_BOUND`: what A and AAAA give for one hash value, side by side, for the hints of HTTPS and SVCB.

    A      |--- a1 ---|--- a2 ---|------ b1 ------|
    AAAA   |------ A1 -----|------ B1 ------------|      (a region without IPv6 has no band there)
    bound  |- a1 A1 --|a2A1|a2 B1|---- b1 B1 -----|

Every border of either is a border here. So the pairs are exactly what both types answer, whatever
the weights, rotations, limits and health; nothing is selected a second time. In sticky groups the
bands of one region are put side by side: where its family is missing, the other type goes elsewhere
and the pair has what the region has.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from georouter.answers.layout import REASONS
from georouter.answers.tables import SLOT_A, SLOT_AAAA
from georouter.compiler.contents import (
    NODATA,
    PROHIBITED,
    SERVFAIL,
    Content,
    joined,
    together_steady,
    unchecked,
)
from georouter.compiler.runs import NOTHING_LAID, TOP, Laid, Piece, cumulative, lay_out, mark
from georouter.compiler.selections import Selections
from georouter.compiler.steering import Steering


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two types as it is laid out. `contents` are numbered as in its pieces; none of either for
    a type that no region has.
    """

    selections: Selections
    pieces: Sequence[Piece]
    contents: Sequence[Content]


@dataclass(frozen=True, slots=True)
class Paired:
    """What came of two sides. `of[i]` are the pieces of either that `laid.pieces[i]` was made of."""

    laid: Laid
    contents: tuple[Content, ...]
    of: tuple[tuple[Piece, Piece], ...]


NOTHING_PAIRED = Paired(NOTHING_LAID, (), ())


def pair(steering: Steering, one: Side, other: Side, before: Paired | None = None) -> Paired:
    """The bound slot of a group: `one` is A and `other` AAAA.

    `before` is what the same group had before; pieces made of the same pieces are taken over.
    """
    first, second = (side if side.pieces else _nothing(steering, side) for side in (one, other))
    wide = len(second.pieces)
    codes, of = np.unique(
        first.selections.of.astype(np.int64) * wide + second.selections.of, return_inverse=True
    )
    numbers = _Numbers(steering, first.contents, second.contents)
    known = _by_identity(before)
    made_of = [(first.pieces[code // wide], second.pieces[code % wide]) for code in codes.tolist()]
    pieces = tuple(known.get((id(a), id(b))) or numbers.merge(a, b) for a, b in made_of)
    return Paired(
        Laid(lay_out(pieces, of.reshape(-1).astype(np.int32)), pieces), tuple(numbers.items), tuple(made_of)
    )


def _nothing(steering: Steering, side: Side) -> Side:
    """A type that no region has, and that was not laid out: NODATA for every ranking."""
    nobody = len(steering.regions) * REASONS
    piece = Piece(array("I", [TOP]), array("I", [0]), array("I", [nobody]), steady=True)
    return Side(replace(side.selections, of=np.zeros_like(side.selections.of)), (piece,), (NODATA,))


def _by_identity(before: Paired | None) -> Mapping[tuple[int, int], Piece]:
    """Steady pieces by what they were made of, which `before` keeps alive."""
    if before is None:
        return {}
    return {
        (id(a), id(b)): piece
        for (a, b), piece in zip(before.of, before.laid.pieces, strict=True)
        if piece.steady
    }


@dataclass(slots=True)
class _Numbers:
    """Numbers pairs; as in `Contents`, those that need no news of health come first, always the same."""

    steering: Steering
    first: Sequence[Content]
    second: Sequence[Content]
    items: dict[Content, int] = field(default_factory=dict)
    steady: int = 0

    def __post_init__(self) -> None:
        self.items = dict(_steady_items(self.steering))
        self.steady = len(self.items)

    def number(self, content: Content) -> int:
        """The index of `content`, new at the end."""
        return self.items.setdefault(content, len(self.items))

    def merge(self, one: Piece, other: Piece) -> Piece:
        """Both pieces with all borders. The region that is counted is that of A, or else of AAAA."""
        piece = Piece(array("I"), array("I"), array("I"), steady=True)
        for band in _bands(one, other):
            begin = len(piece.body)
            for bound, a, b in _zip(*(_thresholds(*side) for side in ((one, band.one), (other, band.other)))):
                left = self.first[one.body[band.one[a]]] if band.one else NODATA
                right = self.second[other.body[band.other[b]]] if band.other else NODATA
                from_other = not band.one or (band.other and left.denial and not right.denial)
                tally = other.tally[band.other[b]] if from_other else one.tally[band.one[a]]
                _add(piece, begin, (bound, self.number(together(left, right)), tally))
            if band.scale is not None:
                mark(piece, band.key, band.scale, len(piece.body) - begin)
        steady = one.steady and other.steady and max(piece.body) < self.steady
        return piece if steady else piece.unsteady()


@lru_cache(maxsize=256)
def _steady_items(steering: Steering) -> Mapping[Content, int]:
    """The pairs that need no news of health, numbered."""
    found = [NODATA, PROHIBITED, SERVFAIL]
    most = steering.rule.limit.addresses
    turns = [unchecked(steering, slot) for slot in (SLOT_A, SLOT_AAAA)]
    for regions in together_steady(steering):
        sides = [joined([side[region] for region in regions], most) for side in turns]
        bounds = [cumulative([weight for _, weight in side], 0, TOP) for side in sides]
        found += (together(sides[0][a][0], sides[1][b][0]) for _, a, b in _zip(*bounds))
    return {content: number for number, content in enumerate(dict.fromkeys(found))}


class _Band(NamedTuple):
    """Where a band lies in two pieces, empty where it is not in one; `scale` is None but in sticky groups."""

    one: range
    other: range
    key: int = 0
    scale: int | None = None


def _bands(one: Piece, other: Piece) -> list[_Band]:
    """Without `sticky` all is one band. With it, a region's band in either type is one in the pair; both
    types give a region to the clients of its pair wherever they have it (see `choice.stick`).
    """
    whole = range(len(one.body)), range(len(other.body))
    if not one.extent and not other.extent:
        return [_Band(*whole)]
    first, second = _spans(one), _spans(other)
    nowhere = range(0), 0
    found = []
    for key in first | second:
        (here, scale), (there, otherwise) = first.get(key, nowhere), second.get(key, nowhere)
        found.append(_Band(here, there, key, scale or otherwise))
    return found or [_Band(*whole, scale=0)]


def _spans(piece: Piece) -> dict[int, tuple[range, int]]:
    """A sticky piece's bands by their key, with their scale; none where it is a denial, whose scale is 0."""
    found, index = {}, 0
    while index < len(piece.extent):
        if piece.scale[index]:
            found[piece.key[index]] = range(index, index + piece.extent[index]), piece.scale[index]
        index += piece.extent[index]
    return found


def _thresholds(piece: Piece, span: range) -> Sequence[int]:
    return piece.threshold[span.start : span.stop] if span else [TOP]


def _add(piece: Piece, begin: int, part: tuple[int, int, int]) -> None:
    """Add (bound, content, tally), to the part before where it is no other; `begin` begins the band."""
    bound, content, tally = part
    if len(piece.body) > begin and (piece.body[-1], piece.tally[-1]) == (content, tally):
        piece.threshold[-1] = bound
        return
    piece.threshold.append(bound)
    piece.body.append(content)
    piece.tally.append(tally)


def together(one: Content, other: Content) -> Content:
    """What the name has when A gives `one` and AAAA `other`.

    A hostname stands alone, as a CNAME does (RFC 1034 3.6.2); where A has addresses it is left out.
    """
    if one.rdatas or (other.rdatas and one.target is None):
        return Content(rdatas=one.rdatas, further=other.rdatas, note=one.note or other.note)
    if one.target is not None:
        return one
    if other.target is not None:
        return other
    return other if one == NODATA else one


def _zip(one: Sequence[int], other: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(upper bound, place in `one`, place in `other`) of every part; both end at `TOP`."""
    a = b = 0
    lower = 0
    while a < len(one) and b < len(other):
        bound = min(one[a], other[b])
        if bound > lower:
            yield bound, a, b
        lower = bound
        a, b = a + (one[a] == bound), b + (other[b] == bound)
