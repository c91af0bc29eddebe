"""Explanations: what they say, and that they agree with the answer's bytes."""

import dataclasses
import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.analysis.asker import By
from georouter.analysis.explain import explain
from georouter.analysis.explanation import Explanation
from georouter.analysis.find import Kind
from georouter.answers.layout import Reason
from georouter.compiler.plan import plan
from georouter.facts.world import World
from georouter.geo.map import GeoMap, MapInfo
from georouter.geo.map import Kind as MatchKind
from georouter.policy.model import Endpoint, Location, Policy, Region, Server, Service
from georouter.policy.steps import Failover, Match, Nearest, Residency, Unplaced, Weighted, WithoutEcs
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import (
    ASHBURN,
    BERLIN,
    binding,
    client,
    policy,
    region,
    service,
    tiny_map,
    with_records,
    world,
    zone,
)
from tests.routing.chains import services, sites, spots, worlds
from tests.routing.scenes import Spot, names, places_of

FENCE = Residency(Match(countries=("DE", "FR")), frozenset(names("eu", "eu2")))
ZONE = zone(
    "example.com",
    [
        ("mail", "A", "192.0.2.60"),
        ("alias", "CNAME", "www"),
        ("sub", "NS", "ns.elsewhere.net."),
        ("a.deep", "TXT", "x"),
    ],
    {"www": "web", "*.app": "web"},
)
POLICY = policy([ZONE], [service("web", chain=[FENCE, Nearest()])])


def explained(name: str, who: str, qtype: str = "A", beliefs: World | None = None) -> Explanation:
    """An explanation on the tiny map."""
    return explain(POLICY, tiny_map(), beliefs or world(), name, who, qtype=qtype, now=1000.0)


def test_explains_a_steered_name_from_place_to_records() -> None:
    """Zone, service, place, every step, the shares, the record and the scope."""
    told = explained("WWW.example.com.", client(BERLIN))
    assert (told.question.name, told.question.client) == ("WWW.example.com", IPv4Network("10.0.0.0/32"))
    assert (told.found.kind, told.found.zone, told.found.owner, told.found.service) == (
        Kind.SERVICE,
        "example.com",
        "www.example.com",
        "web",
    )
    assert told.locality is not None
    assert (told.locality.country_name, told.locality.database) == ("Germany", "tiny")
    assert told.steering is not None
    assert [trace.step for trace in told.steering.steps] == ["residency", "nearest"]
    assert told.steering.tiers == (("eu",), ("eu2",))
    assert told.steering.dropped == ("us", "ap")
    assert [(one.regions, one.share, one.chosen) for one in told.steering.candidates] == [
        (("eu",), 1.0, True)
    ]
    assert told.decided is not None
    assert (told.decided.service, told.decided.region, told.decided.reason) == ("web", "eu", Reason.PRIMARY)
    assert [(record.type, record.ttl_s, record.data) for record in told.answer.records] == [
        ("A", 30, "192.0.2.1")
    ]
    assert told.answer.scope is not None
    assert IPv4Address("10.0.0.0") in told.answer.scope
    assert "AA" in told.answer.flags


def test_explains_https() -> None:
    """The record as it is answered, and the choice that A and AAAA are answered from."""
    web = dataclasses.replace(POLICY.services[ServiceName("web")], https=(binding("1 . alpn=h2"),))
    rules = dataclasses.replace(POLICY, services={web.name: web})
    told = explain(rules, tiny_map(), world(), "x.app.example.com", client(BERLIN), qtype="HTTPS", now=1000.0)
    assert [(record.type, record.ttl_s, record.data) for record in told.answer.records] == [
        ("HTTPS", 30, '1 . alpn="h2" ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"')
    ]
    assert told.steering is not None
    assert [(one.regions, one.chosen) for one in told.steering.candidates] == [(("eu",), True)]
    assert told.decided is not None
    assert told.decided.region == "eu"
    assert explained("www.example.com", client(BERLIN), "HTTPS").found.kind is Kind.NO_DATA


def test_https_is_explained_by_the_family_that_there_is() -> None:
    """The region counted is that of A, or else that of AAAA, and the candidates shown are those."""
    parts = (region("eu", "2001:db8::1"), region("us", "192.0.2.3"))
    web = with_records(service("web", ("eu", "us"), [Nearest()]), binding("1 ."))
    rules = policy([zone("example.com", (), {"www": "web"})], [web], parts)
    for down, chosen in (((), "us"), (("us",), "eu")):
        told = explain(
            rules, tiny_map(), world(down=down), "www.example.com", client(BERLIN), qtype="HTTPS", now=1.0
        )
        assert told.decided is not None
        assert told.decided.region == chosen
        assert told.steering is not None
        assert [(one.regions, one.chosen) for one in told.steering.candidates] == [((chosen,), True)]


def test_explains_a_failover() -> None:
    """The nearest region is down: the reason says so, in the decision and in the counter."""
    told = explained("www.example.com", client(BERLIN), beliefs=world(down=["eu"]))
    assert told.steering is not None
    assert told.decided is not None
    assert told.steering.reason is told.decided.reason is Reason.FAILOVER
    assert told.decided.region == "eu2"
    states = {view.name: view.effective for view in told.steering.regions}
    assert states == {"eu": "down", "eu2": "up", "us": "up", "ap": "up"}


@pytest.mark.parametrize(
    ("name", "qtype", "kind", "owner", "rcode"),
    [
        ("x.app.example.com", "AAAA", Kind.SERVICE, "*.app.example.com", "NOERROR"),
        ("alias.example.com", "A", Kind.SERVICE, "alias.example.com", "NOERROR"),
        ("mail.example.com", "A", Kind.RECORDS, "mail.example.com", "NOERROR"),
        ("mail.example.com", "MX", Kind.NO_DATA, "mail.example.com", "NOERROR"),
        ("www.example.com", "TXT", Kind.NO_DATA, "www.example.com", "NOERROR"),
        ("deep.example.com", "A", Kind.NO_DATA, "deep.example.com", "NOERROR"),
        ("nobody.example.com", "A", Kind.NO_NAME, None, "NXDOMAIN"),
        ("x.sub.example.com", "A", Kind.REFERRAL, "sub.example.com", "NOERROR"),
        ("sub.example.com", "A", Kind.REFERRAL, "sub.example.com", "NOERROR"),
        ("example.org", "A", Kind.OUTSIDE, None, "REFUSED"),
    ],
)
def test_explains_every_kind_of_name(
    name: str, qtype: str, kind: Kind, owner: str | None, rcode: str
) -> None:
    """Wildcards, aliases, static records, absences, delegations, other people's names."""
    told = explained(name, client(ASHBURN), qtype)
    assert (told.found.kind, told.found.owner, told.answer.rcode) == (kind, owner, rcode)
    assert (told.steering is not None) == (kind is Kind.SERVICE)
    assert (told.decided is not None) == (kind is Kind.SERVICE)


def test_a_block_across_fences_gets_what_all_of_them_allow() -> None:
    """10.0.0.0/7 begins in Ashburn and ends in Berlin: nothing outside Berlin's fence may be answered."""
    split = tiny_map([0, 10 << 24, 11 << 24], [0, ASHBURN, BERLIN])
    told = explain(POLICY, split, world(), "www.example.com", "10.0.0.0/7", now=1.0)
    assert told.steering is not None
    assert told.steering.steps[-1].step == "client block"
    assert told.steering.steps[-1].dropped == ("us", "ap")
    assert told.steering.tiers == (("eu2",), ("eu",))
    assert told.decided is not None
    assert told.decided.region == "eu2"
    inside = explain(POLICY, split, world(), "www.example.com", "10.0.0.0/8", now=1.0)
    assert inside.decided is not None
    assert inside.decided.region == "us"


def test_private_clients_and_services_without_ecs() -> None:
    """Decided as for a resolver at that address; the answer's scope says for whom else it is."""
    told = explained("www.example.com", "0.1.2.0/24")
    assert told.answer.scope == IPv4Network("0.1.2.0/24")
    assert told.decided is not None
    plain = policy([ZONE], [dataclasses.replace(service("web", chain=[FENCE, Nearest()]), ecs=False)])
    told = explain(plain, tiny_map(), world(), "www.example.com", client(BERLIN), now=1000.0)
    assert told.answer.scope == IPv4Network("0.0.0.0/0")
    assert told.decided is not None
    assert told.decided.region == "eu"
    assert told.steering is not None
    assert told.steering.tiers[0] == ("eu",)


def test_a_fence_for_queries_without_client_subnet_is_explained() -> None:
    """Private client subnets count as none."""
    fence = dataclasses.replace(FENCE, unplaced=Unplaced.ALLOW, without_ecs=WithoutEcs.RESTRICT)
    strict = policy([ZONE], [service("web", chain=[fence, Nearest()])])
    for who, fenced in (("0.1.2.0/24", True), ("1.1.2.0/24", False)):
        told = explain(strict, tiny_map(), world(), "www.example.com", who, now=1000.0)
        assert told.steering is not None
        assert told.decided is not None
        assert ("us" not in sum(told.steering.tiers, ())) == fenced
        assert told.decided.region == told.steering.tiers[0][0]


@pytest.mark.parametrize(
    ("who", "resolver", "by", "network", "why", "region"),
    [
        (client(BERLIN), None, By.SUBNET, "10.0.0.0/32", "", "eu"),
        (client(BERLIN), client(ASHBURN), By.SUBNET, "10.0.0.0/32", "", "eu"),
        (None, client(BERLIN), By.RESOLVER, "10.0.0.0/32", "the query has no client subnet", "eu"),
        (None, client(ASHBURN), By.RESOLVER, "30.0.0.0/32", "the query has no client subnet", "us"),
        ("0.0.0.0/0", client(BERLIN), By.RESOLVER, "10.0.0.0/32", "asks for privacy", "eu"),
        ("0.1.2.0/24", client(BERLIN), By.RESOLVER, "10.0.0.0/32", "0.1.2.0/24 is a private", "eu"),
        ("0.1.2.0/24", None, By.RESOLVER, "0.1.2.0/32", "0.1.2.0/24 is a private", None),
    ],
)
def test_who_is_judged(  # noqa: PLR0917 - a table
    who: str | None, resolver: str | None, by: By, network: str, why: str, region: str | None
) -> None:
    """The client subnet, or the resolver with the reason; the place shown is that of who is judged."""
    told = explain(POLICY, tiny_map(), world(), "www.example.com", who, resolver=resolver, now=1000.0)
    assert told.judged is not None
    assert (told.judged.by, told.judged.network) == (by, ip_network(network))
    assert why in told.judged.why
    assert bool(told.judged.why) == (by is By.RESOLVER)
    assert told.locality is not None
    assert told.judged.network.subnet_of(told.locality.network)  # type: ignore[arg-type]
    assert told.decided is not None
    assert told.decided.region == region or region is None
    assert (told.answer.scope is None) == (who is None)
    assert told.question.resolver_assumed == (resolver is None)


def test_a_service_without_ecs_says_so() -> None:
    """The subnet is ignored, the resolver's place is shown and decides."""
    plain = policy([ZONE], [dataclasses.replace(service("web", chain=[FENCE, Nearest()]), ecs=False)])
    told = explain(
        plain, tiny_map(), world(), "www.example.com", client(ASHBURN), resolver=client(BERLIN), now=1000.0
    )
    assert told.judged is not None
    assert told.judged.why == "the service takes no client subnets (ecs: false)"
    assert told.locality is not None
    assert told.locality.country == "DE"
    assert told.decided is not None
    assert told.decided.region == "eu"


def test_names_that_are_not_steered_judge_nobody() -> None:
    """Everybody gets the same."""
    assert explained("mail.example.com", "192.0.2.1").judged is None


def test_given_a_plan_it_says_the_same() -> None:
    """Compiling only what the question needs changes nothing."""
    geo, beliefs = tiny_map(), world()
    whole = plan(POLICY, geo, beliefs)
    for who in (client(BERLIN), client(ASHBURN, 77), "2100::/48"):
        alone = explain(POLICY, geo, beliefs, "www.example.com", who, now=5.0)
        assert explain(POLICY, geo, beliefs, "www.example.com", who, now=5.0, compiled=whole) == alone


def test_as_dict_is_json() -> None:
    """Enums, networks and missing coordinates become plain values."""
    told = explained("www.example.com", "1.2.3.0/24").as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["question"]["client"] == "1.2.3.0/24"
    assert told["locality"]["lat"] is None
    assert told["steering"]["reason"] == "primary"
    assert told["found"]["kind"] == "service"


@pytest.mark.parametrize(
    ("name", "who", "qtype", "reason"),
    [
        ("www.example.com", "london", "A", "not an address or a network"),
        ("www.example.com", "192.0.2.1/24", "A", "not an address or a network"),
        ("www.example.com", "0.0.0.0/0", "A", "is everybody"),
        ("www.example.com", "192.0.2.1", "BANANA", "not a record type"),
        ("www.example.com", "192.0.2.1", "AXFR", "not a type of records"),
        ("www..example.com", "192.0.2.1", "A", "empty label"),
    ],
)
def test_questions_that_make_no_sense(name: str, who: str, qtype: str, reason: str) -> None:
    """A ValueError that says what is wrong."""
    with pytest.raises(ValueError, match=reason):
        explained(name, who, qtype)


def test_nobody_asks() -> None:
    """Neither a client nor a resolver."""
    with pytest.raises(ValueError, match="nobody asks"):
        explain(POLICY, tiny_map(), world(), "www.example.com", None, now=1.0)


def test_shares_follow_weights() -> None:
    """Three to one, and exactly one is taken now."""
    chain = [Failover((names("eu", "us"),)), Weighted({RegionName("eu"): 3.0})]
    told = explain(
        policy([ZONE], [service("web", chain=chain)]),
        tiny_map(),
        world(),
        "www.example.com",
        client(BERLIN),
        now=1.0,
    )
    assert told.steering is not None
    assert [(one.regions, one.share) for one in told.steering.candidates] == [
        (("eu",), 0.75),
        (("us",), 0.25),
    ]
    assert sum(one.chosen for one in told.steering.candidates) == 1


def random_policy(steered: Service, where: dict[str, tuple[float, float]], bare: frozenset[str]) -> Policy:
    """Every region has an IPv4 address, those not in `bare` an IPv6 address, too."""
    regions = {}
    for number, (name, (lat, lon)) in enumerate(where.items(), 1):
        endpoints = [Endpoint(f"192.0.2.{number}", 4)]
        if name not in bare:
            endpoints.append(Endpoint(f"2001:db8::{number}", 6))
        regions[RegionName(name)] = Region(RegionName(name), Location(lat, lon), tuple(endpoints))
    return Policy(
        server=Server(location=Location(10.0, 10.0)),
        regions=regions,
        services={steered.name: steered},
        zones={ZONE.name: ZONE},
    )


def random_map(rows: Sequence[Spot]) -> GeoMap:
    """Spot N has the IPv4 block N.0.0.0/8 (the last one everything behind) and likewise N00::/8."""
    indices = np.arange(len(rows), dtype=np.uint32)
    kinds = frozenset({MatchKind.COUNTRY, MatchKind.CONTINENT, MatchKind.GROUP})
    return GeoMap(
        starts4=indices << np.uint32(24),
        place4=indices,
        starts6=indices.astype(np.uint64) << np.uint64(56),
        place6=indices,
        places=places_of(*rows),
        info=MapInfo("random", 0, kinds),
    )


clients = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)).map(lambda one: ip_network(one, strict=False)),
    st.tuples(st.integers(0, 7).map(lambda octet: octet << 24), st.integers(5, 32)).map(
        lambda one: ip_network(one, strict=False)
    ),
    st.integers(0, 7).map(lambda octet: ip_network((IPv6Address(octet << 120), 56), strict=False)),
)


@settings(max_examples=150, deadline=None)
@given(
    steered=services,
    where=sites,
    rows=st.lists(spots, min_size=1, max_size=6),
    beliefs=worlds,
    who=clients,
    bare=st.frozensets(st.sampled_from("abcdef"), max_size=2),
    qtype=st.sampled_from(("A", "AAAA")),
    now=st.floats(0, 1e6),
    resolver=clients.map(lambda block: block.network_address),
    alone=st.booleans(),
)
def test_the_decision_and_the_bytes_agree(
    *,
    steered: Service,
    where: dict[str, tuple[float, float]],
    rows: list[Spot],
    beliefs: World,
    who: IPv4Network | IPv6Network,
    bare: frozenset[str],
    qtype: str,
    now: float,
    resolver: IPv4Address | IPv6Address,
    alone: bool,
) -> None:
    """For any chain, place and health: what the trace says is what the packet path answers and counts."""
    setting = random_policy(steered, where, bare)
    geo = random_map(rows)
    subnet = None if alone else who
    told = explain(setting, geo, beliefs, "www.example.com", subnet, resolver=resolver, qtype=qtype, now=now)
    if told.steering is None:
        assert qtype == "AAAA"
        return
    decided, shares = told.decided, told.steering.candidates
    assert decided is not None
    assert decided.reason is told.steering.reason
    answered = [record.data for record in told.answer.records if record.section == "answer"]
    if not shares:
        assert decided.region is None
        assert answered == []
        assert (told.answer.rcode == "SERVFAIL") == told.steering.servfail
        return
    (taken,) = [share for share in shares if share.chosen]
    assert taken.regions[0] == decided.region
    family = 4 if qtype == "A" else 6
    expected = [
        endpoint.address
        for region in taken.regions
        for endpoint in setting.regions[region].endpoints
        if endpoint.family == family
    ]
    assert [ip_address(text) for text in answered] == [ip_address(text) for text in expected]
    if alone:
        assert told.answer.scope is None
        return
    assert told.answer.scope is not None
    last = told.answer.scope.broadcast_address
    again = explain(setting, geo, beliefs, "www.example.com", last, resolver=resolver, qtype=qtype, now=now)
    if told.steering.steps == () or told.steering.steps[-1].step != "client block":
        assert again.steering is not None
        assert again.steering.tiers == told.steering.tiers
