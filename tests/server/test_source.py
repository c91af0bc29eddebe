"""Source: transport addresses as `respond` takes them."""

from ipaddress import ip_address

import pytest

from georouter.server.source import source_of


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("192.0.2.1", 4, int(ip_address("192.0.2.1"))),
        ("::ffff:192.0.2.1", 4, int(ip_address("192.0.2.1"))),
        ("2001:db8:1:2:3::1", 6, int(ip_address("2001:db8:1:2:3::1"))),
        ("fe80::1%lo", 6, int(ip_address("fe80::1"))),
        ("::1", 6, 1),
    ],
)
def test_addresses(host: str, family: int, address: int) -> None:
    """Mapped IPv4 as IPv4, scopes left out."""
    assert source_of(host) == (family, address)
