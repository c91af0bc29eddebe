"""Names below a DNAME (RFC 6672): the record, the CNAME it stands for, and what is behind them."""
# ruff: noqa: E501 - records stand here whole

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.steps import Nearest
from tests.answers.ask import query
from tests.answers.twin import Native
from tests.compiler.build import (
    BERLIN,
    SINGAPORE,
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

LONG = ".".join(["a" * 60] * 3) + ".example.net."
ZONE = zone(
    "example.com",
    [
        ("d", "DNAME", "T"),
        ("d", "TXT", "beside"),
        ("a.t", "A", "192.0.2.1"),
        ("*.t", "TXT", "star"),
        ("alias.t", "CNAME", "www"),
        ("away", "DNAME", "x.example.net."),
        ("up", "DNAME", "@"),
        ("other", "DNAME", "inner.example.org."),
        ("chain", "DNAME", "d"),
        ("loop1", "DNAME", "loop2"),
        ("loop2", "DNAME", "loop1"),
        ("self", "DNAME", "a.self"),
        ("tocut", "DNAME", "cut"),
        ("cut", "NS", "ns.cut"),
        ("cut", "NS", "mail"),
        ("ns.cut", "A", "192.0.2.9"),
        ("mail", "A", "192.0.2.8"),
        ("long", "DNAME", LONG),
    ],
    {"www": "web", "*.app": "web"},
)
TOP = zone("top.example", [("@", "DNAME", "example.com."), ("@", "MX", "5 mail.example.com.")])
INNER = zone("inner.example.org", [("h", "AAAA", "2001:db8::1")])
SOA = "example.com. SOA ns1.example.com. hostmaster.example.com. 7 14400 3600 1209600 60"


def compiled() -> Snapshot:
    """The zones, published with every region up."""
    rules = policy([ZONE, TOP, INNER], [service("web", chain=[Nearest()])])
    return publish(plan(rules, tiny_map(), world()), world(), 1).snapshot


@pytest.fixture(scope="module")
def asker() -> Asker:
    """Asks them."""
    return Asker(compiled())


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("a.d", "A", ["d.{} DNAME T.{}", "a.d.{} CNAME a.T.{}", "a.T.{} A 192.0.2.1"]),
        ("q.r.d", "TXT", ["d.{} DNAME T.{}", "q.r.d.{} CNAME q.r.T.{}", 'q.r.T.{} TXT "star"']),
        ("a.d", "CNAME", ["d.{} DNAME T.{}", "a.d.{} CNAME a.T.{}"]),
        ("a.d", "ANY", ["d.{} DNAME T.{}", "a.d.{} CNAME a.T.{}", "a.T.{} A 192.0.2.1"]),
        ("b.away", "A", ["away.{} DNAME x.example.net.", "b.away.{} CNAME b.x.example.net."]),
        ("h.other", "AAAA", ["other.{} DNAME inner.example.org.", "h.other.{} CNAME h.inner.example.org.", "h.inner.example.org. AAAA 2001:db8::1"]),
        ("a.chain", "A", ["chain.{} DNAME d.{}", "a.chain.{} CNAME a.d.{}", "d.{} DNAME T.{}", "a.d.{} CNAME a.T.{}", "a.T.{} A 192.0.2.1"]),
        ("x.loop1", "A", ["loop1.{} DNAME loop2.{}", "x.loop1.{} CNAME x.loop2.{}", "loop2.{} DNAME loop1.{}", "x.loop2.{} CNAME x.loop1.{}"]),
        ("x.self", "A", ["self.{} DNAME a.self.{}", "x.self.{} CNAME x.a.self.{}"]),
        # made shorter again and again, until it is none of its names any more
        ("a.t.up.up", "A", ["up.{} DNAME {}", "a.t.up.up.{} CNAME a.t.up.{}", "a.t.up.{} CNAME a.t.{}", "a.t.{} A 192.0.2.1"]),
        # the owner itself is an ordinary name
        ("d", "DNAME", ["d.{} DNAME T.{}"]),
        ("d", "TXT", ['d.{} TXT "beside"']),
    ],
)  # fmt: skip
def test_positive(asker: Asker, name: str, kind: str, expected: list[str]) -> None:
    """DNAME, CNAME of the same TTL, and the target's records, all with authority."""
    response = asker.ask(f"{name}.example.com.", kind)
    assert answers(response) == [line.format(*["example.com."] * 2) for line in expected]
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert {rrset.ttl for rrset in response.answer} == {300}
    assert not response.authority


def test_no_more_links_than_resolvers_follow(asker: Asker) -> None:
    """Sixteen, and the answer ends there: the resolver goes on, or gives up itself."""
    response = asker.ask("a.t" + ".up" * 17 + ".example.com.", "A")
    assert [rrset.rdtype for rrset in response.answer] == [dns.rdatatype.DNAME] + [dns.rdatatype.CNAME] * 16
    assert asker.ask("a.t" + ".up" * 16 + ".example.com.", "A").answer[-1].rdtype == dns.rdatatype.A


def test_no_data_at_the_owner(asker: Asker) -> None:
    """A DNAME does not rename its own name (RFC 6672 2.2)."""
    response = asker.ask("d.example.com.", "A")
    assert (answers(response), section(response.authority)) == ([], [SOA])


@pytest.mark.parametrize(
    ("name", "kind", "rcode"), [("a.d", "AAAA", dns.rcode.NOERROR), ("nothing.up", "A", dns.rcode.NXDOMAIN)]
)
def test_negative(asker: Asker, name: str, kind: str, rcode: int) -> None:
    """The target's denial, behind DNAME and CNAME (RFC 6604 2.1)."""
    response = asker.ask(f"{name}.example.com.", kind)
    assert response.rcode() == rcode
    assert [line.split()[1] for line in answers(response)] == ["DNAME", "CNAME"]
    assert section(response.authority) == [SOA]


def test_steered_targets(asker: Asker) -> None:
    """Decided for the client, directly and through a wildcard or a CNAME, with the exact scope, counted."""
    for name in ("www.up", "q.app.up", "alias.d"):
        before = sum(asker.counters)
        berlin = asker.ask(f"{name}.example.com.", subnet=f"{client(BERLIN)}/24")
        assert answers(berlin)[-1].endswith(" A 192.0.2.1")
        assert berlin.answer[-1].ttl == 30
        assert (
            berlin.options[0].scopelen
            == asker.ask("www.example.com.", subnet=f"{client(BERLIN)}/24").options[0].scopelen
        )  # type: ignore[attr-defined]
        assert answers(asker.ask(f"{name}.example.com.", subnet=f"{client(SINGAPORE)}/24"))[-1].endswith(
            "192.0.2.4"
        )
        assert sum(asker.counters) - before == 9  # three queries: request, response, decision


def test_at_the_apex(asker: Asker) -> None:
    """Everything below the zone; the zone's own records stay (RFC 6672 2.3)."""
    assert answers(asker.ask("a.t.top.example.", "A"))[-1] == "a.t.example.com. A 192.0.2.1"
    assert answers(asker.ask("top.example.", "MX")) == ["top.example. MX 5 mail.example.com."]
    assert answers(asker.ask("a.d.top.example.", "A"))[1:] == [
        "a.d.top.example. CNAME a.d.example.com.",
        "d.example.com. DNAME T.example.com.",
        "a.d.example.com. CNAME a.T.example.com.",
        "a.T.example.com. A 192.0.2.1",
    ]


def test_delegated_targets(asker: Asker) -> None:
    """A referral behind the records, with glue."""
    response = asker.ask("q.tocut.example.com.", "A")
    assert [line.split()[1] for line in answers(response)] == ["DNAME", "CNAME"]
    assert section(response.authority) == [
        "cut.example.com. NS ns.cut.example.com.",
        "cut.example.com. NS mail.example.com.",
    ]
    assert section(response.additional) == [
        "ns.cut.example.com. A 192.0.2.9",
        "mail.example.com. A 192.0.2.8",
    ]


def test_too_long(asker: Asker) -> None:
    """YXDOMAIN with the DNAME, when the new name has more than 255 octets (RFC 6672 2.2)."""
    for octets, rcode in ((58, dns.rcode.NOERROR), (59, dns.rcode.YXDOMAIN)):
        response = asker.ask(f"{'b' * octets}.long.example.com.")
        assert response.rcode() == rcode
        assert answers(response)[0] == f"long.example.com. DNAME {LONG}"
        assert len(response.answer) == (2 if rcode == dns.rcode.NOERROR else 1)


def test_the_clients_case_is_kept(asker: Asker) -> None:
    """Labels in front of the owner come back as they were asked."""
    assert answers(asker.ask("Ab.D.example.com.", "TXT")) == [
        "D.example.com. DNAME T.example.com.",
        "Ab.D.example.com. CNAME Ab.T.example.com.",
        'Ab.T.example.com. TXT "star"',
    ]


@given(
    st.lists(st.sampled_from(["a", "d", "t", "up", "loop1", "self", "chain", "tocut", "b" * 63]), max_size=5)
)
def test_both_paths_agree(labels: list[str]) -> None:
    """Whatever is asked, the fast path gives the careful one's bytes, never more than the client takes."""
    snapshot = _SNAPSHOT
    quick, careful = (Responder(snapshot, [0] * snapshot.directory.layout.size, Limits()) for _ in range(2))
    name = ".".join([*labels, "example.com"])
    if len(name) > 250:
        return
    for message in (query(name), query(name, "ANY", edns=True), query(name, subnet="30.0.0.0/24")):
        reply = quick.respond(message, 1, 4, Proto.UDP, 1000.0)
        Native(snapshot).check(message, 1, 4, Proto.UDP, 1000.0, reply)
        assert reply == careful.respond_carefully(message, 1, 4, Proto.UDP, 1000.0)
        assert reply is not None
        assert len(reply) <= 1232


_SNAPSHOT = compiled()
