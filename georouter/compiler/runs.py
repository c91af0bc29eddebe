"""`Runs`: the alternatives of every ranking with their thresholds, bodies and tallies."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

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


def make_runs(selections: Selections, contents: Contents) -> Runs:
    """Lay the selections out; new contents are numbered in the order of their first use."""
    threshold, body, tally = array("I"), array("I"), array("I")
    first, count = [], []
    for selection in selections.distinct:
        first.append(len(body))
        for bound, content, counter in _alternatives(selection, contents):
            threshold.append(bound)
            body.append(content)
            tally.append(counter)
        count.append(len(body) - first[-1])
    return Runs(
        first=flat(np.array(first, dtype=np.uint32)[selections.of], "I"),
        count=flat(np.array(count, dtype=np.uint32)[selections.of], "I"),
        threshold=threshold,
        body=body,
        tally=tally,
    )


def _alternatives(selection: Selection, contents: Contents) -> Iterable[tuple[int, int, int]]:
    """(threshold, content, tally) of each alternative.

    Every region has the band of hash values that its weight gives it, whatever happens inside the
    band: so A and AAAA, which rotate different addresses, choose the same region.
    """
    if not selection.candidates:
        nobody = len(contents.steering.regions)
        yield TOP, contents.denial(selection), nobody * REASONS + selection.reason
        return
    bounds = cumulative([candidate.weight for candidate in selection.candidates], 0, TOP)
    lower = 0
    for candidate, upper in zip(selection.candidates, bounds, strict=True):
        if upper > lower:
            yield from _band(candidate, contents, lower, upper)
        lower = upper


def _band(candidate: Candidate, contents: Contents, lower: int, upper: int) -> Iterable[tuple[int, int, int]]:
    """Divide a region's band among the rotations of its addresses."""
    counter = candidate.regions[0] * REASONS + candidate.reason
    alternatives = contents.alternatives(candidate)
    bounds = cumulative([weight for _, weight in alternatives], lower, upper)
    for (content, _), bound in zip(alternatives, bounds, strict=True):
        if bound > lower:
            yield bound, content, counter
        lower = bound


def cumulative(weights: Sequence[float], lower: int, upper: int) -> list[int]:
    """Upper bounds of consecutive parts of `lower..upper` in proportion to `weights`; the last is `upper`."""
    total = sum(weights)
    bounds, so_far = [], 0.0
    for weight in weights:
        so_far += weight
        bounds.append(lower + int((upper - lower) * (so_far / total)) if total > 0 else upper)
    last = max((index for index, weight in enumerate(weights) if weight > 0), default=0)
    return bounds[:last] + [upper] * (len(weights) - last)
