"""Sets of networks, against the plain meaning of being inside."""

import pickle
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.networks import NOBODY, Networks, of


def inside(networks: Networks, text: str) -> bool:
    """Whether an address is."""
    address = ip_address(text)
    return (int(address), address.version) in networks


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.0", True),
        ("127.255.255.255", True),
        ("126.255.255.255", False),
        ("128.0.0.0", False),
        ("0.0.0.0", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", False),
        ("::2", False),
        ("::127.0.0.1", False),
        ("2001:db8::", True),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db9::", False),
    ],
)
def test_first_and_last_addresses(address: str, expected: bool) -> None:
    """At both ends of networks and of the address space; families do not mix."""
    texts = ("127.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/32", "255.255.255.255/32")
    assert inside(of(map(ip_network, texts)), address) is expected


def test_nobody() -> None:
    """An empty set is false and holds no address."""
    assert of(()) == NOBODY
    assert not NOBODY
    assert not inside(of(()), "127.0.0.1")
    assert of([ip_network("::1")])


def test_everybody() -> None:
    """One range in each family."""
    every = of([ip_network("0.0.0.0/0"), ip_network("::/0")])
    assert every == Networks((0, 1 << 32), (0, 1 << 128))
    assert pickle.loads(pickle.dumps(every)) == every


def test_neighbours_merge() -> None:
    """Two that touch without making one prefix are one range all the same."""
    made = of(map(ip_network, ("10.0.1.0/24", "10.0.2.0/24", "10.0.1.7/32")))
    assert made.v4 == (0x0A000100, 0x0A000300)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 8)), max_size=6),
    st.integers(0, 255),
    st.booleans(),
)
def test_agrees_with_ipaddress(blocks: list[tuple[int, int]], last: int, ipv6: bool) -> None:
    """Any networks over the last octet, any address there."""
    base, width = (0x20010DB8 << 96, 128) if ipv6 else (0xC0000200, 32)
    networks = [
        ip_network(
            ((base | octet) >> spare << spare if ipv6 else base | octet >> spare << spare, width - spare)
        )
        for octet, spare in blocks
    ]
    address = ip_address(base | last)
    made = of(networks)
    assert ((int(address), address.version) in made) == any(address in network for network in networks)
