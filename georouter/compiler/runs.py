"""`Runs`: the alternatives of every ranking with their thresholds, bodies and tallies."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from georouter.answers.choice import MAX_SCALE, UNIT_SCALE, region_key
from georouter.answers.layout import REASONS
from georouter.answers.tables import Runs
from georouter.compiler.contents import Contents
from georouter.compiler.ranges import flat
from georouter.compiler.selections import Selections
from georouter.routing.select import Candidate, Selection

TOP = (1 << 32) - 1
"""The last threshold of every run."""

NO_RUNS = Runs(array("I"), array("I"), array("I"), array("I"), array("I"))
"""For slots that no view of the group reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One selection laid out. `steady`: its contents have the same numbers in every world."""

    threshold: "array[int]"
    body: "array[int]"
    tally: "array[int]"
    steady: bool
    key: "array[int]" = field(default_factory=lambda: array("Q"))
    scale: "array[int]" = field(default_factory=lambda: array("Q"))
    extent: "array[int]" = field(default_factory=lambda: array("I"))
    cohort: "array[int]" = field(default_factory=lambda: array("I"))

    def unsteady(self) -> "Piece":
        """The same, with contents that may have other numbers in another world."""
        # not `dataclasses.replace`, which takes ten times as long: this is called for every other piece
        return Piece(
            *(self.threshold, self.body, self.tally, False, self.key, self.scale, self.extent), self.cohort
        )


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Runs, and the pieces they are made of, by the index of the selection."""

    runs: Runs
    pieces: tuple[Piece, ...]


NOTHING_LAID = Laid(NO_RUNS, ())


def make_runs(selections: Selections, contents: Contents, before: tuple[Piece, ...] | None = None) -> Laid:
    """Lay the selections out; new contents are numbered in the order of their first use.

    `before` are the pieces that `selections.kept` speaks of.
    """
    pieces = []
    for selection, kept in zip(selections.distinct, selections.kept, strict=True):
        piece = before[kept] if before is not None and kept >= 0 else None
        if piece is None or not piece.steady:
            piece = _piece(selection, contents)
        pieces.append(piece)
    return Laid(lay_out(pieces, selections.of), tuple(pieces))


def lay_out(pieces: Sequence[Piece], of: NDArray[np.int32]) -> Runs:
    """The pieces one behind the other; `of` is the piece of each ranking."""
    threshold, body, tally = array("I"), array("I"), array("I")
    key, scale, extent, cohort = array("Q"), array("Q"), array("I"), array("I")
    first, count = [], []
    for piece in pieces:
        first.append(len(body))
        count.append(len(piece.body))
        threshold += piece.threshold
        body += piece.body
        tally += piece.tally
        key += piece.key
        scale += piece.scale
        extent += piece.extent
        cohort += piece.cohort
    return Runs(
        first=flat(np.array(first, dtype=np.uint32)[of], "I"),
        count=flat(np.array(count, dtype=np.uint32)[of], "I"),
        threshold=threshold,
        body=body,
        tally=tally,
        key=key,
        scale=scale,
        extent=extent,
        cohort=cohort,
    )


def _piece(selection: Selection, contents: Contents) -> Piece:
    """The alternatives of a selection.

    Every region has the band of hash values that its weight gives it, whatever happens inside the
    band: so A and AAAA, which rotate different addresses, choose the same region. Sticky bands have
    all values and a key instead, and so has the band of a cohort, which comes first.
    """
    piece = Piece(array("I"), array("I"), array("I"), steady=True)
    sticky = contents.steering.rule.sticky is not None
    rest = selection.candidates
    if rest and rest[0].cohort is not None:
        _band(piece, rest[0], contents, (0, TOP))
        name = contents.steering.regions[rest[0].regions[0]].name
        mark(piece, region_key(name), 0, len(piece.body))
        open_cohort(piece, cohort_bound(rest[0].cohort))
        rest = rest[1:]
    if not rest:
        nobody = len(contents.steering.regions)
        _add(piece, TOP, contents.denial(selection), nobody * REASONS + selection.reason)
        if sticky:
            mark(piece, 0, 0, 1)
    elif sticky:
        _bands(piece, rest, contents)
    else:
        _share_out(piece, rest, contents)
    if contents.steering.rule.ramp is not None:
        fill(piece)
    return piece if max(piece.body) < contents.steady else piece.unsteady()


def _share_out(piece: Piece, candidates: Sequence[Candidate], contents: Contents) -> None:
    """A part of the hash values for each candidate with a weight."""
    lower = 0
    bounds = cumulative([candidate.weight for candidate in candidates], 0, TOP)
    for candidate, upper in zip(candidates, bounds, strict=True):
        if upper > lower:
            _band(piece, candidate, contents, (lower, upper))
        lower = upper


def _bands(piece: Piece, candidates: Sequence[Candidate], contents: Contents) -> None:
    """A band for each candidate with a weight, for `choice.stick`.

    The scale is relative to what the policy says, not to who happens to be up: so nothing but a region's
    own weight and health changes its part in the choice.
    """
    heaviest = max(contents.steering.rule.weights)
    for candidate in candidates:
        if candidate.weight > 0:
            begin = len(piece.body)
            _band(piece, candidate, contents, (0, TOP))
            name = contents.steering.regions[candidate.regions[0]].name
            mark(piece, region_key(name), scale_of(candidate.weight, heaviest), len(piece.body) - begin)


def scale_of(weight: float, heaviest: float) -> int:
    """The inverse of a weight as `choice.stick` has it."""
    return min(max(round(UNIT_SCALE * heaviest / weight), 1), MAX_SCALE)


def mark(piece: Piece, key: int, scale: int, extent: int) -> None:
    """Describe the band that ends the piece; only its first alternative is ever looked at."""
    rest = extent - 1
    piece.key.extend([key, *[0] * rest])
    piece.scale.extend([scale, *[0] * rest])
    piece.extent.extend([extent, *[0] * rest])


def cohort_bound(part: float) -> int:
    """The exclusive upper bound of the hash values that make this part (more than nobody, less than all)."""
    return min(max(round(part * (TOP + 1)), 1), TOP)


def open_cohort(piece: Piece, bound: int) -> None:
    """The first band, which is all there is yet, is for the cohort of the hash values below `bound`."""
    piece.cohort.extend([bound, *[0] * (len(piece.body) - 1)])


def fill(piece: Piece) -> None:
    """In groups with cohorts every alternative has all columns."""
    for column in (piece.key, piece.scale, piece.extent, piece.cohort):
        column.extend([0] * (len(piece.body) - len(column)))


def _band(piece: Piece, candidate: Candidate, contents: Contents, band: tuple[int, int]) -> None:
    """Divide a region's band among the rotations of its addresses."""
    lower, upper = band
    counter = candidate.regions[0] * REASONS + candidate.reason
    alternatives = contents.alternatives(candidate)
    if len(alternatives) == 1:
        _add(piece, upper, alternatives[0][0], counter)
        return
    bounds = cumulative([weight for _, weight in alternatives], lower, upper)
    for (content, _), bound in zip(alternatives, bounds, strict=True):
        if bound > lower:
            _add(piece, bound, content, counter)
        lower = bound


def _add(piece: Piece, bound: int, content: int, counter: int) -> None:
    piece.threshold.append(bound)
    piece.body.append(content)
    piece.tally.append(counter)


def cumulative(weights: Sequence[float], lower: int, upper: int) -> list[int]:
    """Upper bounds of consecutive parts of `lower..upper` in proportion to `weights`; the last is `upper`."""
    total = sum(weights)
    bounds, so_far = [], 0.0
    for weight in weights:
        so_far += weight
        bounds.append(lower + int((upper - lower) * (so_far / total)) if total > 0 else upper)
    last = max((index for index, weight in enumerate(weights) if weight > 0), default=0)
    return bounds[:last] + [upper] * (len(weights) - last)
