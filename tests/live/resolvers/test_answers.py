"""What resolvers find through us on their way from the root, lenient and as strict as they can be."""

import json
import urllib.request
from collections.abc import Callable
from types import ModuleType

import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import pytest

from benchmarks.harness.daemon import Daemon
from tests.live.resolvers import bind, powerdns, unbound
from tests.live.resolvers.conftest import label
from tests.live.resolvers.running import Resolver

pytestmark = pytest.mark.live
LONDON, LONDON6 = "192.0.2.20", "2001:db8::20"
"""What the resolvers' own address is answered."""
HINTS = f"ipv4hint={LONDON} ipv6hint={LONDON6}"
SECURE = [f'1 . alpn="h2,h3" {HINTS}', "2 mail.example.com. port=8443"]

FOUND = (
    # name, type, the name that it leads to, data
    ("www", "A", "www", [LONDON]),
    ("www", "AAAA", "www", [LONDON6]),
    ("@", "A", "@", [LONDON]),
    ("@", "MX", "@", ["10 mail.example.com."]),
    ("@", "NS", "@", ["ns1.example.com.", "ns2.example.com."]),
    ("any.app", "A", "any.app", [LONDON]),
    ("far.down.app", "AAAA", "far.down.app", [LONDON6]),
    ("cdn", "A", "www.elsewhere.net.", ["203.0.113.80"]),
    ("hop", "A", "www", [LONDON]),
    ("hop", "AAAA", "www", [LONDON6]),
    ("secure", "HTTPS", "secure", SECURE),
    ("far.down.secure", "HTTPS", "far.down.secure", SECURE),
    ("to-secure", "HTTPS", "a.secure", SECURE),
    ("secure", "SVCB", "secure", [f'1 . alpn="dot" port=853 {HINTS}']),
    ("to-secure", "AAAA", "a.secure", [LONDON6]),
    ("mail", "AAAA", "mail", ["2001:db8::60"]),
    ("a.b.c.deep", "A", "a.b.c.deep", ["192.0.2.61"]),
    ("a.b.c.deep", "TXT", "a.b.c.deep", ['"far down"']),
    ("any.star", "A", "any.star", ["192.0.2.62"]),
    ("a.b.star", "TXT", "a.b.star", ['"any"']),
    ("x.y.star", "TXT", "x.y.star", ['"hides the wildcard"']),
    ("https", "HTTPS", "https", ['1 . alpn="h2,h3" ipv4hint=192.0.2.63']),
    ("svcb", "SVCB", "svcb", ["1 mail.example.com. port=8443"]),
    ("_sip._tcp", "SRV", "_sip._tcp", ["10 60 5060 mail.example.com."]),
    ("_25._tcp.mail", "TLSA", "_25._tcp.mail", ["3 1 1 " + "0123456789abcdef" * 4]),
    ("caa", "CAA", "caa", ['0 issue "ca.example.net"']),
    ("caa", "TYPE65280", "caa", ["\\# 4 c0000201"]),
    ("mIxed.cASe", "TXT", "mixed.case", ['"Kept As Written"']),
    ("a\\.b", "A", "a\\.b", ["192.0.2.64"]),
    ("alias", "A", "www", [LONDON]),
    ("chain", "AAAA", "chain3.app", [LONDON6]),
    ("out", "A", "www.example.org.", ["192.0.2.80"]),
    ("back.example.org.", "A", "mail", ["192.0.2.60"]),
    ("elsewhere", "A", "www.elsewhere.net.", ["203.0.113.80"]),
    ("any.d-star", "A", "any.star", ["192.0.2.62"]),
    ("www.d-org", "A", "www.example.org.", ["192.0.2.80"]),
    ("www.d-far", "A", "www.far", ["192.0.2.91"]),
    ("flat", "A", "flat", [LONDON]),
    ("any.flat", "AAAA", "any.flat", [LONDON6]),
    ("example.org.", "A", "example.org.", ["203.0.113.81"]),
    ("example.org.", "AAAA", "example.org.", ["2001:db8:113::81"]),
    ("example.org.", "MX", "example.org.", ["10 mail.example.com."]),
    ("flat-out", "A", "flat-out", ["203.0.113.80"]),
    ("flat-out", "TXT", "flat-out", ['"beside"']),
    ("to-flat", "A", "flat-out", ["203.0.113.80"]),
    ("flat-cdn", "A", "flat-cdn", ["203.0.113.80"]),
    ("inner", "A", "inner", ["192.0.2.70"]),
    ("www.inner", "A", "www.inner", ["192.0.2.71"]),
    ("up.inner", "A", "www", [LONDON]),
    ("to-inner", "A", "www.inner", ["192.0.2.71"]),
    ("far", "A", "far", ["192.0.2.90"]),
    ("any.w.far", "A", "any.w.far", ["192.0.2.92"]),
    ("back.far", "A", "www", [LONDON]),
    ("to-far", "A", "www.far", ["192.0.2.91"]),
    ("www.unglued", "A", "www.unglued", ["192.0.2.93"]),
)
NOT_FOUND = (
    ("nothing", "A", "NXDOMAIN"),
    ("below.nothing", "A", "NXDOMAIN"),
    ("dangling", "A", "NXDOMAIN"),
    ("nothing.inner", "A", "NXDOMAIN"),
    ("nothing.far", "A", "NXDOMAIN"),
    ("any.y.star", "A", "NXDOMAIN"),
    ("www", "TXT", "NOERROR"),
    ("flat-out", "AAAA", "NOERROR"),
    ("any.flat", "TXT", "NOERROR"),
    ("www", "HTTPS", "NOERROR"),
    ("www", "SVCB", "NOERROR"),
    ("hop", "HTTPS", "NOERROR"),
    ("www", "DS", "NOERROR"),
    ("inner", "DS", "NOERROR"),
    ("@", "DNSKEY", "NOERROR"),
    ("any.app", "MX", "NOERROR"),
    ("c.deep", "A", "NOERROR"),
    ("y.star", "A", "NOERROR"),
    ("alias", "TXT", "NOERROR"),
    ("loop", "A", "SERVFAIL"),
)


def absolute(name: str) -> dns.name.Name:
    """A name of the tables above."""
    return dns.name.from_text(name, dns.name.from_text("example.com."))


@pytest.mark.parametrize(("name", "type_", "leads_to", "data"), FOUND, ids=lambda value: str(value)[:20])
def test_found(resolver: Resolver, name: str, type_: str, leads_to: str, data: list[str]) -> None:
    """Every kind of name, of wildcard, of alias and of delegation; ours are not signed, so AD is clear."""
    message = resolver.ask(absolute(name).to_text(), type_).message
    assert message.rcode() == 0, message
    assert isinstance(message, dns.message.QueryMessage)
    chain = message.resolve_chaining()
    assert chain.canonical_name == absolute(leads_to)
    assert chain.answer is not None, message
    kind = dns.rdatatype.from_text(type_)
    assert set(chain.answer) == {dns.rdata.from_text("IN", kind, text) for text in data}
    assert not message.flags & dns.flags.AD


@pytest.mark.parametrize(("name", "type_", "rcode"), NOT_FOUND)
def test_not_found(resolver: Resolver, name: str, type_: str, rcode: str) -> None:
    """A denial is told as what it is."""
    reply = resolver.ask(absolute(name).to_text(), type_)
    assert reply.rcode == rcode, reply.message
    kind = dns.rdatatype.from_text(type_)
    assert not [rrset for rrset in reply.message.answer if rrset.rdtype == kind]


@pytest.mark.parametrize(("name", "type_"), [("gone", "A"), ("mail", "LOC"), ("www", "LOC")])
def test_denials_are_cached(daemons: Daemon, resolver: Resolver, name: str, type_: str) -> None:
    """For the time that our SOA record says, which is that of its negative TTL."""
    first = resolver.ask(absolute(name).to_text(), type_)
    before = daemons.metric("georouter_dns_requests_total")
    again = resolver.ask(absolute(name).to_text(), type_)
    assert daemons.metric("georouter_dns_requests_total") == before
    assert again.rcode == first.rcode == ("NXDOMAIN" if name == "gone" else "NOERROR")
    (soa,) = first.message.authority
    assert soa.name == absolute("@")
    assert 58 <= soa.ttl <= 60


def test_answers_are_cached(daemons: Daemon, resolver: Resolver) -> None:
    """One query of the resolver, whoever asks; with minimised names, at least one for a name above."""
    name = f"a.{label((resolver.make, resolver.site.strict))}.app.example.com"
    before = daemons.metric("georouter_dns_requests_total")
    reply = resolver.ask(name)
    needed = daemons.metric("georouter_dns_requests_total") - before
    assert reply.addresses == (LONDON,)
    assert reply.ttl_s in {29, 30}
    assert 2 <= needed <= 4 if resolver.site.strict else needed == 1
    assert resolver.ask(name).addresses == (LONDON,)
    assert daemons.metric("georouter_dns_requests_total") == before + needed


@pytest.mark.parametrize(("name", "type_", "octets"), [("crowd", "A", 800), ("many", "TXT", 3600)])
def test_large_answers(daemons: Daemon, resolver: Resolver, name: str, type_: str, octets: int) -> None:
    """What fits neither the resolver's limit (512 or 4096) nor ours (1232) comes over TCP, and whole."""
    asked = f"large.{name}.example.com"
    before = daemons.metric("georouter_dns_requests_total", proto="tcp")
    reply = resolver.ask(asked, type_, tcp=True)
    assert len(reply.message.to_wire()) > octets
    limit = 512 if resolver.site.strict else 1232
    assert (daemons.metric("georouter_dns_requests_total", proto="tcp") > before) == (octets > limit)


def test_signed_names_are_proven_and_ours_are_not(resolver: Resolver) -> None:
    """The way down is signed, and a signed denial of DS says that our zones are not."""
    assert bool(resolver.ask("www.elsewhere.net").message.flags & dns.flags.AD) == resolver.site.strict
    for name in ("www.example.com", "elsewhere.example.com", "nothing.example.com"):
        assert not resolver.ask(name).message.flags & dns.flags.AD


def test_mixed_case_is_not_taken_for_an_attack(
    daemons: Daemon, start: Callable[[ModuleType, bool], Resolver]
) -> None:
    """One of them mixes cases and asks anew where one was lost; the other passes those of its client on."""
    for make in (unbound, powerdns):
        resolver = start(make, make is unbound)
        resolver.ask("mail.example.com")
        before = daemons.metric("georouter_dns_requests_total")
        name = f"{make.NAME}MixedCaseOfManyLetters.example.com"
        assert resolver.ask(name).rcode == "NXDOMAIN"
        assert daemons.metric("georouter_dns_requests_total") == before + 1


def test_over_ipv6(daemons: Daemon, start: Callable[[ModuleType, bool], Resolver]) -> None:
    """The strict ones may ask us over both families; unbound is told to prefer this one."""
    resolver = start(unbound, True)
    before = daemons.metric("georouter_dns_requests_total", family="ipv6")
    assert resolver.ask("over-ipv6.app.example.com").addresses == (LONDON,)
    assert daemons.metric("georouter_dns_requests_total", family="ipv6") > before


def test_bind_gets_our_cookies_back(start: Callable[[ModuleType, bool], Resolver]) -> None:
    """It sends them along, and ours never say that one was bad."""
    resolver = start(bind, True)
    for number in range(3):
        resolver.ask(f"cookie{number}.app.example.com")
    url = f"http://{resolver.address[0]}:{bind.STATISTICS_PORT}/json/v1/server"
    with urllib.request.urlopen(url, timeout=5) as response:
        counted = json.load(response)["views"]["_default"]["resolver"]["stats"]
    assert counted["ServerCookieOut"] >= 3, counted
    assert counted["CookieIn"] >= 3
    assert "BadCookieRcode" not in counted
