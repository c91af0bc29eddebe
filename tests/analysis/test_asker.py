"""Who asks, and which texts mean whom."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from georouter.analysis.asker import Asker, asker_of, client_block, resolver_address


@pytest.mark.parametrize(
    ("given_", "block"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        (IPv6Address("2001:db8::1"), "2001:db8::1/128"),
        (IPv6Network("2001:db8::/56"), "2001:db8::/56"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_client_block(given_: str | IPv6Address | IPv6Network, block: str) -> None:
    """Addresses are blocks of one; IPv4 in IPv6 clothes is IPv4."""
    assert client_block(given_) == ip_network(block)


def test_a_resolver_that_nobody_names_is_where_the_client_is() -> None:
    """And that is said."""
    assert asker_of("192.0.2.0/24", None) == Asker(
        ip_network("192.0.2.0/24"), IPv4Address("192.0.2.0"), assumed=True
    )


def test_a_resolver_alone_sends_no_client_subnet() -> None:
    """Nothing is assumed."""
    assert asker_of(None, "2001:db8::53") == Asker(None, IPv6Address("2001:db8::53"))


def test_a_subnet_of_length_0_needs_a_resolver() -> None:
    """It is how a client asks for privacy, and says nothing about where anybody is."""
    assert asker_of("0.0.0.0/0", "192.0.2.53").subnet == ip_network("0.0.0.0/0")
    with pytest.raises(ValueError, match="is everybody"):
        asker_of("0.0.0.0/0", None)


@pytest.mark.parametrize(
    ("text", "expected"), [("192.0.2.53", "192.0.2.53"), ("::ffff:192.0.2.53", "192.0.2.53"), ("::1", "::1")]
)
def test_resolvers(text: str, expected: str) -> None:
    """IPv4 in IPv6 clothes is IPv4."""
    assert resolver_address(text) == ip_address(expected)


@pytest.mark.parametrize("text", ["", "192.0.2.0/24", "london", "1.2.3.4.5"])
def test_no_resolvers(text: str) -> None:
    """One address, nothing else."""
    with pytest.raises(ValueError, match="is not an address like"):
        resolver_address(text)
