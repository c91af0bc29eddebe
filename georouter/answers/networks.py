"""Sets of networks that a source address is looked up in: sorted bounds, one binary search.

Overlapping and touching networks are merged; what is left are bounds at which the set begins and ends
by turns, so that an address behind an odd number of them is inside.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import TypeVar

_Family = TypeVar("_Family", IPv4Network, IPv6Network)


@dataclass(frozen=True, slots=True)
class Networks:
    """`v4` and `v6` hold, ascending, the first address of each network and the first one after it."""

    v4: tuple[int, ...] = ()
    v6: tuple[int, ...] = ()

    def __contains__(self, address: tuple[int, int]) -> bool:
        """Whether (source, family) is inside, both as in `respond`."""
        source, family = address
        return bool(bisect_right(self.v4 if family == 4 else self.v6, source) & 1)

    def __bool__(self) -> bool:
        """Whether any address is inside."""
        return bool(self.v4 or self.v6)


NOBODY = Networks()


def of(networks: Iterable[IPv4Network | IPv6Network]) -> Networks:
    """The set of all addresses of `networks`, in whatever order and however they overlap."""
    every = tuple(networks)
    return Networks(
        _bounds(item for item in every if isinstance(item, IPv4Network)),
        _bounds(item for item in every if isinstance(item, IPv6Network)),
    )


def _bounds(networks: Iterable[_Family]) -> tuple[int, ...]:
    bounds: list[int] = []
    for network in collapse_addresses(networks):  # ascending, none inside another
        first, after = int(network.network_address), int(network.broadcast_address) + 1
        if bounds and bounds[-1] == first:
            bounds[-1] = after
        else:
            bounds += (first, after)
    return tuple(bounds)
