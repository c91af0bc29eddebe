import dataclasses
import pickle
from dataclasses import replace

import dns.edns
import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import Plan, plan, rerank, salt
from georouter.compiler.publish import Published, publish
from georouter.facts.world import World
from georouter.policy.model import AllDown, Binding, Endpoint, Policy, Ttls
from georouter.policy.steps import Latency, Match, Nearest, Residency, Unplaced
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import (
    BERLIN,
    SINGAPORE,
    Asker,
    answers,
    client,
    policy,
    region,
    section,
    service,
    tiny_map,
    world,
    zone,
)

WEB = ServiceName("web")
EVERY = frozenset(map(RegionName, ("eu", "eu2", "us", "ap")))


def sample() -> Policy:
    """Three services: one near all regions, one of Asia and America, one of Europe."""
    services = [
        service("web", chain=[Nearest()]),
        service("far", regions=("us", "ap"), chain=[Nearest()]),
        service("near", regions=("eu", "eu2"), chain=[Nearest()], ttl_s=10),
    ]
    names = {"www": "web", "far": "far", "near": "near", "near2": "near"}
    return policy([zone("example.com", [("alias", "CNAME", "www")], names)], services)


def published(rules: Policy, now: World) -> Published:
    """One publication."""
    return publish(plan(rules, tiny_map(), now), now, 1)


def same_tables(one: Snapshot, other: Snapshot) -> bool:
    """Whether two snapshots say the same, byte for byte."""
    return (
        one.directory == other.directory
        and one.maps == other.maps
        and one.groups == other.groups
        and one.bodies == other.bodies
    )


def test_only_what_moved_is_rebuilt() -> None:
    """Groups without the region that changed, and all answers, are the same objects."""
    made = plan(sample(), tiny_map(), world())
    one = publish(made, world(), 1)
    two = publish(made, world(down=["ap"]), 2, one)
    group = {str(name): number for name, number in made.steered.group_of.items()}
    assert two.snapshot.generation == 2
    assert two.snapshot.groups[group["near"]] is one.snapshot.groups[group["near"]]
    assert two.snapshot.groups[group["web"]] is not one.snapshot.groups[group["web"]]
    assert two.snapshot.groups[group["web"]] != one.snapshot.groups[group["web"]]
    for old, new in zip(one.snapshot.bodies, two.snapshot.bodies, strict=True):
        assert old is new
    assert two.snapshot.directory is one.snapshot.directory
    again = publish(made, world(down=["ap"]), 3, two)
    assert all(old is new for old, new in zip(two.states, again.states, strict=True))
    assert again.changes == ()


def test_same_inputs_same_snapshot() -> None:
    """From nothing, by way of other worlds, or through a pickle: the tables are equal."""
    made = plan(sample(), tiny_map(), world())
    now = world(down=["eu"], endpoints_down={"us": [0]})
    direct = publish(made, now, 9)
    wandered = publish(made, world(), 1)
    for step in (world(down=["ap", "us"]), world(endpoints_down={"us": [1]}), world(drained=["eu"])):
        wandered = publish(made, step, 1, wandered)
    wandered = publish(made, now, 9, wandered)
    assert same_tables(direct.snapshot, wandered.snapshot)
    carried: Plan = pickle.loads(pickle.dumps(made))
    assert same_tables(direct.snapshot, publish(carried, now, 9, wandered).snapshot)
    assert same_tables(direct.snapshot, publish(plan(sample(), tiny_map(), world()), now, 9).snapshot)


def test_changes_say_who_moved() -> None:
    """A change names the regions before and after and the share of the address space that moved."""
    made = plan(sample(), tiny_map(), world())
    one = publish(made, world(), 1)
    assert one.changes == ()
    two = publish(made, world(down=["ap"]), 2, one)
    assert [(change.service, change.before, change.after) for change in two.changes] == [
        ("web", ("eu", "eu2", "us", "ap"), ("eu", "eu2", "us")),
        ("far", ("us", "ap"), ("us",)),
    ]
    # Singapore and Sydney: from 40.0.0.0 to the end
    assert two.changes[0].moved == pytest.approx(216 / 256)
    assert str(two.changes[1]) == "service far: us, ap -> us (84% of IPv4)"
    other = publish(plan(sample(), tiny_map(), world()), world(), 3, two)
    assert [(change.service, change.moved) for change in other.changes] == [("web", None), ("far", None)]


def test_status_of_services() -> None:
    """Who answers, whether anybody is not at home, whether all is lost."""
    made = plan(sample(), tiny_map(), world())
    up = publish(made, world(), 1).services
    assert not up[WEB].failover_active
    assert up[WEB].answering == ("eu", "eu2", "us", "ap")
    down = publish(made, world(down=["eu", "eu2"]), 1).services
    assert down[WEB].failover_active
    assert not down[WEB].all_down
    assert down[WEB].answering == ("us", "ap")
    assert down[ServiceName("near")].all_down
    assert down[ServiceName("near")].failover_active
    assert not down[ServiceName("far")].failover_active
    assert publish(made, world(drained=["ap"]), 1).services[WEB].failover_active


def test_last_known() -> None:
    """Regions in use while up are remembered; when all are down exactly those are answered."""
    web = service("web", chain=[Nearest()], when_all_down=AllDown.LAST_KNOWN)
    made = plan(policy([zone("example.com", (), {"www": "web"})], [web]), tiny_map(), world())
    one = publish(made, world(down=["eu", "ap"]), 1)
    assert one.last_known == {WEB: {EVERY: {"eu2", "us"}}}
    lost = world(down=["eu", "eu2", "us", "ap"], last_known={"web": ["eu2", "us"]})
    two = publish(made, lost, 2, one)
    assert two.last_known == one.last_known
    assert two.services[WEB].answering == ("eu2", "us")
    three = publish(made, world(down=["eu", "eu2", "us", "ap"], last_known={"web": ["ap"]}), 3, two)
    assert three.services[WEB].answering == ("ap",)
    response = Asker(two.snapshot).ask("www.example.com.", subnet=f"{client(BERLIN)}/24")
    assert answers(response) == ["www.example.com. A 192.0.2.2"]


def test_last_known_inside_a_fence() -> None:
    """Europeans whose regions are down keep theirs while others are answered; a second time, too."""
    fence = Residency(Match(countries=("DE",)), frozenset(map(RegionName, ("eu", "eu2"))))
    web = service("web", chain=[fence, Nearest()], when_all_down=AllDown.LAST_KNOWN)
    made = plan(policy([zone("example.com", (), {"www": "web"})], [web]), tiny_map(), world())
    one = publish(made, world(down=["eu"]), 1)
    gone = world(down=["eu", "eu2", "us"])
    two = publish(made, replace(gone, last_known=one.last_known), 2, one)
    assert two.last_known == {WEB: {frozenset({"eu", "eu2"}): {"eu2"}, EVERY: {"ap"}}}
    three = publish(made, replace(gone, last_known=two.last_known), 3, two)
    assert three.last_known == two.last_known
    for published in (two, three):
        response = Asker(published.snapshot).ask("www.example.com.", subnet=f"{client(BERLIN)}/24")
        assert answers(response) == ["www.example.com. A 192.0.2.2"]


def options(asker: Asker, kind: str = "A") -> tuple[int, list[tuple[int, str | None]], bool]:
    """rcode, extended errors, and whether there is a SOA."""
    response = asker.ask("www.example.com.", kind, subnet=f"{client(BERLIN)}/24")
    errors = [
        (int(item.code), item.text) for item in response.options if isinstance(item, dns.edns.EDEOption)
    ]
    return response.rcode(), errors, bool(response.authority)


@pytest.mark.parametrize(
    ("when_all_down", "error"),
    [
        (AllDown.SERVE_ALL, (0, "every region that may answer this client is down: all are answered")),
        (
            AllDown.LAST_KNOWN,
            (3, "every region that may answer this client is down: the last answer with one up"),
        ),
        (AllDown.FALLBACK, (0, "every region that may answer this client is down: the fallback answers")),
    ],
)
@pytest.mark.parametrize("kind", ["A", "AAAA", "HTTPS"])
def test_answers_of_last_resort_say_so(when_all_down: AllDown, error: tuple[int, str], kind: str) -> None:
    """An answer with an extended error while all is down, the same answer without one otherwise."""
    web = service("web", chain=[Nearest()], when_all_down=when_all_down, fallback=["eu"])
    web = dataclasses.replace(web, https=(Binding(1, b"\0", (), hints=True),))
    rules = policy([zone("example.com", [("alias", "CNAME", "www")], {"www": "web"})], [web])
    lost = world(down=["eu", "eu2", "us", "ap"], last_known={"web": ["eu", "us"]})
    one = publish(plan(rules, tiny_map(), world()), world(), 1)
    two = publish(one.plan, lost, 2, one)
    three = publish(one.plan, world(), 3, two)
    for name in ("www.example.com.", "alias.example.com."):
        said = []
        for snapshot in (one.snapshot, two.snapshot, three.snapshot):
            response = Asker(snapshot).ask(name, kind, subnet=f"{client(BERLIN)}/24")
            assert response.rcode() == dns.rcode.NOERROR
            assert response.answer[-1].rdtype == dns.rdatatype.from_text(kind)
            said.append(
                [
                    (int(item.code), item.text)
                    for item in response.options
                    if isinstance(item, dns.edns.EDEOption)
                ]
            )
        assert said == [[], [error], []]


def test_servfail_says_why() -> None:
    """With `when_all_down: servfail` clients get SERVFAIL with an extended error."""
    web = service("web", when_all_down=AllDown.SERVFAIL)
    rules = policy([zone("example.com", (), {"www": "web"})], [web])
    asker = Asker(published(rules, world(down=["eu", "eu2", "us", "ap"])).snapshot)
    assert options(asker) == (
        dns.rcode.SERVFAIL,
        [(0, "every region that may answer this client is down")],
        False,
    )


def test_a_closed_fence_is_nodata_with_prohibited() -> None:
    """Residency that leaves nothing: NODATA, so that no resolver calls us lame, and the reason."""
    fence = Residency(Match(countries=("DE",)), frozenset({RegionName("au")}), unplaced=Unplaced.DENY)
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", chain=[fence])])
    asker = Asker(published(rules, world()).snapshot)
    text = "residency: no region may answer this client"
    assert options(asker) == (dns.rcode.NOERROR, [(18, text)], True)
    assert answers(asker.ask("www.example.com.", subnet=f"{client(SINGAPORE)}/24"))


def test_nodata_of_steered_names_is_cached_no_longer_than_answers() -> None:
    """AAAA of a region that lost its IPv6 comes back with the service's TTL."""
    parts = (region("eu", "192.0.2.1", "2001:db8::1"),)
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", ("eu",), ttl_s=10)], parts)
    asker = Asker(published(rules, world(endpoints_down={"eu": [1]})).snapshot)
    response = asker.ask("www.example.com.", "AAAA")
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.answer
    assert response.authority[0].ttl == 10
    assert response.flags & dns.flags.AA


def test_a_family_nobody_has_is_static_nodata() -> None:
    """Without any AAAA among the regions the answer does not depend on the client: scope 0."""
    parts = (region("eu", "192.0.2.1"), region("us", "192.0.2.3"))
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", ("eu", "us"))], parts)
    response = Asker(published(rules, world()).snapshot).ask("www.example.com.", "AAAA", subnet="10.1.2.0/24")
    assert section(response.authority)
    assert response.options[0].scopelen == 0  # type: ignore[attr-defined]


HOSTS = (
    region("eu", Endpoint("edge.example.com", 0)),
    region("us", Endpoint("cdn.example.net", 0)),
    region("ap", Endpoint("chain.example.com", 0)),
    region("au", "192.0.2.5"),
)


@pytest.mark.parametrize(
    ("place", "kind", "expected"),
    [
        (1, "A", ["{} CNAME edge.example.com.", "edge.example.com. A 192.0.2.70"]),
        (1, "AAAA", ["{} CNAME edge.example.com."]),
        (1, "TXT", ["{} CNAME edge.example.com."]),
        (1, "CNAME", ["{} CNAME edge.example.com."]),
        (3, "A", ["{} CNAME cdn.example.net."]),
        (
            4,
            "A",
            [
                "{} CNAME chain.example.com.",
                "chain.example.com. CNAME edge.example.com.",
                "edge.example.com. A 192.0.2.70",
            ],
        ),
        (5, "A", ["{} A 192.0.2.5"]),
        (5, "TXT", []),
    ],
)
def test_hostname_endpoints(place: int, kind: str, expected: list[str]) -> None:
    """A hostname is a CNAME for every type, with the addresses our own zones hold for it."""
    records = [("edge", "A", "192.0.2.70"), ("chain", "CNAME", "edge")]
    web = service("web", ("eu", "us", "ap", "au"), chain=[Nearest()])
    rules = policy([zone("example.com", records, {"www": "web"})], [web], HOSTS)
    response = Asker(published(rules, world()).snapshot).ask(
        "www.example.com.", kind, subnet=f"{client(place)}/24"
    )
    assert answers(response) == [line.format("www.example.com.") for line in expected]
    assert response.options[0].scopelen > 0  # type: ignore[attr-defined]


def test_aliases_of_steered_names_follow_health() -> None:
    """A CNAME to a steered name is steered itself, under both names."""
    made = plan(sample(), tiny_map(), world())
    one = publish(made, world(), 1)
    two = publish(made, world(down=["eu"]), 2, one)
    before, after = (
        answers(Asker(item.snapshot).ask("alias.example.com.", subnet=f"{client(BERLIN)}/24"))
        for item in (one, two)
    )
    assert before == ["alias.example.com. CNAME www.example.com.", "www.example.com. A 192.0.2.1"]
    assert after == ["alias.example.com. CNAME www.example.com.", "www.example.com. A 192.0.2.2"]


def test_rerank_keeps_names() -> None:
    """After new round trips the directory is the same object and answers follow the new ranking."""
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", chain=[Latency(5.0)])])
    made = plan(rules, tiny_map(), world())
    again = rerank(made, rules, tiny_map(), World(rtt_ms={RegionName("eu"): 5.0}))
    one = publish(made, world(), 1)
    two = publish(again, world(), 2, one)
    assert two.snapshot.directory is one.snapshot.directory
    assert all(old is new for old, new in zip(one.snapshot.bodies, two.snapshot.bodies, strict=True))


def test_salt() -> None:
    """64 bits from seed and service: different services choose independently, equal nodes alike."""
    assert salt("a", "web") == salt("a", "web")
    assert len({salt("a", "web"), salt("b", "web"), salt("a", "api"), salt("aw", "eb")}) == 4
    assert 0 <= salt("a", "web") < 2**64


def test_a_lowered_ttl_moves_answers_and_nothing_else() -> None:
    """Only the TTL of the service's answers changes; selections and runs stay the same objects."""
    web = dataclasses.replace(service("web", ttl_s=60), ttls=Ttls(suspect_s=10))
    other = service("other", regions=("eu2",), ttl_s=60)
    rules = policy([zone("example.com", (), {"www": "web", "other": "other"})], [web, other])
    compiled = plan(rules, tiny_map(), world())
    calm = publish(compiled, world(), 1)
    doubt = dataclasses.replace(world(), suspects=frozenset({RegionName("us")}))
    worried = publish(compiled, doubt, 2, calm)

    def seen(snapshot: Snapshot, name: str) -> int:
        return Asker(snapshot).ask(f"{name}.example.com.", subnet="10.0.0.0/24").answer[0].ttl

    assert (seen(calm.snapshot, "www"), seen(calm.snapshot, "other")) == (60, 60)
    assert (seen(worried.snapshot, "www"), seen(worried.snapshot, "other")) == (10, 60)
    assert [new.group for new in worried.states] == [old.group for old in calm.states]
    assert worried.changes == ()
    again = publish(compiled, world(), 3, worried)
    assert seen(again.snapshot, "www") == 60


def test_a_family_that_is_down_in_one_region_is_answered_by_the_others() -> None:
    """IPv4 of the nearest region fails while its IPv6 lives: A goes on to the next, AAAA stays; and back."""
    compiled = plan(sample(), tiny_map(), world())
    whole = publish(compiled, world(), 1)
    half = publish(compiled, world(endpoints_down={"eu": [0]}), 2, whole)

    def seen(published: Published, kind: str) -> list[str]:
        asker = Asker(published.snapshot)
        return [
            line.split()[2] for line in answers(asker.ask("www.example.com.", kind, subnet="10.0.0.0/24"))
        ]

    assert (seen(whole, "A"), seen(whole, "AAAA")) == (["192.0.2.1"], ["2001:db8::1"])
    assert (seen(half, "A"), seen(half, "AAAA")) == (["192.0.2.2"], ["2001:db8::1"])
    everywhere = {name: [0] for name in ("eu", "eu2", "us", "ap")}
    none = publish(compiled, world(endpoints_down=everywhere), 3, half)
    assert (seen(none, "A"), seen(none, "AAAA")) == ([], ["2001:db8::1"])
    again = publish(compiled, world(), 4, none)
    assert (seen(again, "A"), seen(again, "AAAA")) == (["192.0.2.1"], ["2001:db8::1"])
