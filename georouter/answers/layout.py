"""Where each counter lives: flat integer arrays, one writer each, read by `telemetry` at scrape.

A worker owns one list of `Layout.size` ints and adds to it; nobody locks. The first part counts
requests, the second responses, the third routing decisions, the fourth tenants' queries:

    requests:  ((zone * PROTOS + proto) * FAMILIES + family) * TYPES + type slot
    responses: responses_base + zone * RCODES + rcode
    decisions: View.counter_base + Runs.tally  (region * REASONS + reason)
    tenants:   Pin.counter: queries for names of tenants, then for labels that are not in the directory

Zone index `len(zones)` stands for "no zone of ours". What is kept from one layout to the next ends at
`Layout.size`; behind it lies the census: for services whose clients are planned for, how many asked from
where, by `SLOTS` hashed rankings each. It is only ever read as differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Proto(IntEnum):
    """Transport of a query."""

    UDP = 0
    TCP = 1


class Reason(IntEnum):
    """Why a region was answered."""

    PRIMARY = 0
    FAILOVER = 1
    ALL_DOWN = 2
    FALLBACK = 3
    FORCED = 4
    REFUSED = 5
    """A residency fence left no region; counted per service under no region."""
    CAPACITY = 6
    """The first choice is full; the capacity plan sends this part elsewhere."""
    HELD = 7
    """The region is down, and the `failover` step may not leave it yet."""


TYPE_SLOTS: tuple[tuple[int, str], ...] = (
    (1, "A"),
    (28, "AAAA"),
    (65, "HTTPS"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (15, "MX"),
    (16, "TXT"),
    (33, "SRV"),
    (257, "CAA"),
    (255, "ANY"),
)
"""Query types with a counter of their own; the slot after the last is "other"."""

TYPES = len(TYPE_SLOTS) + 1
PROTOS = len(Proto)
FAMILIES = 2
"""0 is IPv4, 1 is IPv6: of the transport, not of the client subnet."""
RCODES = 18
"""RCODE 0..15, 16 (BADVERS), and one for 23 (BADCOOKIE)."""
REASONS = len(Reason)
SLOTS = 1024
"""Rankings are counted by a hash of this size; those that share a slot are told apart by address space."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service's decision counters: `base + region index * REASONS + reason`.

    One extra region index, `len(regions)`, counts answers that name no region.
    """

    name: str
    regions: tuple[str, ...]
    base: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Names for the flat counters. Two snapshots with equal layouts share their counters."""

    zones: tuple[str, ...]
    services: tuple[Service, ...]
    responses_base: int
    size: int
    census: tuple[str, ...] = ()
    """Services with a census, in the order of their slots."""

    pinned: tuple[str, ...] = ()
    """Services that pin tenants; they have the last counters before the census, two each."""

    @property
    def extent(self) -> int:
        """How many ints a writer's list holds."""
        return self.size + len(self.census) * SLOTS

    def census_base(self, service: str) -> int:
        """Where the slots of a service begin, -1 for one without a census."""
        return self.size + self.census.index(service) * SLOTS if service in self.census else -1

    def tenants_of(self, service: str) -> int:
        """The counter of queries for a service's tenants; the next one is for unknown labels."""
        return self.size - 2 * (len(self.pinned) - self.pinned.index(service))


def lay_out(
    zones: Sequence[str],
    services: Sequence[tuple[str, Sequence[str]]],
    census: Sequence[str] = (),
    pinned: Sequence[str] = (),
) -> Layout:
    """Assign places to all counters of these zones, (service, its regions) pairs, and pinning services."""
    slots = len(zones) + 1
    responses_base = slots * PROTOS * FAMILIES * TYPES
    base = responses_base + slots * RCODES
    placed: list[Service] = []
    for name, regions in services:
        placed.append(Service(name, tuple(regions), base))
        base += (len(regions) + 1) * REASONS
    size = base + 2 * len(pinned)
    return Layout(tuple(zones), tuple(placed), responses_base, size, tuple(census), tuple(pinned))
