"""Source: transport addresses as `respond` takes them."""

from ipaddress import ip_address

import pytest

from georouter.server.source import source_of


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("192.0.2.1", 4, int(ip_address("192.0.2.1"))),
        ("::ffff:192.0.2.1", 4, int(ip_address("192.0.2.1"))),
        ("2001:db8:1:2:3::1", 6, 0x20010DB800010002),
        ("fe80::1%lo", 6, 0xFE80000000000000),
        ("::1", 6, 0),
    ],
)
def test_addresses(host: str, family: int, address: int) -> None:
    """IPv6 by its top half, mapped IPv4 as IPv4, scopes left out."""
    assert source_of(host) == (family, address)
