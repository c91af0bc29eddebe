"""How large the range maps are: what the memory of the answers is spent on."""

from collections.abc import Mapping
from dataclasses import dataclass

from georouter.answers.tables import RangeMap
from georouter.compiler.steering import Steered
from georouter.words.ids import ServiceName


@dataclass(frozen=True, slots=True)
class MapSize:
    """One range map. `service` is the first of the `services` services that are answered by it.

    `size_bytes` includes the maps of its fences.
    """

    service: ServiceName
    services: int
    rankings: int
    ranges_ipv4: int
    ranges_ipv6: int
    size_bytes: int


def map_sizes(steered: Steered) -> tuple[MapSize, ...]:
    """Every distinct map, the largest first: services with equal chains and regions share one."""
    users: dict[int, list[ServiceName]] = {}
    tables: dict[int, list[int]] = {}
    for name, group in steered.group_of.items():
        number = steered.steerings[group].table
        key = id(steered.tables[number].map)
        users.setdefault(key, []).append(name)
        tables.setdefault(key, []).append(number)
    sizes = []
    for key, names in users.items():
        mine = [steered.tables[number] for number in dict.fromkeys(tables[key])]
        parts = {key: mine[0].map}
        for table in mine:
            if table.fences is not None:
                parts[id(table.fences.map)] = table.fences.map
            if table.pinned is not None and table.pinned.fences is not None:
                parts[id(table.pinned.fences)] = table.pinned.fences
        sizes.append(
            MapSize(
                service=names[0],
                services=len(names),
                rankings=sum(len(table.rankings) for table in mine),
                ranges_ipv4=len(mine[0].map.v4.starts),
                ranges_ipv6=len(mine[0].map.v6.starts),
                size_bytes=_bytes(parts),
            )
        )
    return tuple(sorted(sizes, key=lambda size: -size.size_bytes))


def _bytes(parts: Mapping[int, RangeMap]) -> int:
    tables = [table for part in parts.values() for table in (part.v4, part.v6)]
    return sum(
        len(numbers) * numbers.itemsize for table in tables for numbers in (table.starts, table.values)
    )
