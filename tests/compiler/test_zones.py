import dataclasses

import dns.flags
import dns.rcode
import pytest

from georouter.compiler import zones
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.model import Steered
from georouter.policy.steps import Nearest
from georouter.words.ids import ServiceName
from tests.compiler.build import (
    BERLIN,
    Asker,
    answers,
    client,
    policy,
    section,
    service,
    tiny_map,
    world,
    zone,
)

OUTER = zone(
    "example.com",
    [
        ("@", "MX", "10 mail"),
        ("@", "TXT", "apex"),
        ("mail", "A", "192.0.2.60"),
        ("mail", "AAAA", "2001:db8::60"),
        ("a.b.c", "TXT", "deep"),
        ("*.w", "A", "192.0.2.77"),
        ("*.w", "TXT", "star"),
        ("host.w", "MX", "5 mail"),
        ("x.ent.w", "A", "192.0.2.78"),
        ("sub", "NS", "ns.sub"),
        ("sub", "NS", "ns.other.example."),
        ("sub", "NS", "mail"),
        ("sub", "DS", "1 8 2 " + "ab" * 32),
        ("ns.sub", "A", "192.0.2.53"),
        ("hidden.sub", "TXT", "never"),
        ("plain", "NS", "ns.plain"),
        ("*.plain", "A", "192.0.2.9"),
        ("alias", "CNAME", "Mail"),
        ("twice", "CNAME", "alias"),
        ("away", "CNAME", "www.elsewhere.example."),
        ("lost", "CNAME", "missing"),
        ("starred", "CNAME", "any.w"),
        ("cut", "CNAME", "q.sub"),
        ("tosub", "CNAME", "Sub"),
        ("toinner", "CNAME", "inner"),
        ("toapex", "CNAME", "@"),
        ("loop1", "CNAME", "loop2"),
        ("loop2", "CNAME", "loop1"),
        ("self", "CNAME", "self"),
        ("across", "CNAME", "www.inner.example.com."),
        ("steer", "CNAME", "www"),
        ("*.alias", "CNAME", "mail"),
        ("inner", "NS", "ns.inner"),
        ("inner", "DS", "2 8 2 " + "cd" * 32),
        ("lost.inner", "A", "192.0.2.99"),
        ("deep.gap.child", "TXT", "outer"),
    ],
    {"www": "web", "*.app": "web", "mixed": "web"},
)
OUTER = dataclasses.replace(
    OUTER, records=(*OUTER.records, *zone("example.com", [("mixed", "TXT", "both")]).records[1:])
)
SERVERS = [
    "sub.example.com. NS ns.sub.example.com.",
    "sub.example.com. NS ns.other.example.",
    "sub.example.com. NS mail.example.com.",
]
GLUE = [
    "ns.sub.example.com. A 192.0.2.53",
    "mail.example.com. A 192.0.2.60",
    "mail.example.com. AAAA 2001:db8::60",
]
INNER = zone("inner.example.com", [("www", "A", "192.0.2.80"), ("ns", "A", "192.0.2.81")])
GAPPED = zone("x.gap.example.com", [("www", "A", "192.0.2.82")])
SOA = "example.com. SOA ns1.example.com. hostmaster.example.com. 7 14400 3600 1209600 60"
SOA_INNER = (
    "inner.example.com. SOA ns1.inner.example.com. hostmaster.inner.example.com. 7 14400 3600 1209600 60"
)


@pytest.fixture(scope="module")
def asker() -> Asker:
    """The three zones, compiled."""
    made = plan(policy([OUTER, INNER, GAPPED], [service("web", chain=[Nearest()])]), tiny_map(), world())
    return Asker(publish(made, world(), 1).snapshot)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("mail", "A", ["{} A 192.0.2.60"]),
        ("MAIL", "AAAA", ["{} AAAA 2001:db8::60"]),
        ("@", "MX", ["{} MX 10 mail.example.com."]),
        ("@", "SOA", ["{} SOA ns1.example.com. hostmaster.example.com. 7 14400 3600 1209600 60"]),
        ("@", "NS", ["{} NS ns1.example.com."]),
        ("a.b.c", "TXT", ['{} TXT "deep"']),
        ("q.w", "A", ["{} A 192.0.2.77"]),
        ("q.r.w", "TXT", ['{} TXT "star"']),
        ("*.w", "A", ["{} A 192.0.2.77"]),
        ("www", "A", ["{} A 192.0.2.1"]),
        ("www", "AAAA", ["{} AAAA 2001:db8::1"]),
        ("one.app", "A", ["{} A 192.0.2.1"]),
        ("one.two.app", "A", ["{} A 192.0.2.1"]),
        ("mixed", "A", ["{} A 192.0.2.1"]),
        ("mixed", "TXT", ['{} TXT "both"']),
        ("www.inner", "A", ["{} A 192.0.2.80"]),
        ("www.x.gap", "A", ["{} A 192.0.2.82"]),
        ("sub", "DS", ["{} DS 1 8 2 " + "ab" * 32]),
        ("inner", "DS", ["{} DS 2 8 2 " + "cd" * 32]),
        ("inner", "NS", ["{} NS ns1.inner.example.com."]),
        # RFC 8482: one RRset
        ("mail", "ANY", ["{} A 192.0.2.60"]),
        ("www", "ANY", ["{} A 192.0.2.1"]),
        ("alias", "ANY", ["{} CNAME Mail.example.com."]),
        # CNAMEs
        ("alias", "CNAME", ["{} CNAME Mail.example.com."]),
        ("alias", "A", ["{} CNAME Mail.example.com.", "Mail.example.com. A 192.0.2.60"]),
        (
            "twice",
            "AAAA",
            [
                "{} CNAME alias.example.com.",
                "alias.example.com. CNAME Mail.example.com.",
                "Mail.example.com. AAAA 2001:db8::60",
            ],
        ),
        ("away", "A", ["{} CNAME www.elsewhere.example."]),
        ("away", "TXT", ["{} CNAME www.elsewhere.example."]),
        ("starred", "A", ["{} CNAME any.w.example.com.", "any.w.example.com. A 192.0.2.77"]),
        ("toapex", "MX", ["{} CNAME example.com.", "example.com. MX 10 mail.example.com."]),
        (
            "toapex",
            "SOA",
            ["{} CNAME example.com.", SOA],
        ),
        ("across", "A", ["{} CNAME www.inner.example.com.", "www.inner.example.com. A 192.0.2.80"]),
        ("steer", "A", ["{} CNAME www.example.com.", "www.example.com. A 192.0.2.1"]),
        ("steer", "AAAA", ["{} CNAME www.example.com.", "www.example.com. AAAA 2001:db8::1"]),
        ("q.alias", "A", ["{} CNAME mail.example.com.", "mail.example.com. A 192.0.2.60"]),
        ("self", "A", ["{} CNAME self.example.com."]),
        ("loop1", "A", ["{} CNAME loop2.example.com.", "loop2.example.com. CNAME loop1.example.com."]),
    ],
)
def test_positive(asker: Asker, name: str, kind: str, expected: list[str]) -> None:
    """What exists is answered with authority, owner as asked, nothing in the other sections."""
    full = "example.com." if name == "@" else f"{name}.example.com."
    response = asker.ask(full, kind)
    assert answers(response) == [line.format(full) for line in expected]
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert not response.authority
    assert not response.additional


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "soa", "chain"),
    [
        ("nothing", "A", dns.rcode.NXDOMAIN, SOA, []),
        ("a.nothing.c", "A", dns.rcode.NXDOMAIN, SOA, []),
        ("mail", "MX", dns.rcode.NOERROR, SOA, []),
        ("@", "A", dns.rcode.NOERROR, SOA, []),
        # empty non-terminals (RFC 4592 2.2.2)
        ("b.c", "A", dns.rcode.NOERROR, SOA, []),
        ("c", "TXT", dns.rcode.NOERROR, SOA, []),
        ("gap", "A", dns.rcode.NOERROR, SOA, []),
        ("c", "ANY", dns.rcode.NOERROR, SOA, []),
        # a wildcard covers no existing name, and stops at one (RFC 4592 2.2.1, 3.3.1)
        ("host.w", "A", dns.rcode.NOERROR, SOA, []),
        ("q.host.w", "A", dns.rcode.NXDOMAIN, SOA, []),
        ("ent.w", "A", dns.rcode.NOERROR, SOA, []),
        ("q.ent.w", "A", dns.rcode.NXDOMAIN, SOA, []),
        ("q.w", "MX", dns.rcode.NOERROR, SOA, []),
        ("w", "A", dns.rcode.NOERROR, SOA, []),
        ("app", "A", dns.rcode.NOERROR, SOA, []),
        ("www", "MX", dns.rcode.NOERROR, SOA, []),
        # nested zones
        ("lost.inner", "A", dns.rcode.NXDOMAIN, SOA_INNER, []),
        ("www.inner", "MX", dns.rcode.NOERROR, SOA_INNER, []),
        ("plain", "DS", dns.rcode.NOERROR, SOA, []),
        ("x.gap", "DS", dns.rcode.NOERROR, SOA, []),
        # at the end of a chain (RFC 2308 2.1, 2.2; RFC 6604)
        ("lost", "A", dns.rcode.NXDOMAIN, SOA, ["lost.example.com. CNAME missing.example.com."]),
        ("alias", "MX", dns.rcode.NOERROR, SOA, ["alias.example.com. CNAME Mail.example.com."]),
        ("across", "MX", dns.rcode.NOERROR, SOA_INNER, ["across.example.com. CNAME www.inner.example.com."]),
        ("steer", "MX", dns.rcode.NOERROR, SOA, ["steer.example.com. CNAME www.example.com."]),
    ],
)
def test_negative(  # noqa: PLR0917 - the columns of the table
    asker: Asker, name: str, kind: str, rcode: int, soa: str, chain: list[str]
) -> None:
    """What does not exist is denied with the SOA of its zone, cached for the negative TTL."""
    response = asker.ask("example.com." if name == "@" else f"{name}.example.com.", kind)
    assert response.rcode() == rcode
    assert response.flags & dns.flags.AA
    assert answers(response) == chain
    assert section(response.authority) == [soa]
    assert response.authority[0].ttl == 60


@pytest.mark.parametrize(
    ("name", "kind"), [("sub", "A"), ("sub", "NS"), ("q.sub", "A"), ("a.b.sub", "TXT"), ("hidden.sub", "TXT")]
)
def test_referral(asker: Asker, name: str, kind: str) -> None:
    """At and below a cut the client is sent on, without authority, with the glue we hold."""
    response = asker.ask(f"{name}.example.com.", kind)
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.flags & dns.flags.AA
    assert not response.answer
    assert section(response.authority) == SERVERS
    assert section(response.additional) == GLUE


def test_a_chain_to_a_cut_ends_in_a_referral(asker: Asker) -> None:
    """RFC 1034 4.3.2 step 3a goes back to the start with the new name; AA is about the first owner."""
    response = asker.ask("cut.example.com.", "A")
    assert answers(response) == ["cut.example.com. CNAME q.sub.example.com."]
    assert response.flags & dns.flags.AA
    assert section(response.authority) == SERVERS
    assert section(response.additional) == GLUE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tosub", ["tosub.example.com. CNAME Sub.example.com.", "Sub.example.com. DS 1 8 2 " + "ab" * 32]),
        (
            "toinner",
            ["toinner.example.com. CNAME inner.example.com.", "inner.example.com. DS 2 8 2 " + "cd" * 32],
        ),
    ],
)
def test_a_chain_to_a_ds(asker: Asker, name: str, expected: list[str]) -> None:
    """DS at a cut belongs to the zone above (RFC 4035 3.1.4.1), at the end of a chain too."""
    response = asker.ask(f"{name}.example.com.", "DS")
    assert answers(response) == expected
    assert not response.authority


def test_wildcards_below_a_cut_are_not_ours(asker: Asker) -> None:
    """A wildcard under a delegation point never answers."""
    response = asker.ask("q.plain.example.com.", "A")
    assert not response.answer
    assert section(response.authority) == ["plain.example.com. NS ns.plain.example.com."]


def test_outside_is_refused(asker: Asker) -> None:
    """Names of other people get REFUSED."""
    assert asker.ask("example.org.").rcode() == dns.rcode.REFUSED


def test_warnings() -> None:
    """Loops and records that cannot be answered are reported, each by name."""
    outer = dataclasses.replace(
        OUTER, steered=(*OUTER.steered, Steered(b"\x01x\x03sub\x07example\x03com\0", ServiceName("web")))
    )
    made = plan(policy([outer, INNER], [service("web", chain=[Nearest()])]), tiny_map(), world())
    text = "\n".join(made.warnings)
    for name in ("loop1", "loop2", "self"):
        assert f"{name}.example.com: its CNAMEs loop" in text
    assert "zone example.com: lost.inner.example.com is left out: it lies in a zone of its own" in text
    assert "zone example.com: x.sub.example.com is left out: it is delegated" in text


def test_long_chains_are_bounded() -> None:
    """Eight links are followed; the ninth is left to the resolver, and reported."""
    links = [(f"c{i}", "CNAME", f"c{i + 1}") for i in range(20)]
    made = plan(policy([zone("example.com", [*links, ("c20", "A", "192.0.2.1")])]), tiny_map(), world())
    asker = Asker(publish(made, world(), 1).snapshot)
    assert len(answers(asker.ask("c0.example.com."))) == 16
    assert len(answers(asker.ask("c13.example.com."))) == 8
    assert asker.ask("c12.example.com.").rcode() == dns.rcode.NOERROR
    assert any("c0.example.com" in line for line in made.warnings)


def test_aliases_of_steered_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound an alias is answered as its CNAME alone, and that is reported once."""
    monkeypatch.setattr(zones, "MOST_ALIASES", 2)
    aliases = [(f"a{number}", "CNAME", "www") for number in range(4)]
    rules = policy([zone("example.com", aliases, {"www": "web"})], [service("web", chain=[Nearest()])])
    made = plan(rules, tiny_map(), world())
    asker = Asker(publish(made, world(), 1).snapshot)
    counts = [len(answers(asker.ask(f"a{number}.example.com."))) for number in range(4)]
    assert counts == [2, 2, 1, 1]
    assert [line.partition(":")[0] for line in made.warnings] == ["a2.example.com"]


def test_negative_ttl_is_the_lesser() -> None:
    """RFC 2308 5: a negative answer lives min(SOA TTL, MINIMUM)."""
    base = zone("example.com")
    short = dataclasses.replace(base, soa=dataclasses.replace(base.soa, ttl_s=20, negative_ttl_s=60))
    asker = Asker(publish(plan(policy([short]), tiny_map(), world()), world(), 1).snapshot)
    assert asker.ask("none.example.com.").authority[0].ttl == 20
    assert asker.ask("example.com.", "SOA").answer[0].ttl == 20


def test_equal_answers_are_kept_once() -> None:
    """Static answers with the same content share one object."""
    records = [(f"h{i}", "A", "192.0.2.1") for i in range(50)]
    made = plan(policy([zone("example.com", records)]), tiny_map(), world())
    bodies = [answer.body for answer in made.directory.answers]
    assert len(made.directory.answers) < 8
    assert len({(answer.body, answer.head) for answer in made.directory.answers}) == len(bodies)


def test_names_with_one_service_share_views(asker: Asker) -> None:
    """All names of a service written alike use one view per slot."""
    made = plan(policy([OUTER, INNER, GAPPED], [service("web", chain=[Nearest()])]), tiny_map(), world())
    # www, *.app and mixed are written alike; steer has a CNAME before it
    assert len(made.directory.views) == 4
    assert answers(asker.ask("steer.example.com.", subnet=f"{client(BERLIN)}/24"))


def test_names_with_one_set_stand_in_arrays(asker: Asker) -> None:
    """Types, ANY, wildcards and unknown types are answered from there as from anywhere else."""
    made = plan(policy([OUTER, INNER, GAPPED], [service("web", chain=[Nearest()])]), tiny_map(), world())
    directory = made.directory
    node = directory.index[b"\x01x\x03ent\x01w\x07example\x03com\0"]
    assert directory.sole[node] == 1 << 16 | 1
    assert directory.bodies[node].endswith(bytes((192, 0, 2, 78)))
    assert not any(key >> 16 == node for key in directory.rrsets)
    for kind, expected in (("A", 1), ("ANY", 1), ("AAAA", 0), ("TYPE65280", 0), ("TYPE257", 0)):
        assert len(answers(asker.ask("x.ent.w.example.com.", kind))) == expected
    assert answers(asker.ask("q.alias.example.com.", "CNAME")) == [
        "q.alias.example.com. CNAME mail.example.com."
    ]
