"""Addresses that say nothing about where somebody is: private, local and reserved networks.

They are those of the IANA special-purpose registries (RFC 6890) that are not globally reachable, with
multicast and the reserved blocks. A resolver that sends one as a client subnet stands before clients
that only it can place.
"""

from collections.abc import Mapping
from ipaddress import ip_network

import numpy as np
from numpy.typing import NDArray

from georouter.geo.map import UNPLACED, Network
from georouter.geo.ranges import bounds, with_points

SPECIAL: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 791 3.2)
        "10.0.0.0/8",  # private use (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122 3.2.1.3)
        "169.254.0.0/16",  # link-local (RFC 3927)
        "172.16.0.0/12",  # private use (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890 2.1)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.168.0.0/16",  # private use (RFC 1918)
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/3",  # multicast (RFC 5771) and reserved (RFC 1112 4)
        "::/64",  # unspecified, loopback (RFC 4291 2.5)
        "64:ff9b:1::/48",  # local translation (RFC 8215)
        "100::/64",  # discard-only (RFC 6666)
        "2001:2::/48",  # benchmarking (RFC 5180)
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fc00::/7",  # unique local (RFC 4193)
        "fe80::/10",  # link-local (RFC 4291 2.5.6)
        "ff00::/8",  # multicast (RFC 4291 2.7)
    )
)
"""IPv6 networks that are no longer than /64, which is as deep as the map goes."""

_EDGES: Mapping[int, NDArray[np.uint64]] = {
    version: np.array(
        [(low, high - 1) for low, high in (bounds(item) for item in SPECIAL if item.version == version)],
        np.uint64,
    )
    for version in (4, 6)
}
"""Per family, the first and the last address of each network, in order."""
_LAST: Mapping[int, np.uint64] = {4: np.uint64(2**32 - 1), 6: np.uint64(2**64 - 1)}


def mark(
    starts: NDArray[np.unsignedinteger], rows: NDArray[np.uint32], version: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.bool_]]:
    """The ranges cut at the edges of `SPECIAL`: starts, rows of places, and which ones are special.

    A range that has a place (the operator or the database says where it is) is not special.
    """
    first, last = _EDGES[version].T
    points = np.unique(np.concatenate([first, last[last < _LAST[version]] + np.uint64(1)]))
    cut, origin = with_points(starts.astype(np.uint64), points)
    place = rows[origin]
    special = np.zeros(len(cut), np.bool_)
    begins, ends = np.searchsorted(cut, first), np.searchsorted(cut, last, side="right")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        special[begin:end] = place[begin:end] == UNPLACED
    return cut, place, special
