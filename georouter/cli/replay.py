"""Reading a query log as a census: which client networks asked for which names, how often."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_interface
from pathlib import Path

import click

from georouter.analysis.measured import Queries, serving
from georouter.analysis.traffic import GONE, Served
from georouter.policy.model import Policy
from georouter.wire.names import parse_name
from georouter.words.ids import ServiceName

TOLD = 5
"""Lines that make no sense are counted; this many are shown."""


@dataclass(slots=True)
class Census:
    """Queries by how their names are served before and after a change. `foreign` ones: no service answers."""

    counts: dict[tuple[Served, Served | None], Counter[tuple[int, int]]] = field(default_factory=dict)
    queries: int = 0
    foreign: int = 0
    problems: list[str] = field(default_factory=list)
    bad: int = 0

    @property
    def steered(self) -> int:
        """Queries that a service answers."""
        return self.queries - self.foreign

    def of(self, service: ServiceName) -> Queries:
        """Those that the service answers before the change."""
        return {served: counts for served, counts in self.counts.items() if served[0].service == service}


def read_log(path: Path, before: Policy, after: Policy) -> Census:
    """Count a log with a query per line. Raises click's UsageError if it cannot be read or holds no query.

    A line is `CLIENT NAME [COUNT]`, separated by blanks or commas, or a JSON object with these keys in
    lower case. CLIENT is an address or a network. Empty lines and those that begin with `#` are skipped.
    """
    census, sides = Census(), (serving(before), serving(after))
    known: dict[str, tuple[Served | None, Served | None]] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, client, name, count in _queries(lines, census):
                try:
                    where = _address(client)
                    if name not in known:
                        wire = parse_name(name)
                        known[name] = (sides[0](wire), sides[1](wire))
                except ValueError as error:
                    _complain(census, number, str(error))
                    continue
                census.queries += count
                was, now = known[name]
                if was is None or was.kind == GONE:
                    census.foreign += count
                else:
                    census.counts.setdefault((was, now), Counter())[where] += count
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error
    if not census.counts:
        told = "; ".join(census.problems) or f"none of its {census.queries} queries is for a steered name"
        raise click.UsageError(f"{path} says nothing of this policy's services: {told}")
    return census


def _queries(lines: Iterable[str], census: Census) -> Iterator[tuple[int, str, str, int]]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            yield (number, *_fields(text))
        except (ValueError, TypeError, KeyError):
            _complain(census, number, 'expected CLIENT NAME [COUNT] or {"client": ..., "name": ...}')


def _fields(text: str) -> tuple[str, str, int]:
    if text.startswith("{"):
        entry = json.loads(text)
        count = entry.get("count", 1)
        client, name = entry["client"], entry["name"]
    else:
        client, name, *more = text.replace(",", " ").split()
        count = int(*more) if more else 1
    if not (isinstance(client, str) and isinstance(name, str) and isinstance(count, int)) or count < 1:
        raise ValueError
    return client, name, count


def _address(text: str) -> tuple[int, int]:
    """The first address of a client, as the map counts: IPv6 by its top 64 bits, mapped IPv4 as IPv4."""
    first = ip_interface(text).network.network_address
    if isinstance(first, IPv6Address):
        mapped = first.ipv4_mapped
        return (4, int(mapped)) if mapped is not None else (6, int(first) >> 64)
    return 4, int(first)


def _complain(census: Census, number: int, problem: str) -> None:
    census.bad += 1
    if len(census.problems) < TOLD:
        census.problems.append(f"line {number}: {problem}")
