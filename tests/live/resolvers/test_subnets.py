"""Resolvers that tell their clients' networks: their caches hold one entry per scope of ours."""

import random
from ipaddress import IPv4Network, IPv6Network, ip_network

import dns.rdata
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, ASHBURN, EU_WEST, LONDON, SINGAPORE
from tests.live.resolvers.running import Resolver

pytestmark = pytest.mark.live
NAME = "www.example.com"
SENT = {4: 24, 6: 56}
"""The longest prefixes that resolvers send by themselves (RFC 7871 11.1)."""
ALLOCATED6 = ("2001:200::/23", "2400::/12", "2600::/12", "2800::/12", "2a00::/12", "2c00::/12")
Network = IPv4Network | IPv6Network


def within(network: Network, prefix: int) -> Network:
    """The network of that length around the first address of `network`."""
    return ip_network((int(network.network_address), prefix), strict=False)


def clients(daemon: Daemon, chance: random.Random) -> dict[Network, tuple[Network, tuple[str, ...]]]:
    """Networks all over the Internet, several in a scope: what they are answered directly, and the scope."""
    found: dict[Network, tuple[Network, tuple[str, ...]]] = {}
    while len(found) < 200:
        if chance.random() < 0.7:
            first: Network = IPv4Network((chance.randrange(1 << 24, 224 << 24) & ~255, SENT[4]))
        else:
            outer = IPv6Network(chance.choice(ALLOCATED6))
            start = int(outer[0]) + chance.randrange(outer.num_addresses)
            first = within(IPv6Network((start, 128)), SENT[6])
        if not first.is_global:
            continue
        reply = daemon.ask(NAME, client=str(first))
        assert reply.scope is not None
        scope = within(first, min(reply.scope, SENT[first.version]))
        for place in (
            first,
            scope,
            IPv4Network(int(scope[-1])) if first.version == 4 else IPv6Network(int(scope[-1])),
        ):
            found[within(place, SENT[first.version])] = (scope, reply.addresses)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_one_query_per_scope(daemons: Daemon, passing: Resolver, seed: int) -> None:
    """In whatever order clients come, each gets its own answer, and we are asked once per scope."""
    chance = random.Random(seed)
    name = f"wide{seed}.example.com"
    expected = clients(daemons, chance)
    order = [*expected, *expected]
    chance.shuffle(order)
    before = daemons.metric("georouter_dns_requests_total")
    wrong = [
        client for client in order if passing.ask(name, client=str(client)).addresses != expected[client][1]
    ]
    assert wrong == []
    scopes = {scope for scope, _ in expected.values()}
    assert len(scopes) < len(expected) / 2
    assert daemons.metric("georouter_dns_requests_total") - before == len(scopes)


def test_static_names_are_the_same_for_everybody(daemons: Daemon, passing: Resolver) -> None:
    """Scope 0 is one cache entry for the whole Internet, of denials too."""
    for name in ("scopeless.star.example.com", "flat-out.example.com", "scopeless.example.com"):
        first = passing.ask(name, client=LONDON)
        before = daemons.metric("georouter_dns_requests_total")
        again = passing.ask(name, client=SINGAPORE)
        assert (again.rcode, again.addresses) == (first.rcode, first.addresses)
        assert daemons.metric("georouter_dns_requests_total") == before


def test_a_client_without_a_subnet_spoils_nobodys_answer(passing: Resolver) -> None:
    """RFC 7871 7.1.2 and 7.3.1: who hides gets the answer for the resolver, and nobody else gets it."""
    for number in range(2):
        name = f"private{number}.app.example.com"
        assert passing.ask(name, client="0.0.0.0/0").addresses == (EU_WEST,)
        assert passing.ask(name, client=SINGAPORE).addresses == (AP_SOUTH,)
        assert passing.ask(name, client=LONDON).addresses == (EU_WEST,)
        assert passing.ask(name, client="0.0.0.0/0").addresses == (EU_WEST,)


def test_through_aliases(passing: Resolver) -> None:
    """The alias is everybody's, what it leads to is not."""
    names = ("alias.example.com", "chain.example.com", "up.inner.example.com", "back.far.example.com")
    for name in (*names, "flat.example.com", "any.flat.example.com"):
        for client, address in ((LONDON, EU_WEST), (SINGAPORE, AP_SOUTH), (LONDON, EU_WEST)):
            assert passing.ask(name, client=client).addresses == (address,)


def test_hints_agree_with_addresses(daemons: Daemon, passing: Resolver) -> None:
    """A, AAAA and HTTPS of a name send each client to the same region."""
    name = "hints.secure.example.com"
    for client, number in ((LONDON, 20), (SINGAPORE, 30), (ASHBURN, 10), (LONDON, 20)):
        assert passing.ask(name, client=client).addresses == (f"192.0.2.{number}",)
        assert passing.ask(name, "AAAA", client=client).addresses == (f"2001:db8::{number}",)
        (found,) = passing.ask(name, "HTTPS", client=client).message.answer
        hints = f"ipv4hint=192.0.2.{number} ipv6hint=2001:db8::{number}"
        assert dns.rdata.from_text("IN", "HTTPS", f'1 . alpn="h2,h3" {hints}') in found
    before = daemons.metric("georouter_dns_requests_total")
    for client in (LONDON, SINGAPORE, ASHBURN):
        passing.ask(name, "HTTPS", client=client)
    assert daemons.metric("georouter_dns_requests_total") == before
