"""`SLOT_BOUND`: what A and AAAA give for one hash value, side by side, for the hints of HTTPS and SVCB.

    A      |--- a1 ---|--- a2 ---|------ b1 ------|
    AAAA   |------ A1 -----|------ B1 ------------|      (a region without IPv6 has no band there)
    bound  |- a1 A1 --|a2A1|a2 B1|---- b1 B1 -----|

Every border of either is a border here. So the pairs are exactly what both types answer, whatever
the weights, rotations, limits and health; nothing is selected a second time. In sticky groups the
bands of one region are put side by side: where its family is missing, the other type goes elsewhere
and the pair has what the region has. The band of a cohort and what is behind it are paired one after
the other: both types have the same cohort, or one of them has none.
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
from georouter.compiler.runs import (
    NOTHING_LAID,
    TOP,
    Laid,
    Piece,
    cumulative,
    fill,
    lay_out,
    mark,
    open_cohort,
)
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
        sticky = self.steering.rule.sticky is not None
        head = next((side for side in (one, other) if _bound(side)), None)
        first, second = (_parted(side, sticky=sticky) for side in (one, other))
        if head is not None:
            self._merge(piece, one, other, [_Band(first[0], second[0])])
            mark(piece, head.key[0], 0, len(piece.body))
            open_cohort(piece, _bound(head))
        whole = first[1], second[1]
        self._merge(piece, one, other, _bands(one, other, whole) if sticky else [_Band(*whole)])
        if self.steering.rule.ramp is not None:
            fill(piece)
        steady = one.steady and other.steady and max(piece.body) < self.steady
        return piece if steady else piece.unsteady()

    def _merge(self, piece: Piece, one: Piece, other: Piece, bands: "Sequence[_Band]") -> None:
        """Add these bands of both pieces."""
        for band in bands:
            begin = len(piece.body)
            for bound, a, b in _zip(*(_thresholds(*side) for side in ((one, band.one), (other, band.other)))):
                left = self.first[one.body[band.one[a]]] if band.one else NODATA
                right = self.second[other.body[band.other[b]]] if band.other else NODATA
                from_other = not band.one or (band.other and left.denial and _says_more(right, left))
                tally = other.tally[band.other[b]] if from_other else one.tally[band.one[a]]
                _add(piece, begin, (bound, self.number(together(left, right)), tally))
            if band.scale is not None:
                mark(piece, band.key, band.scale, len(piece.body) - begin)


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


def _bound(piece: Piece) -> int:
    """That of the cohort whose band begins the piece, or 0."""
    return piece.cohort[0] if piece.cohort else 0


def _parted(piece: Piece, *, sticky: bool) -> tuple[range, range]:
    """What is for the cohort, and what is for the others.

    Where the piece has no cohort, all is for both; in sticky groups the pair then has what the region has.
    """
    whole = range(len(piece.body))
    if not _bound(piece):
        return whole[:0] if sticky else whole, whole
    return whole[: piece.extent[0]], whole[piece.extent[0] :]


class _Band(NamedTuple):
    """Where a band lies in two pieces, empty where it is not in one; `scale` is None but in sticky groups."""

    one: range
    other: range
    key: int = 0
    scale: int | None = None


def _bands(one: Piece, other: Piece, whole: tuple[range, range]) -> list[_Band]:
    """Of sticky groups: a region's band in either type is one in the pair; both types give a region to the
    clients of its pair wherever they have it (see `choice.stick`).
    """
    first, second = _spans(one, whole[0]), _spans(other, whole[1])
    nowhere = range(0), 0
    found = []
    for key in first | second:
        (here, scale), (there, otherwise) = first.get(key, nowhere), second.get(key, nowhere)
        found.append(_Band(here, there, key, scale or otherwise))
    return found or [_Band(*whole, scale=0)]


def _spans(piece: Piece, whole: range) -> dict[int, tuple[range, int]]:
    """A sticky piece's bands by their key, with their scale; none where it is a denial, whose scale is 0."""
    found: dict[int, tuple[range, int]] = {}
    index = whole.start
    while index < min(whole.stop, len(piece.extent)):
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


def _says_more(other: Content, one: Content) -> bool:
    """Whether AAAA's content counts though it comes second: A has none, or a mere NODATA."""
    return not other.denial or one == NODATA


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
