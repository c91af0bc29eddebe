"""Arrays of ranges: ascending first addresses and a value each."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from georouter.geo.map import Network

Start = TypeVar("Start", np.uint32, np.uint64)
Value = TypeVar("Value", np.uint32, np.int32, np.int64)


def merge(starts: NDArray[Start], values: NDArray[Value]) -> tuple[NDArray[Start], NDArray[Value]]:
    """The same ranges with equal neighbours made one."""
    keep = np.ones(len(starts), np.bool_)
    np.not_equal(values[1:], values[:-1], out=keep[1:])
    return starts[keep], values[keep]


def values_at(starts: NDArray[Start], values: NDArray[Value], points: NDArray[Start]) -> NDArray[Value]:
    """The value of the range that each of `points` lies in."""
    return values[np.searchsorted(starts, points, side="right") - 1]


def bounds(network: Network) -> tuple[int, int]:
    """First address of `network` and the one behind its last, IPv6 in units of /64.

    ValueError for an IPv6 network longer than /64: the map does not look that deep.
    """
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 6:
        if network.prefixlen > 64:
            raise ValueError(f"{network} is longer than /64, which is as deep as the map goes")
        first, last = first >> 64, last >> 64
    return first, last + 1


def with_points(
    starts: NDArray[np.uint64], points: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """`starts` with the ascending distinct `points` among them, and which old range each new one lay in.

    (`np.union1d` hashes and sorts everything: seconds for a map's millions of starts.)
    """
    at = np.searchsorted(starts, points)
    fresh = starts[np.minimum(at, len(starts) - 1)] != points
    at = at[fresh]
    return np.insert(starts, at, points[fresh]), np.insert(np.arange(len(starts)), at, at - 1)
