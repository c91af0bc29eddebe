"""Special networks: the list, and how a map is cut along it."""

from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from georouter.geo.special import SPECIAL, mark

EMPTY = np.zeros(1, np.uint64), np.zeros(1, np.uint32)


def special(text: str, starts: list[int], rows: list[int]) -> bool:
    """Whether the range round an address is marked."""
    address = ip_address(text)
    dtype = np.uint32 if address.version == 4 else np.uint64
    cut, _, marked = mark(np.array(starts, dtype), np.array(rows, np.uint32), address.version)
    number = np.uint64(int(address) >> (0 if address.version == 4 else 64))
    return bool(marked[np.searchsorted(cut, number, side="right") - 1])


@pytest.mark.parametrize("network", SPECIAL, ids=str)
def test_every_network_and_nothing_beside_it(network: object) -> None:
    """First and last address are inside; nothing of it is global by the standard library's list
    (which knows fewer IPv6 networks).
    """
    block = ip_network(str(network))
    assert special(str(block.network_address), [0], [0])
    assert special(str(block.broadcast_address), [0], [0])
    if block.version == 4:
        assert not block.network_address.is_global or block.network_address.is_multicast
    for beside in (int(block.network_address) - 1, int(block.broadcast_address) + 1):
        if 0 < beside < 2**block.max_prefixlen:
            address = type(block.network_address)(beside)
            assert special(str(address), [0], [0]) == any(address in item for item in SPECIAL)


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "100.128.0.0", "172.32.0.0", "223.255.255.255", "2a00::", "2001:db9::"]
)
def test_global_addresses(text: str) -> None:
    """Unplaced is not enough."""
    assert not special(text, [0], [0])


def test_places_win() -> None:
    """What somebody placed stays: here 10.0.0.0/9, of which 10.1.0.0/16 is unplaced again."""
    starts = [0, 10 << 24, (10 << 24) + (1 << 16), (10 << 24) + (2 << 16), (10 << 24) + (128 << 16)]
    rows = [0, 4, 0, 4, 0]
    for text, expected in (
        ("10.0.0.1", False),
        ("10.1.0.1", True),
        ("10.2.0.1", False),
        ("10.128.0.1", True),
    ):
        assert special(text, starts, rows) is expected


def test_ranges_keep_their_rows() -> None:
    """Cutting changes no address's row."""
    starts = np.array([0, 5 << 24, 127 << 24, 200 << 24], np.uint32)
    cut, rows, _ = mark(starts, np.array([0, 7, 8, 9], np.uint32), 4)
    assert (np.diff(cut.astype(np.int64)) > 0).all()
    assert cut.max() < 2**32
    for start, row in zip(cut.tolist(), rows.tolist(), strict=True):
        assert row == [0, 7, 8, 9][int(np.searchsorted(starts, start, side="right")) - 1]
