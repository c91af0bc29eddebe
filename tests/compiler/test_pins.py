"""Tenants' names: what is compiled and served is what `decide` decides, for random tenants and worlds."""

from ipaddress import ip_address, ip_network

import dns.edns
import dns.message
import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.analysis.explain import explain
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.compiler.plan import plan
from georouter.compiler.publish import Published, publish
from georouter.facts.world import World
from georouter.policy.model import AllDown, Policy
from georouter.policy.steps import (
    Failover,
    Latency,
    Limit,
    Match,
    Nearest,
    Pin,
    Residency,
    Step,
    Sticky,
    Unknown,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.policy.tenants import Tenancy, TenantDirectory, TenantState, make_directory, pack
from georouter.routing.decide import Family, decide
from georouter.routing.steps.pin import tenant_of
from georouter.wire.names import lower, parse_name
from georouter.words.ids import RegionName, ServiceName
from tests.answers.twin import Native
from tests.compiler.build import (
    ASHBURN,
    NOWHERE,
    PARIS,
    Asker,
    answers,
    client,
    policy,
    service,
    tiny_map,
    zone,
)
from tests.compiler.test_properties import ADDRESS, AP, AU, EU, EU2, FENCE, PARTS, US, WORLDS

GEO = tiny_map()
REGIONS = (EU, EU2, US, AP)


def directory(**living: Tenancy) -> TenantDirectory:
    """Who lives how, by label."""
    kinds = list(dict.fromkeys(living.values()))
    labels = [name.encode() for name in living]
    return make_directory(
        "t.csv", kinds, pack(labels, [kinds.index(item) for item in living.values()]).tenants
    )


TENANTS = directory(
    acme=Tenancy(EU, frozenset({EU, EU2})),
    globex=Tenancy(US),
    initech=Tenancy(AP, None, TenantState.MOVING, US),
    umbrella=Tenancy(EU2, frozenset({EU2})),
    hooli=Tenancy(US, frozenset({US, AP, AU})),
)
NAMES = ("acme", "GLOBEX", "x.initech", "umbrella", "a.b.Hooli", "stranger", "x.stranger")
BEHIND: dict[str, tuple[Step, ...]] = {
    "plain": (),
    "nearest": (Nearest(),),
    "fenced": (FENCE, Nearest()),
    "fenced without ecs": (
        Residency(Match(groups=("EU",)), frozenset({EU, EU2}), Unplaced.DENY, WithoutEcs.RESTRICT),
        Residency(Match(countries=("FR", "SG")), frozenset({EU2, AP})),
        Latency(10.0),
    ),
    "failover": (Failover(((AP,), (US,))), Weighted({EU: 3.0, EU2: 1.0, US: 0.0})),
    "sticky": (Nearest(20000.0), Sticky(), Limit(regions=2)),
}


def made(pin: Pin, behind: tuple[Step, ...], when_all_down: AllDown = AllDown.SERVE_ALL) -> Policy:
    """A service at a wildcard, with names of the zone's own and aliases beside it."""
    web = service("web", chain=(pin, *behind), when_all_down=when_all_down, fallback=("au",))
    records = (
        ("mail.zulu.app", "A", "203.0.113.1"),
        ("*.app", "TXT", "hello"),
        ("shop", "CNAME", "ACME.app.example.com."),
        ("lost", "CNAME", "stranger.app.example.com."),
        ("old", "DNAME", "app.example.com."),
    )
    return policy([zone("example.com", records, {"*.app": "web", "www": "web"})], [web], PARTS)


def published(rules: Policy, now: World) -> Published:
    """The tables of a moment."""
    return publish(plan(rules, GEO, now), now, 1)


def regions_of(response: dns.message.Message) -> tuple[RegionName, ...]:
    """Who answers, in order."""
    lines = [line.split() for line in answers(response)]
    return tuple(dict.fromkeys(ADDRESS[data] for _, kind, data in lines if kind in ("A", "AAAA")))


@pytest.mark.parametrize("unknown", [Unknown.CHAIN, Unknown.HASH, Unknown.NXDOMAIN])
@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_served_is_decided(behind: tuple[Step, ...], unknown: Unknown) -> None:
    """For every name, place and world the answer is one of the decision's candidates, through aliases too."""
    rules = made(Pin(TENANTS, unknown=unknown), behind, AllDown.FALLBACK)
    web = rules.services[ServiceName("web")]
    for now in WORLDS[::2]:
        asker = Asker(published(rules, now).snapshot)
        for label in NAMES:
            name = lower(parse_name(f"{label}.app.example.com"))
            tenant = tenant_of(web, lower(parse_name("*.app.example.com")), name)
            missing = unknown is Unknown.NXDOMAIN and (tenant is None or tenant.tenancy is None)
            asked = [f"{label}.app.example.com.", f"{label}.old.example.com."]
            asked += ["shop.example.com."] if label == "acme" else []
            asked += ["lost.example.com."] if label == "stranger" else []
            for place in range(1, len(GEO.places)):
                decision = decide(rules, web, GEO.places.row(place), now, tenant=tenant)
                wanted = decision.selections[Family.A]
                for question in asked:
                    address = client(place, 5)
                    response = asker.ask(question, subnet=f"{address}/32", source=address)
                    if missing:
                        assert response.rcode() == dns.rcode.NXDOMAIN
                        assert [rrset.rdtype.name for rrset in response.authority] == ["SOA"]
                        continue
                    candidates = {tuple(decision.regions[r] for r in c.regions) for c in wanted.candidates}
                    assert regions_of(response) in (candidates or {()})
                    assert (response.rcode() == dns.rcode.SERVFAIL) == wanted.servfail


@settings(max_examples=50, deadline=None)
@given(
    living=st.dictionaries(
        st.text("abcxyz019-_", min_size=1, max_size=4).filter(lambda t: t.strip("-") == t),
        st.builds(
            lambda home, more, fenced: Tenancy(home, frozenset({home, *more}) if fenced else None),
            st.sampled_from(REGIONS),
            st.frozensets(st.sampled_from((*REGIONS, AU))),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    labels=st.lists(st.text("abcxyz019-_", min_size=1, max_size=4), min_size=1, max_size=4),
    blocks=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), min_size=1, max_size=4),
    behind=st.sampled_from(sorted(BEHIND)),
    unknown=st.sampled_from(list(Unknown)),
    now=st.sampled_from(WORLDS),
)
def test_random_tenants_worlds_and_clients(  # noqa: PLR0917 - hypothesis fills them in
    living: dict[str, Tenancy],
    labels: list[str],
    blocks: list[tuple[int, int]],
    behind: str,
    unknown: Unknown,
    now: World,
) -> None:
    """Both packet paths give the same bytes, `explain` the same region; no answer leaves the residency, nor
    what any client in the scope may get.
    """
    rules = made(Pin(directory(**living), unknown=unknown), BEHIND[behind])
    web = rules.services[ServiceName("web")]
    compiled = plan(rules, GEO, now)
    snapshot = publish(compiled, now, 1).snapshot
    asker = Asker(snapshot)
    for label in (*labels, *living):
        name = f"{label}.app.example.com."
        tenant = tenant_of(web, lower(parse_name("*.app.example.com")), lower(parse_name(name)))
        for base, length in blocks:
            first = base >> (32 - length) << (32 - length) if length else 0
            subnet = f"{ip_address(first)}/{length}"
            response = asker.ask(name, subnet=subnet, source="10.0.0.53")
            _same_bytes(snapshot.directory.layout.size, snapshot, name, subnet)
            if response.rcode() == dns.rcode.NXDOMAIN:
                assert unknown is Unknown.NXDOMAIN
                assert label not in living
                continue
            found = regions_of(response)
            told = explain(rules, GEO, now, name, subnet, resolver="10.0.0.53", now=1000.0, compiled=compiled)
            assert told.steering is not None
            assert found in {share.regions for share in told.steering.candidates} or not found
            assert bool(found) == bool(told.steering.candidates)
            if tenant is None or tenant.tenancy is None or length == 0 or first < 10 << 24:
                continue  # nobody's, or judged by the resolver's address
            assert tenant.tenancy.residency is None or set(found) <= tenant.tenancy.residency
            scope = response.options[0].scopelen  # type: ignore[attr-defined]
            low = first >> (32 - scope) << (32 - scope) if scope else 0
            for number in (first, low, low | (1 << (32 - scope)) - 1):
                row = int(GEO.place4[sum(int(start) <= number for start in GEO.starts4) - 1])
                if scope <= length or number == first:
                    allowed = decide(rules, web, GEO.places.row(row), now, tenant=tenant)
                    assert set(found) <= {allowed.regions[r] for r in allowed.ranked.allowed}


def _same_bytes(size: int, snapshot: object, name: str, subnet: str) -> None:
    block = ip_network(subnet)
    option = dns.edns.ECSOption(str(block.network_address), block.prefixlen)
    query = dns.message.make_query(name, "A", use_edns=0, options=[option]).to_wire()
    counters: tuple[list[int], list[int]] = ([0] * size, [0] * size)
    replies = []
    for counted, way in zip(counters, ("respond", "respond_carefully"), strict=True):
        responder = Responder(snapshot, counted, Limits())  # type: ignore[arg-type]
        replies.append(getattr(responder, way)(query, 10 << 24 | 53, 4, Proto.UDP, 1000.0))
    assert replies[0] == replies[1]
    assert counters[0] == counters[1]
    Native(snapshot).check(query, 10 << 24 | 53, 4, Proto.UDP, 1000.0, replies[0], counters[0])  # type: ignore[arg-type]


CLOSED = Pin(TENANTS, unknown=Unknown.NXDOMAIN)


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "records"),
    [
        ("acme.app", "A", "NOERROR", ["192.0.2.1"]),
        ("AcMe.aPp", "AAAA", "NOERROR", ["2001:db8::1"]),
        ("acme.app", "TXT", "NOERROR", ['"hello"']),
        ("acme.app", "MX", "NOERROR", []),
        ("acme.app", "ANY", "NOERROR", ["192.0.2.1"]),
        ("www.acme.app", "A", "NOERROR", ["192.0.2.1"]),
        ("www.acme.app", "MX", "NOERROR", []),
        ("ghost.app", "A", "NXDOMAIN", []),
        ("ghost.app", "TXT", "NXDOMAIN", []),
        ("ghost.app", "MX", "NXDOMAIN", []),
        ("GHOST.app", "ANY", "NXDOMAIN", []),
        ("acme.ghost.app", "A", "NXDOMAIN", []),
        ("app", "A", "NOERROR", []),
        ("zulu.app", "A", "NOERROR", []),
        ("acme.zulu.app", "A", "NXDOMAIN", []),
        ("mail.zulu.app", "A", "NOERROR", ["203.0.113.1"]),
        ("*.app", "TXT", "NOERROR", ['"hello"']),
        ("acme.*.app", "A", "NXDOMAIN", []),
        ("acme", "A", "NXDOMAIN", []),
    ],
)
def test_negative_answers(name: str, kind: str, rcode: str, records: list[str]) -> None:
    """With `unknown: nxdomain` exactly the tenants' names exist, and all below them (RFC 4592, 8020)."""
    asker = Asker(published(made(CLOSED, ()), WORLDS[0]).snapshot)
    response = asker.ask(f"{name}.example.com.", kind)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert [line.split(" ", 2)[2] for line in answers(response)] == records
    soa = [rrset for rrset in response.authority if rrset.rdtype.name == "SOA"]
    assert bool(soa) == (not records)
    if soa:
        assert soa[0].name.to_text() == "example.com."
        assert soa[0].ttl == 60


@pytest.mark.parametrize(
    ("name", "rcode", "answered"),
    [
        ("eu.acme.app", "NOERROR", False),
        ("acme.eu.app", "NOERROR", True),
        ("acme.ghost.app", "NOERROR", True),
        ("x.acme.eu.app", "NOERROR", True),
        ("eu.app", "NOERROR", False),
        ("ghost.eu.app", "NXDOMAIN", False),
    ],
)
def test_the_second_label(name: str, rcode: str, answered: bool) -> None:
    """Labels count leftwards from the wildcard's parent; what is between it and the tenants has no data."""
    pin = Pin(directory(acme=Tenancy(EU)), 2, Unknown.NXDOMAIN)
    asker = Asker(published(made(pin, ()), WORLDS[0]).snapshot)
    response = asker.ask(f"{name}.example.com.")
    expected = "NXDOMAIN" if name == "eu.acme.app" else rcode
    assert dns.rcode.to_text(response.rcode()) == expected
    assert bool(response.answer) == answered


def test_a_ranking_does_not_depend_on_the_client() -> None:
    """The same answer with scope 0 for every client; fences for clients narrow the scope to theirs."""
    asker = Asker(published(made(Pin(TENANTS), (Nearest(),)), WORLDS[1]).snapshot)
    found = {
        (regions_of(response), response.options[0].scopelen)  # type: ignore[attr-defined]
        for place in range(len(GEO.places))
        for response in [asker.ask("acme.app.example.com.", subnet=f"{client(place)}/24")]
    }
    assert found == {((EU2,), 0)}  # the home is down; the other one inside the residency
    fenced = Asker(published(made(Pin(TENANTS), BEHIND["fenced"]), WORLDS[0]).snapshot)
    response = fenced.ask("globex.app.example.com.", subnet="10.1.2.0/24")
    assert regions_of(response) == (EU2,)  # nearest to the home of what Europeans may get
    assert response.options[0].scopelen > 0  # type: ignore[attr-defined]


def test_the_place_of_a_resolver_counts_too() -> None:
    """Without client subnet a tenant's name obeys `without_ecs` and the fence at the resolver: both."""
    asker = Asker(published(made(Pin(TENANTS), BEHIND["fenced without ecs"]), World()).snapshot)
    for place, expected in ((NOWHERE, ()), (PARIS, (EU2,)), (ASHBURN, (EU2,))):
        assert regions_of(asker.ask("acme.app.example.com.", source=client(place, 5))) == expected


def test_a_moving_tenant_is_answered_by_its_old_home() -> None:
    """Until the directory says otherwise."""
    asker = Asker(published(made(Pin(TENANTS), (Nearest(),)), WORLDS[0]).snapshot)
    assert regions_of(asker.ask("initech.app.example.com.", subnet="10.0.0.0/24")) == (AP,)


def test_queries_are_counted_in_sum() -> None:
    """Of tenants, and of labels that are none's."""
    snapshot = published(made(Pin(TENANTS, unknown=Unknown.HASH), ()), WORLDS[0]).snapshot
    asker = Asker(snapshot)
    for label in ("acme", "globex", "x.hooli", "stranger"):
        asker.ask(f"{label}.app.example.com.")
    at = snapshot.directory.layout.tenants_of("web")
    assert asker.counters[at : at + 2] == [3, 1]


def test_a_hash_home_moves_only_when_its_region_goes() -> None:
    """Every label keeps its home, the regions' shares are their weights'; one that is down moves its own."""
    pin = Pin(TENANTS, unknown=Unknown.HASH)
    shares = (Weighted({EU: 2.0, EU2: 1.0, US: 1.0, AP: 0.0}),)
    asker = Asker(published(made(pin, shares), WORLDS[0]).snapshot)
    broken = Asker(published(made(pin, shares), WORLDS[1]).snapshot)
    names = [f"t{number}.app.example.com." for number in range(1500)]
    before = [regions_of(asker.ask(name, subnet="10.0.0.0/24"))[0] for name in names]
    after = [regions_of(broken.ask(name, subnet="10.0.0.0/24"))[0] for name in names]
    assert abs(before.count(EU) / len(names) - 0.5) < 0.05
    assert before.count(AP) == 0
    assert all(new == old for old, new in zip(before, after, strict=True) if old != EU)
    assert EU not in after
