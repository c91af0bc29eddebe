"""Measured demand: the queries of a log, told apart by how the names in it are served before and after.

name --both policies--> (how it is served, how it will be) --whose queries--> clients, once for all alike
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from georouter.analysis.traffic import GONE, Clients, Part, Served, addresses
from georouter.answers.tenants import NOBODY
from georouter.geo.map import GeoMap
from georouter.policy.model import Policy
from georouter.policy.names import Names
from georouter.routing.steps.pin import is_missing, kind_of, tenant_of

Queries: TypeAlias = Mapping[tuple[Served, Served | None], Mapping[tuple[int, int], int]]
"""How often `(version, address as in the map)` asked for names served so before and so after."""


def serving(policy: Policy) -> Callable[[bytes], Served | None]:
    """What tells how a name (wire format, any case) is served; None: no service answers it."""
    names = Names(policy.zones.values())

    def served(name: bytes) -> Served | None:
        end = names.end_of(name)
        if end is None:
            return None
        service = policy.services[names.steered[end[0]]]
        if end[0] == end[1]:
            return Served(service.name)
        tenant = tenant_of(service, *end)
        if is_missing(service, tenant):
            return Served(service.name, GONE)
        return Served(service.name, NOBODY if tenant is None else kind_of(service, tenant))

    return served


def asking(before: GeoMap, after: GeoMap, queries: Queries, of: str) -> Clients:
    """Who sent these queries, with a part for each way in which names are served.

    Raises ValueError if there are none.
    """
    counted: Counter[tuple[int, int]] = Counter()
    for counts in queries.values():
        counted.update(counts)
    parts = tuple(
        Part(was, now, addresses(before, after, counts, of)) for (was, now), counts in queries.items()
    )
    return replace(addresses(before, after, counted, of), parts=parts)
