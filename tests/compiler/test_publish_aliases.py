"""Aliases as clients read them: of static names, services, and names that only a resolver knows."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

import dns.edns
import dns.message
import dns.rcode
import pytest

from georouter.answers.tables import SLOT_A
from georouter.compiler.plan import Plan, plan
from georouter.compiler.publish import publish
from georouter.facts.aliases import Addresses, AliasKey
from georouter.facts.world import World
from georouter.policy.model import Endpoint
from georouter.policy.steps import Nearest
from georouter.wire.names import name_text, parse_name
from tests.compiler.build import (
    BERLIN,
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

LB, CDN = parse_name("lb.example.net"), parse_name("cdn.example.net")
PARTS = (
    region("eu", "192.0.2.1", "2001:db8::1"),
    region("ap", "192.0.2.4"),
    region("eu2", Endpoint("edge.example.com", 0)),
    region("au", Endpoint("cdn.example.net", 0)),
)
WEB = with_records(service("web", ("eu", "ap"), [Nearest()]), binding("1 . alpn=h2"))
HOSTS = with_records(service("hosts", ("eu2", "au"), [Nearest()]), binding("1 . alpn=h2"))
ZONE = zone(
    "example.com",
    [
        ("@", "MX", "10 mail"),
        ("mail", "A", "192.0.2.60"),
        ("edge", "A", "192.0.2.70"),
        ("cname", "CNAME", "flat"),
        ("own", "HTTPS", "0 elsewhere.example.net."),
    ],
    {"www": "web", "hosts": "hosts"},
    {
        "@": ("hosts", None),
        "flat": ("www", 20),
        "own": ("www", None),
        "*.flat": ("www", None),
        "static": ("mail", 7),
        "out": ("lb.example.net.", 40),
        "*.out": ("lb.example.net.", None),
    },
)


@pytest.fixture(scope="module")
def made() -> Plan:
    """The plan of the zone above."""
    return plan(policy([ZONE], [WEB, HOSTS], PARTS), tiny_map(), world())


def known(
    *rows: tuple[bytes, int, tuple[str, ...], int], stale: bool = False
) -> Mapping[AliasKey, Addresses]:
    """Target, family, addresses, TTL."""
    return {
        (name, family): Addresses(tuple(ip_address(text).packed for text in texts), ttl_s, stale)
        for name, family, texts, ttl_s in rows
    }


GOOD = known(
    (LB, 4, ("198.51.100.1", "198.51.100.2"), 60),
    (LB, 6, (), 60),
    (CDN, 4, ("198.51.100.9",), 10),
    (CDN, 6, (), 10),
)


def now(aliases: Mapping[AliasKey, Addresses], *down: str) -> World:
    """The facts with these addresses."""
    return replace(world(down=down), aliases=aliases)


def asker(made: Plan, aliases: Mapping[AliasKey, Addresses] = GOOD, *down: str) -> Asker:
    """What is answered then."""
    return Asker(publish(made, now(aliases, *down), 1).snapshot)


def scope(response: dns.message.Message) -> int:
    """The ECS scope."""
    return next(int(o.scopelen) for o in response.options if isinstance(o, dns.edns.ECSOption))


def error(response: dns.message.Message) -> int | None:
    """The extended error."""
    return next((int(o.code) for o in response.options if isinstance(o, dns.edns.EDEOption)), None)


@pytest.mark.parametrize(
    ("name", "place", "kind", "expected"),
    [
        ("flat", BERLIN, "A", ["{} A 192.0.2.1"]),
        ("flat", SINGAPORE, "A", ["{} A 192.0.2.4"]),
        ("x.flat", SINGAPORE, "A", ["{} A 192.0.2.4"]),
        ("cname", SINGAPORE, "A", ["{} CNAME flat.example.com.", "flat.example.com. A 192.0.2.4"]),
        ("flat", BERLIN, "HTTPS", ['{} HTTPS 1 . alpn="h2" ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"']),
        ("own", BERLIN, "HTTPS", ["{} HTTPS 0 elsewhere.example.net."]),
        ("own", BERLIN, "A", ["{} A 192.0.2.1"]),
        ("flat", BERLIN, "TXT", []),
        ("@", BERLIN, "A", ["{} A 192.0.2.70"]),
        ("@", BERLIN, "AAAA", []),
        ("@", BERLIN, "HTTPS", []),
        ("@", BERLIN, "MX", ["{} MX 10 mail.example.com."]),
        ("static", BERLIN, "A", ["{} A 192.0.2.60"]),
        ("out", BERLIN, "A", ["{} A 198.51.100.1", "{} A 198.51.100.2"]),
        ("out", BERLIN, "AAAA", []),
        ("out", BERLIN, "HTTPS", []),
        ("y.out", BERLIN, "A", ["{} A 198.51.100.1", "{} A 198.51.100.2"]),
    ],
)
def test_answers(made: Plan, name: str, place: int, kind: str, expected: list[str]) -> None:
    """Addresses under the name that was asked for, whatever the target has in their place."""
    full = "example.com." if name == "@" else f"{name}.example.com."
    response = asker(made).ask(full, kind, subnet=f"{client(place)}/24")
    assert response.rcode() == dns.rcode.NOERROR
    assert answers(response) == [line.format(full) for line in expected]
    assert error(response) is None


def test_steered_as_the_service_is(made: Plan) -> None:
    """The same scope, TTL within that of the alias, and another region when one is down; counted as it is."""
    one, other = asker(made), asker(made, GOOD, "eu")
    subnet = f"{client(BERLIN)}/24"
    assert (
        scope(one.ask("flat.example.com.", subnet=subnet))
        == scope(one.ask("www.example.com.", subnet=subnet))
        > 0
    )
    assert one.ask("flat.example.com.", subnet=subnet).answer[0].ttl == 20
    assert answers(other.ask("flat.example.com.", subnet=subnet)) == ["flat.example.com. A 192.0.2.4"]
    layout = made.directory.layout
    base = next(item.base for item in layout.services if item.name == "web")
    assert sum(one.counters[base : base + 5]) == 3


def test_outside_is_the_same_for_everybody(made: Plan) -> None:
    """Scope 0; the TTL is the resolver's, within that of the alias."""
    response = asker(made).ask("out.example.com.", subnet=f"{client(SINGAPORE)}/24")
    assert scope(response) == 0
    assert response.answer[0].ttl == 40
    assert asker(made).ask("y.out.example.com.").answer[0].ttl == 60


def test_before_anything_is_known(made: Plan) -> None:
    """SERVFAIL and "not ready", also of the families alone; not of names that need no resolver."""
    one = asker(made, known((LB, 4, ("198.51.100.1",), 60)))
    assert answers(one.ask("out.example.com."))
    for name, kind in (("out.example.com.", "AAAA"), ("y.out.example.com.", "AAAA")):
        response = one.ask(name, kind)
        assert (response.rcode(), error(response)) == (dns.rcode.SERVFAIL, dns.edns.EDECode.NOT_READY)
    assert answers(one.ask("flat.example.com.", subnet=f"{client(BERLIN)}/24"))


def test_stale_says_so(made: Plan) -> None:
    """The last addresses, and the extended error."""
    response = asker(made, known((LB, 4, ("198.51.100.1",), 30), stale=True)).ask("out.example.com.")
    assert answers(response) == ["out.example.com. A 198.51.100.1"]
    assert error(response) == dns.edns.EDECode.STALE_ANSWER


def test_only_what_moved_is_written_anew(made: Plan) -> None:
    """New addresses of one target leave every other answer, and all groups, the same objects."""
    one = publish(made, now(GOOD), 1)
    two = publish(made, now({**GOOD, **known((LB, 4, ("198.51.100.3",), 60))}), 2, one)
    assert answers(Asker(two.snapshot).ask("out.example.com.")) == ["out.example.com. A 198.51.100.3"]
    moved = [
        index
        for index, (old, new) in enumerate(zip(one.snapshot.bodies, two.snapshot.bodies, strict=True))
        if old is not new and any(a is not b for a, b in zip(old, new, strict=True))
    ]
    flat = [(item.target, item.slot) for item in made.flats]
    first = len(made.written)
    assert moved == [first + index for index, item in enumerate(flat) if item == (LB, SLOT_A)]
    assert all(a is b for a, b in zip(one.snapshot.groups[:-1], two.snapshot.groups, strict=False))
    assert two.changes == ()


def test_hostnames_of_regions_follow(made: Plan) -> None:
    """Addresses of an outside hostname of a region change where an alias flattens the service."""
    one = publish(made, now(GOOD, "eu2"), 1)
    assert answers(Asker(one.snapshot).ask("example.com.")) == ["example.com. A 198.51.100.9"]
    two = publish(made, now(known((CDN, 4, ("198.51.100.8",), 10)), "eu2"), 2, one)
    assert answers(Asker(two.snapshot).ask("example.com.")) == ["example.com. A 198.51.100.8"]
    assert answers(Asker(two.snapshot).ask("hosts.example.com.")) == [
        "hosts.example.com. CNAME cdn.example.net."
    ]


def test_who_is_asked_for(made: Plan) -> None:
    """The names that only a resolver knows, each with the aliases that lead there."""
    found = {name_text(name): [name_text(owner) for owner in owners] for name, owners in made.outside.items()}
    assert found == {
        "lb.example.net": ["out.example.com", "*.out.example.com"],
        "cdn.example.net": ["example.com"],
    }
