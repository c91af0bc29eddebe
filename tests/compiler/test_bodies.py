"""HTTPS and SVCB of services, and hostnames, as clients read them."""

import dns.edns
import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from georouter.compiler.plan import plan
from georouter.compiler.publish import Published, publish
from georouter.facts.world import World
from georouter.policy.model import AllDown, Endpoint, Policy
from georouter.policy.steps import Limit, Match, Nearest, Residency, Unplaced
from georouter.words.ids import RegionName
from tests.compiler.build import (
    BERLIN,
    PARIS,
    SINGAPORE,
    Asker,
    answers,
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

PARTS = (
    region("eu", "192.0.2.1", "2001:db8::1"),
    region("us", "192.0.2.3"),
    region("ap", "2001:db8::4"),
    region("eu2", Endpoint("Edge.example.com", 0)),
    region("au", Endpoint("www.elsewhere.example", 0)),
)
H2 = binding("1 . alpn=h2")
SECURE = with_records(
    service("web", ("eu",)),
    H2,
    binding("2 other.example.net. port=8443", hints=False),
    svcb=(binding("1 . alpn=dot port=853"),),
)
NEAR = with_records(service("near", ("eu", "us", "ap", "eu2", "au"), [Nearest()]), H2)
RECORDS = [
    ("*.app.static", "TXT", "x"),
    ("alias", "CNAME", "www"),
    ("alias2", "CNAME", "Any.app"),
    ("d", "DNAME", "app"),
    ("edge", "A", "192.0.2.70"),
    ("edge", "HTTPS", "1 . alpn=h3"),
    ("plain", "HTTPS", "1 . alpn=h3"),
    ("@", "MX", "10 edge"),
    ("x.app", "TXT", "x"),
]
NAMES = {"@": "web", "www": "web", "*.app": "web", "near": "near", "plain": "plain", "_dns.r": "web"}
RULES = policy([zone("example.com", RECORDS, NAMES)], [SECURE, NEAR, service("plain", ("eu",))], PARTS)
HINTS = "ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"


def published(rules: Policy, now: World | None = None) -> Published:
    """One publication."""
    now = now or world()
    return publish(plan(rules, tiny_map(), now), now, 1)


@pytest.fixture(scope="module")
def asker() -> Asker:
    """The rules above, all up."""
    return Asker(published(RULES).snapshot)


def plainly(lines: list[str]) -> list[str]:
    """Without the quotation marks that dnspython puts around values."""
    return [line.replace('"', "") for line in lines]


BOTH = (f"HTTPS 1 . alpn=h2 {HINTS}", "HTTPS 2 other.example.net. port=8443")


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("www", "HTTPS", [f"{{}} {line}" for line in BOTH]),
        ("WWW", "SVCB", ["{} SVCB 1 . alpn=dot port=853 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"]),
        ("_dns.r", "SVCB", ["{} SVCB 1 . alpn=dot port=853 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"]),
        ("@", "HTTPS", [f"{{}} {line}" for line in BOTH]),
        ("any.app", "HTTPS", [f"{{}} {line}" for line in BOTH]),
        ("a.b.app", "HTTPS", [f"{{}} {line}" for line in BOTH]),
        ("*.app", "HTTPS", [f"{{}} {line}" for line in BOTH]),
        ("x.app", "HTTPS", []),
        ("y.x.app", "HTTPS", []),
        ("app", "HTTPS", []),
        ("alias", "HTTPS", ["{} CNAME www.example.com.", *(f"www.example.com. {line}" for line in BOTH)]),
        (
            "alias2",
            "HTTPS",
            ["{} CNAME Any.app.example.com.", *(f"Any.app.example.com. {line}" for line in BOTH)],
        ),
        (
            "one.d",
            "HTTPS",
            [
                "d.example.com. DNAME app.example.com.",
                "{} CNAME one.app.example.com.",
                *(f"one.app.example.com. {line}" for line in BOTH),
            ],
        ),
        ("www", "ANY", ["{} A 192.0.2.1"]),
        ("www", "TXT", []),
        ("plain", "HTTPS", ["{} HTTPS 1 . alpn=h3"]),
        ("plain", "SVCB", []),
        ("near", "SVCB", []),
    ],
)
def test_https_and_svcb(asker: Asker, name: str, kind: str, expected: list[str]) -> None:
    """At plain, apex, wildcard and alias names alike; nothing of it at names without."""
    full = "example.com." if name == "@" else f"{name}.example.com."
    response = asker.ask(full, kind)
    assert plainly(answers(response)) == [line.format(full) for line in expected]
    assert response.rcode() == (dns.rcode.NXDOMAIN if name.startswith("y.") else dns.rcode.NOERROR)
    assert response.flags & dns.flags.AA
    assert bool(response.authority) == (not expected)
    assert not response.additional
    assert {rrset.ttl for rrset in response.answer if rrset.rdtype in (64, 65)} <= {30, 300}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (BERLIN, ["{} HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"]),
        (PARIS, ["{} CNAME Edge.example.com.", "Edge.example.com. HTTPS 1 . alpn=h3"]),
        (3, ["{} HTTPS 1 . alpn=h2 ipv4hint=192.0.2.3"]),
        (SINGAPORE, ["{} CNAME www.elsewhere.example."]),
        (5, ["{} CNAME www.elsewhere.example."]),
    ],
)
def test_each_place_has_its_own(asker: Asker, place: int, expected: list[str]) -> None:
    """Hints of the client's region; hostnames as the CNAME that A gives, with what our zones know of them."""
    subnet = f"{client(place)}/24"
    https, a = (asker.ask("near.example.com.", kind, subnet=subnet) for kind in ("HTTPS", "A"))
    assert plainly(answers(https)) == [line.format("near.example.com.") for line in expected]
    assert https.options == a.options
    assert [line for line in answers(a) if "CNAME" in line] == [
        line for line in answers(https) if "CNAME" in line
    ]


def test_one_family_alone() -> None:
    """A region with IPv6 only, and nobody else up: no ipv4hint, as A has no data."""
    rules = policy(
        [zone("example.com", (), {"www": "web"})],
        [with_records(service("web", ("us", "ap"), [Nearest()]), H2)],
        PARTS,
    )
    asker = Asker(published(rules, world(down=["us"])).snapshot)
    assert plainly(answers(asker.ask("www.example.com.", "HTTPS"))) == [
        "www.example.com. HTTPS 1 . alpn=h2 ipv6hint=2001:db8::4"
    ]
    assert not asker.ask("www.example.com.", "A").answer


def test_a_region_that_is_down_is_in_no_hint() -> None:
    """Health moves hints with the addresses, under aliases too; finished answers are used again."""
    rules = policy(
        [zone("example.com", [("alias", "CNAME", "www")], {"www": "web"})],
        [with_records(service("web", ("eu", "us"), [Nearest(), Limit(addresses=1)]), H2)],
        (
            region("eu", "192.0.2.1", "192.0.2.2", "2001:db8::1"),
            region("us", "192.0.2.3", "192.0.2.4", "2001:db8::3"),
        ),
    )
    made = plan(rules, tiny_map(), world())
    one = publish(made, world(), 1)
    two = publish(made, world(down=["eu"]), 2, one)
    assert all(old is new for old, new in zip(one.snapshot.bodies, two.snapshot.bodies, strict=True))
    for found, wanted in ((one, "ipv6hint=2001:db8::1"), (two, "ipv6hint=2001:db8::3")):
        for name in ("www", "alias"):
            response = Asker(found.snapshot).ask(
                f"{name}.example.com.", "HTTPS", subnet=f"{client(BERLIN)}/24"
            )
            assert wanted in plainly(answers(response))[-1]
    three = publish(made, world(endpoints_down={"us": [0]}, down=["eu"]), 3, two)
    response = Asker(three.snapshot).ask("www.example.com.", "HTTPS")
    assert "ipv4hint=192.0.2.4 " in plainly(answers(response))[0]


@pytest.mark.parametrize(
    ("chain", "when_all_down", "rcode", "error"),
    [
        ((), AllDown.SERVFAIL, dns.rcode.SERVFAIL, dns.edns.EDECode.OTHER),
        (
            (Residency(Match(countries=("DE",)), frozenset({RegionName("x")}), unplaced=Unplaced.DENY),),
            AllDown.SERVE_ALL,
            dns.rcode.NOERROR,
            dns.edns.EDECode.PROHIBITED,
        ),
    ],
)
def test_denials_say_why(
    chain: tuple[Residency, ...], when_all_down: AllDown, rcode: int, error: dns.edns.EDECode
) -> None:
    """All regions down, or a fence that leaves none: as for A, with the extended error."""
    web = with_records(service("web", ("eu",), chain, when_all_down), H2)
    rules = policy([zone("example.com", (), {"www": "web"})], [web], PARTS)
    asker = Asker(published(rules, world(down=["eu"])).snapshot)
    https, a = (asker.ask("www.example.com.", kind, subnet=f"{client(BERLIN)}/24") for kind in ("HTTPS", "A"))
    assert (https.rcode(), https.options, https.authority) == (a.rcode(), a.options, a.authority)
    assert https.rcode() == rcode
    assert [item.code for item in https.options if isinstance(item, dns.edns.EDEOption)] == [error]


def test_services_share_groups_whatever_their_records() -> None:
    """HTTPS records are a matter of writing: equal chains stay one group, each with its own records, and a
    group without any has nothing laid out for them.
    """
    three = binding("1 . alpn=h3")
    services = [
        service("plain", ("eu", "us")),
        with_records(service("two", ("eu", "us")), H2),
        with_records(service("three", ("eu", "us")), three),
        service("other", ("us", "eu")),
    ]
    rules = policy([zone("example.com", (), {str(item.name): item.name for item in services})], services)
    found = published(rules)
    assert len(found.snapshot.groups) == 2
    bound = [len(group.runs[3].body) for group in found.snapshot.groups]
    assert bound[0] > 0
    assert bound[1] == 0
    asker = Asker(found.snapshot)
    said = {
        item.name: [line.split()[4] for line in answers(asker.ask(f"{item.name}.example.com.", "HTTPS"))]
        for item in services
    }
    assert said == {"plain": [], "two": ['alpn="h2"'], "three": ['alpn="h3"'], "other": []}


@pytest.mark.parametrize("place", [BERLIN, PARIS, SINGAPORE])
def test_records_that_do_not_fit_are_truncated(place: int) -> None:
    """Many addresses and records in 512 octets: TC over UDP, all of it over TCP."""
    many = region("eu", *(f"192.0.2.{n}" for n in range(1, 9)), *(f"2001:db8::{n}" for n in range(1, 9)))
    web = with_records(service("web", ("eu",)), *(binding(f"{n} . port={n}") for n in range(1, 9)))
    asker = Asker(published(policy([zone("example.com", (), {"www": "web"})], [web], [many])).snapshot)
    subnet = f"{client(place)}/24"
    small = asker.ask("www.example.com.", "HTTPS", subnet, udp=512)
    assert small.flags & dns.flags.TC
    assert not small.answer
    (whole,) = asker.ask("www.example.com.", "HTTPS", subnet).answer
    assert whole.rdtype == dns.rdatatype.HTTPS
    assert len(whole) == 8
