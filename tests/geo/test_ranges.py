from ipaddress import ip_network

import numpy as np
import pytest

from georouter.geo.ranges import bounds, merge, values_at


def test_merge_joins_equal_neighbours_only() -> None:
    """Equal values apart from each other stay apart."""
    starts, values = merge(np.array([0, 5, 9, 12], np.uint32), np.array([1, 1, 2, 1], np.uint32))
    assert starts.tolist() == [0, 9, 12]
    assert values.tolist() == [1, 2, 1]


def test_values_at() -> None:
    """A range goes up to the next start."""
    found = values_at(
        np.array([0, 5], np.uint64), np.array([7, 8], np.uint32), np.array([0, 4, 5, 2**64 - 1], np.uint64)
    )
    assert found.tolist() == [7, 7, 8, 8]


def test_bounds() -> None:
    """IPv6 counts in /64s; deeper networks do not exist for the map."""
    assert bounds(ip_network("10.0.0.0/8")) == (10 << 24, 11 << 24)
    assert bounds(ip_network("::/0")) == (0, 1 << 64)
    assert bounds(ip_network("2001:db8::/64")) == (0x20010DB800000000, 0x20010DB800000001)
    with pytest.raises(ValueError, match="longer than /64"):
        bounds(ip_network("2001:db8::/65"))
