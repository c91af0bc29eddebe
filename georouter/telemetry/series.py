"""Values of one metric by its labels: plain dicts that one thread writes and a scrape reads."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from georouter.telemetry.catalog import Spec


class Series:
    """A counter or gauge."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._values: dict[tuple[str, ...], float] = {}

    def set(self, value: float, *labels: str) -> None:
        """Set the value of one series."""
        self._values[labels] = float(value)

    def add(self, amount: float, *labels: str) -> None:
        """Add to one series; adding 0 makes it visible."""
        self._values[labels] = self._values.get(labels, 0.0) + amount

    def labels(self) -> list[tuple[str, ...]]:
        """The label values of every series."""
        return list(self._values)

    def forget(self, gone: Callable[[tuple[str, ...]], bool]) -> None:
        """Drop every series whose label values `gone` says yes to."""
        self._values = {labels: value for labels, value in self._values.items() if not gone(labels)}

    def values(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Label values and value of every series."""
        yield from self._values.items()


@dataclass(slots=True)
class _Buckets:
    counts: list[int]
    sum: float = field(default=0.0)


class Histogram:
    """A histogram with fixed bounds; the bucket above the last bound is implied."""

    def __init__(self, spec: Spec, bounds: tuple[float, ...]) -> None:
        self.spec = spec
        self._bounds = bounds
        self._buckets: dict[tuple[str, ...], _Buckets] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        buckets = self._buckets.get(labels)
        if buckets is None:
            buckets = self._buckets[labels] = _Buckets([0] * (len(self._bounds) + 1))
        buckets.counts[bisect_left(self._bounds, value)] += 1
        buckets.sum += value

    def forget(self, gone: Callable[[tuple[str, ...]], bool]) -> None:
        """Drop every series whose label values `gone` says yes to."""
        self._buckets = {labels: buckets for labels, buckets in self._buckets.items() if not gone(labels)}

    def buckets(self) -> Iterator[tuple[tuple[str, ...], list[tuple[str, float]], float]]:
        """Label values, `cumulative` counts and the sum of every series."""
        for labels, buckets in self._buckets.items():
            yield labels, cumulative(self._bounds, buckets.counts), buckets.sum


def cumulative(bounds: tuple[float, ...], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Bucket counts as `(le, how many at or below)`, ending with `+Inf`."""
    total = 0
    found: list[tuple[str, float]] = []
    for bound, count in zip((*map(_bound_text, bounds), "+Inf"), counts, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


def _bound_text(bound: float) -> str:
    """Canonical number text: `2e-06`, `0.5`, `1.0` (what OpenMetrics asks of `le`)."""
    return str(float(bound))
