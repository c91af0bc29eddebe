"""The counters of one writer (a worker, or the TCP side) over all layouts it ever used.

A writer adds to the list (a native one: the array) of the layout it answers from. When a snapshot with
another layout is published, the writer may still finish a batch with the old list; once it has moved on,
the old list is folded into one that holds everything earlier. Names that no layout has any more stay in
it, so that a zone or service that returns goes on counting; only when they become very many are they let
go.
"""

from array import array
from collections.abc import Callable, MutableSequence, Sequence
from typing import Generic, TypeVar

from georouter.answers.layout import FAMILIES, PROTOS, RCODES, REASONS, TYPES, Layout, Service, lay_out

Counters_co = TypeVar("Counters_co", bound=MutableSequence[int], covariant=True)
Counted = tuple[Layout, Sequence[int]]

RETIRED_KEPT = 1000
"""Zones, services and their regions that are gone and still counted, before all of them are forgotten."""


def numbers(count: int) -> list[int]:
    """Counters for a writer in Python."""
    return [0] * count


def words(count: int) -> "array[int]":
    """Counters for a native writer."""
    return array("q", bytes(8 * count))


class Books(Generic[Counters_co]):
    """Used by the control thread only; a writer gets its list through `open`. `make` gives zeros."""

    def __init__(self, make: Callable[[int], Counters_co]) -> None:
        self._make = make
        self._current: tuple[Layout, Counters_co] | None = None
        self._leaving: list[Counted] = []
        self._earlier: Counted | None = None

    def open(self, layout: Layout) -> Counters_co:
        """The list for a layout that is about to be published: the present one, if the layout is equal."""
        if self._current is not None:
            if self._current[0] == layout:
                return self._current[1]
            self._leaving.append(self._current)
        self._current = (layout, self._make(layout.extent))
        return self._current[1]

    def settle(self, using: Sequence[Sequence[int]]) -> None:
        """Fold what the writer has left. `using` are the lists it may add to now."""
        for counted in [item for item in self._leaving if not any(item[1] is each for each in using)]:
            self._leaving.remove(counted)
            self._earlier = counted if self._earlier is None else fold(self._earlier, counted)
        if self._earlier is not None and self._current is not None and not self._leaving:
            present = self._current[0]
            if _names(self._earlier[0]) > _names(present) + RETIRED_KEPT:
                self._earlier = keep(self._earlier, present)

    def census(self) -> Counted | None:
        """The layout in use and its list, the part behind `Layout.size` included."""
        return self._current

    def counters(self) -> list[Counted]:
        """All lists, the published layout's last."""
        found = [] if self._earlier is None else [self._earlier]
        return found + self._leaving + ([] if self._current is None else [self._current])


def fold(first: Counted, second: Counted) -> Counted:
    """Both in one, under a layout that has the zones, services and regions of both."""
    zones = _union(first[0].zones, second[0].zones)
    regions: dict[str, tuple[str, ...]] = {}
    for layout, _ in (first, second):
        for service in layout.services:
            regions[service.name] = _union(regions.get(service.name, ()), service.regions)
    wide = lay_out(zones, list(regions.items()))
    values = [0] * wide.size
    for counted in (first, second):
        _add(wide, values, counted)
    return wide, values


def keep(counted: Counted, present: Layout) -> Counted:
    """Only what belongs to zones, services and regions that `present` has."""
    values = [0] * present.size
    _add(present, values, counted)
    return present, values


def _names(layout: Layout) -> int:
    return len(layout.zones) + sum(1 + len(service.regions) for service in layout.services)


def _add(wide: Layout, values: list[int], counted: Counted) -> None:
    """What `wide` has no place for is left out."""
    layout, added = counted
    at = {zone: place for place, zone in enumerate(wide.zones)}
    places = [at.get(zone) for zone in layout.zones] + [len(wide.zones)]
    requests = PROTOS * FAMILIES * TYPES
    for zone, place in enumerate(places):
        if place is None:
            continue
        _add_run(values, place * requests, added, zone * requests, requests)
        responses = (wide.responses_base + place * RCODES, layout.responses_base + zone * RCODES)
        _add_run(values, responses[0], added, responses[1], RCODES)
    services = {service.name: service for service in wide.services}
    for service in layout.services:
        if service.name in services:
            _add_decisions(services[service.name], values, service, added)


def _add_decisions(wide: Service, values: list[int], service: Service, added: Sequence[int]) -> None:
    at = {region: place for place, region in enumerate(wide.regions)}
    places = [at.get(region) for region in service.regions] + [len(wide.regions)]
    for region, place in enumerate(places):
        if place is None:
            continue
        _add_run(values, wide.base + place * REASONS, added, service.base + region * REASONS, REASONS)


def _add_run(values: list[int], to: int, added: Sequence[int], start: int, count: int) -> None:
    for offset in range(count):
        values[to + offset] += added[start + offset]


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
