"""Client subnets and scopes of whole answers, rule by rule (docs/dns.md has the list)."""

from dataclasses import replace
from ipaddress import ip_network

import dns.edns
import dns.message
import dns.rcode
import pytest

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.geo.map import GeoMap
from georouter.geo.overlay import NetworkOverride, overlay
from georouter.policy.interest import networks
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Failover, Geo, GeoRule, Match, Nearest, Residency, Weighted
from georouter.words.ids import RegionName
from tests.compiler.build import (
    ASHBURN,
    BERLIN,
    SINGAPORE,
    Asker,
    answers,
    client,
    policy,
    region,
    service,
    tiny_map,
    world,
    zone,
)
from tests.routing.scenes import names

ZONE = zone(
    "example.com",
    [
        ("alias", "CNAME", "www"),
        ("far", "CNAME", "alias"),
        ("still", "CNAME", "mail"),
        ("gone", "CNAME", "nothing"),
        ("mail", "A", "192.0.2.60"),
        ("*.any", "CNAME", "www"),
    ],
    {"www": "web", "*.app": "web"},
)
SUBNETS = (
    f"{client(BERLIN)}/24",
    f"{client(ASHBURN)}/24",
    f"{client(SINGAPORE)}/8",
    "8.8.8.0/24",
    "192.168.1.0/24",
    "2100::/48",
    "2a00::/48",
    "fd00::/56",
)
ORDER = Failover(tuple(names(name) for name in ("eu", "us", "eu2", "ap")))


def bounded() -> GeoMap:
    """The tiny map with nobody beyond 60.0.0.0, where the private networks are."""
    return tiny_map([number * 10 << 24 for number in range(7)], [*range(6), 0])


def asker(web: Service, geo: GeoMap | None = None) -> Asker:
    """Asks the published policy of one service."""
    rules = policy([ZONE], [web])
    return Asker(publish(plan(rules, geo or tiny_map(), world()), world(), 1).snapshot)


def scope(response: dns.message.Message) -> int:
    """The scope of the client subnet."""
    (found,) = (item.scopelen for item in response.options if isinstance(item, dns.edns.ECSOption))
    return int(found)


def scopes(asked: Asker, name: str = "www.example.com.", kind: str = "A") -> list[int]:
    """Those for all `SUBNETS`."""
    return [scope(asked.ask(name, kind, subnet=subnet)) for subnet in SUBNETS]


def test_scope_0_where_everybody_is_answered_alike() -> None:
    """An order that no client changes: a cache needs one answer, for private networks, too."""
    asked = asker(service("web", chain=[ORDER]))
    assert scopes(asked) == [0] * len(SUBNETS)
    given = {tuple(answers(asked.ask("www.example.com.", subnet=subnet))) for subnet in SUBNETS}
    assert given == {("www.example.com. A 192.0.2.1",)}


def test_scope_0_is_for_nobody_else() -> None:
    """Not where clients share regions, where a family has its own answer, or behind a fence, though one
    range may hold all of IPv4.
    """
    everywhere = overlay(tiny_map(), overrides=[NetworkOverride(ip_network("0.0.0.0/0"), country="DE")])
    everybody = Residency(Match(), names("eu", "us"))
    only6 = Geo((GeoRule(Match(networks=(ip_network("2a00::/16"),)), (names("us"),)),))
    for chain in (
        [],
        [Weighted({RegionName("eu"): 3.0})],
        [Failover((names("eu", "us"),))],
        [ORDER, everybody],
        [only6, ORDER],
        [Nearest()],
    ):
        web = service("web", chain=chain)
        rules = policy([ZONE], [web])
        for geo in (tiny_map(), everywhere):
            assert 0 not in scopes(asker(web, overlay(geo, networks=networks(rules)))), chain


@pytest.mark.parametrize("name", ["alias", "far", "x.any", "x.y.app"])
def test_chains_have_the_scope_of_the_steered_set_in_them(name: str) -> None:
    """However long, and through wildcards; the answer behind them is that of the name itself."""
    asked = asker(service("web", chain=[Nearest()]))
    assert scopes(asked, f"{name}.example.com.") == scopes(asked)
    for subnet in SUBNETS:
        direct = answers(asked.ask("www.example.com.", subnet=subnet))[-1].split()[1:]
        assert answers(asked.ask(f"{name}.example.com.", subnet=subnet))[-1].split()[1:] == direct


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("nothing", "A", dns.rcode.NXDOMAIN),
        ("gone", "A", dns.rcode.NXDOMAIN),
        ("www", "TXT", dns.rcode.NOERROR),
        ("alias", "MX", dns.rcode.NOERROR),
        ("mail", "AAAA", dns.rcode.NOERROR),
        ("still", "A", dns.rcode.NOERROR),
        ("still", "AAAA", dns.rcode.NOERROR),
    ],
)
def test_what_no_client_changes_has_scope_0(name: str, kind: str, rcode: dns.rcode.Rcode) -> None:
    """Missing names, missing types, static sets; alone and at the end of chains (RFC 7871 7.4)."""
    asked = asker(service("web", chain=[Nearest()]))
    assert scopes(asked, f"{name}.example.com.", kind) == [0] * len(SUBNETS)
    replies = [asked.ask(f"{name}.example.com.", kind, subnet=subnet) for subnet in SUBNETS]
    assert {reply.rcode() for reply in replies} == {rcode}
    assert len({(tuple(answers(reply)), str(reply.authority)) for reply in replies}) == 1


def test_a_family_is_there_for_all_clients_or_for_none() -> None:
    """Resolvers may keep a denial for everybody (RFC 7871 7.4): the region without IPv6 is passed over."""
    regions = (
        region("eu", "192.0.2.1"),
        region("us", "192.0.2.3", "2001:db8::3"),
        region("ap", "192.0.2.4"),
    )
    for chain in ([Nearest()], [], [Failover((names("eu"), names("ap")))]):
        web = service("web", ["eu", "us", "ap"], chain)
        rules = policy([ZONE], [web], regions)
        asked = Asker(publish(plan(rules, tiny_map(), world()), world(), 1).snapshot)
        for name in ("www", "alias"):
            given = {
                answers(asked.ask(f"{name}.example.com.", "AAAA", subnet=subnet))[-1].split()[-1]
                for subnet in SUBNETS
            }
            assert given == {"2001:db8::3"}


def test_one_steered_set_in_an_answer() -> None:
    """A region's hostname that is steered itself is left to the resolver, so no answer has two scopes."""
    inner = service("inner", ["eu", "us"], [Nearest()])
    web = service("web", ["ap"], [Nearest()])
    regions = (region("eu", "192.0.2.1"), region("us", "192.0.2.3"), region("ap", "in.example.com"))
    names_of = zone("example.com", [("alias", "CNAME", "www")], {"www": "web", "in": "inner"})
    rules = policy([names_of], [web, inner], regions)
    asked = Asker(publish(plan(rules, tiny_map(), world()), world(), 1).snapshot)
    for subnet in SUBNETS:
        for name in ("www", "alias"):
            assert answers(asked.ask(f"{name}.example.com.", subnet=subnet))[-1] == (
                "www.example.com. CNAME in.example.com."
            )
        assert answers(asked.ask("in.example.com.", subnet=subnet))[0].startswith("in.example.com. A")


PLACED = [NetworkOverride(ip_network("192.168.0.0/17"), country="SG")]
"""The operator's own: the lower half of a private network."""


@pytest.mark.parametrize(
    ("subnet", "source", "region_address", "expected"),
    [
        ("192.168.1.0/24", client(BERLIN), "192.0.2.4", 17),
        ("192.168.0.0/16", client(BERLIN), "192.0.2.4", 17),
        ("192.168.200.0/24", client(BERLIN), "192.0.2.1", 24),
        ("192.168.200.1/32", client(ASHBURN), "192.0.2.3", 32),
        ("2001:db8::/48", client(ASHBURN), "192.0.2.3", 48),
        ("2001:db8::/56", "2100::53", "192.0.2.1", 56),
    ],
)
def test_the_operators_networks_go_before_private_ones(
    subnet: str, source: str, region_address: str, expected: int
) -> None:
    """Placed by the policy: answered for that place with its scope. Private and placed by nobody: for the
    resolver's place, with SCOPE = SOURCE.
    """
    asked = asker(service("web", chain=[Nearest()]), overlay(bounded(), overrides=PLACED))
    response = asked.ask("www.example.com.", subnet=subnet, source=source)
    assert answers(response) == [f"www.example.com. A {region_address}"]
    assert scope(response) == expected


def test_rules_about_private_networks_place_them_too() -> None:
    """A `networks` match is the operator's word: such clients are judged by their subnet."""
    office = ip_network("192.168.7.0/24")
    chain = [Geo((GeoRule(Match(networks=(office,)), (names("ap"),)),)), Nearest()]
    web = service("web", chain=chain)
    rules: Policy = policy([ZONE], [web])
    asked = asker(web, overlay(bounded(), networks=networks(rules)))
    response = asked.ask("www.example.com.", subnet="192.168.7.128/25", source=client(BERLIN))
    assert answers(response) == ["www.example.com. A 192.0.2.4"]
    assert scope(response) == 24
    response = asked.ask("www.example.com.", subnet="192.168.8.0/24", source=client(BERLIN))
    assert answers(response) == ["www.example.com. A 192.0.2.1"]
    assert scope(response) == 24


def test_services_that_take_no_client_subnets() -> None:
    """Scope 0, whatever is sent, and the resolver's answer."""
    asked = asker(replace(service("web", chain=[Nearest()]), ecs=False))
    assert scopes(asked) == [0] * len(SUBNETS)
