"""Client: the block of addresses that a client subnet names."""

from ipaddress import ip_address

import pytest

from georouter.answers.client import NO_SUBNET, block_of
from georouter.wire.edns import ClientSubnet


def subnet(text: str) -> ClientSubnet:
    """`address/length` as an option holds it."""
    host, _, length = text.partition("/")
    address = ip_address(host)
    octets = (int(length) + 7) // 8
    return ClientSubnet(1 if address.version == 4 else 2, int(length), address.packed[:octets])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.0/24", (0xC0000200, 4, 24, 0)),
        ("192.0.2.1/32", (0xC0000201, 4, 32, 0)),
        ("128.0.0.0/1", (0x80000000, 4, 1, 0)),
        ("2001:db8::/32", (0x20010DB800000000, 6, 32, 0)),
        ("2001:db8:1:2::/64", (0x20010DB800010002, 6, 64, 0)),
        ("2001:db8:1:2:3::/80", (0x20010DB800010002, 6, 64, 0)),
        ("2001:db8::1/128", (0x20010DB800000000, 6, 64, 0)),
        ("8000::/1", (0x8000000000000000, 6, 1, 0)),
        ("::ffff:192.0.2.0/120", (0xC0000200, 4, 24, 96)),
        ("::ffff:192.0.2.1/128", (0xC0000201, 4, 32, 96)),
        ("::ffff:128.0.0.0/97", (0x80000000, 4, 1, 96)),
    ],
)
def test_blocks(text: str, expected: tuple[int, int, int, int]) -> None:
    """First address, family, length and what a scope counts from."""
    assert block_of(subnet(text)) == expected


@pytest.mark.parametrize(
    ("option", "scope_from"),
    [
        (ClientSubnet(0, 0, b""), 0),
        (ClientSubnet(1, 0, b""), 0),
        (ClientSubnet(2, 0, b""), 0),
        (subnet("::ffff:0:0/96"), 96),
    ],
)
def test_options_without_an_address(option: ClientSubnet, scope_from: int) -> None:
    """The transport's source decides; all of IPv4 in IPv6 clothes is still only that."""
    block = block_of(option)
    assert (block[2], block[3]) == (NO_SUBNET, scope_from)
