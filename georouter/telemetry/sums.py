"""Counters of many workers, and of layouts before the last reload, added up into one array."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import FAMILIES, PROTOS, RCODES, REASONS, TYPES, Layout

Counts = NDArray[np.int64]
Move = tuple[int, int, int]
"""(from, to, length) of a run of counters."""


class Summer:
    """Adds counters into the layout that is published now. Remembers how layouts fit together."""

    def __init__(self) -> None:
        self._moves: dict[tuple[int, int], tuple[Layout, Layout, tuple[Move, ...]]] = {}

    def total(self, counters: Sequence[tuple[Layout, Sequence[int]]]) -> tuple[Layout, Counts] | None:
        """The last pair's layout and the sums in it; None without counters."""
        if not counters:
            return None
        current = counters[-1][0]
        total = np.zeros(current.size, dtype=np.int64)
        used: dict[tuple[int, int], tuple[Layout, Layout, tuple[Move, ...]]] = {}
        for layout, values in counters:
            if layout is current:
                total += np.asarray(values, dtype=np.int64)[: current.size]
                continue
            key = (id(layout), id(current))
            used[key] = self._moves.get(key) or (layout, current, moves(layout, current))
            array = np.asarray(values, dtype=np.int64)
            for source, target, length in used[key][2]:
                total[target : target + length] += array[source : source + length]
        self._moves = used
        return current, total


def moves(old: Layout, new: Layout) -> tuple[Move, ...]:
    """Where counters of `old` lie in `new`, by the names of zones, services and regions."""
    if old == new:
        return ((0, 0, old.size),)
    tenants = ((old.tenants_of(name), new.tenants_of(name), 2) for name in old.pinned if name in new.pinned)
    return (*_zone_moves(old, new), *_service_moves(old, new), *tenants)


def _zone_moves(old: Layout, new: Layout) -> list[Move]:
    found: list[Move] = []
    requests = PROTOS * FAMILIES * TYPES
    places = {name: index for index, name in enumerate(new.zones)}
    pairs = [(index, places[name]) for index, name in enumerate(old.zones) if name in places]
    for source, target in [*pairs, (len(old.zones), len(new.zones))]:
        found.append((source * requests, target * requests, requests))
        found.append((old.responses_base + source * RCODES, new.responses_base + target * RCODES, RCODES))
    return found


def _service_moves(old: Layout, new: Layout) -> list[Move]:
    found: list[Move] = []
    services = {service.name: service for service in new.services}
    for service in old.services:
        target = services.get(service.name)
        if target is None:
            continue
        if target.regions == service.regions:
            found.append((service.base, target.base, (len(service.regions) + 1) * REASONS))
            continue
        places = {region: index for index, region in enumerate(target.regions)}
        pairs = [(index, places[region]) for index, region in enumerate(service.regions) if region in places]
        for source, to in [*pairs, (len(service.regions), len(target.regions))]:
            found.append((service.base + source * REASONS, target.base + to * REASONS, REASONS))
    return found
