"""Which name answers which question, compared with RFC 4592 spelled out over dnspython's names."""

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from tests.compiler.build import (
    Asker,
    answers,
    binding,
    policy,
    region,
    section,
    service,
    tiny_map,
    with_records,
    world,
    zone,
)

H2 = binding("1 . alpn=h2")
APEX = dns.name.from_text("example.com.")
STAR = dns.name.from_text("*", None)
LABELS = ("a", "b", "*", "*a")
OWNER = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4).map(".".join)
ASKED = st.lists(st.sampled_from((*LABELS, "q")), min_size=1, max_size=5).map(".".join)
PARTS = (region("eu", "192.0.2.1", "2001:db8::1"), region("us", "192.0.2.3"), region("ap", "h.example.net"))
SERVICES = (
    with_records(service("both", ("eu",)), H2),
    with_records(service("four", ("us",)), H2),
    service("bare", ("eu",)),
    with_records(service("host", ("ap",)), H2),
)
ADDRESS = {
    "both": {"A": "192.0.2.1", "AAAA": "2001:db8::1", "HTTPS": "192.0.2.1 2001:db8::1"},
    "four": {"A": "192.0.2.3", "HTTPS": "192.0.2.3"},
    "bare": {"A": "192.0.2.1", "AAAA": "2001:db8::1"},
    "host": dict.fromkeys(("A", "AAAA", "HTTPS", "TXT"), "h.example.net."),
    "static": {"TXT": '"x"'},
}


def owner_of(name: dns.name.Name, owners: dict[dns.name.Name, str]) -> str | None:
    """What answers a name: RFC 4592 3.3.1, from the closest encloser that exists. Empty for an empty
    non-terminal (2.2.2), None for a name that does not exist.
    """
    exist = {APEX}
    for owner in owners:
        while owner != APEX:
            exist.add(owner)
            owner = owner.parent()  # noqa: PLW2901 - all the way up
    if name in exist:
        return owners.get(name, "")
    while name not in exist:
        name = name.parent()
    star = STAR.concatenate(name)
    return owners.get(star, "") if star in exist else None


@settings(max_examples=150, deadline=None)
@given(
    steered=st.dictionaries(OWNER, st.sampled_from([item.name for item in SERVICES]), min_size=1, max_size=6),
    static=st.sets(OWNER, max_size=4),
    asked=st.lists(st.tuples(ASKED, st.sampled_from(("A", "AAAA", "HTTPS", "TXT"))), min_size=8, max_size=30),
)
def test_steered_wildcards(steered: dict[str, str], static: set[str], asked: list[tuple[str, str]]) -> None:
    """Steered and static names, wildcards and literal asterisks among them, at any depth and below each
    other: addresses, HTTPS, no data and no name exactly where RFC 4592 has them.
    """
    records = [(name, "TXT", "x") for name in sorted(static - set(steered))]
    rules = policy([zone("example.com", records, steered)], SERVICES, PARTS)
    asker = Asker(publish(plan(rules, tiny_map(), world()), world(), 1).snapshot)
    owners = {dns.name.from_text(name, APEX): "static" for name in static}
    owners |= {dns.name.from_text(name, APEX): str(who) for name, who in steered.items()}
    for name, kind in asked:
        response = asker.ask(f"{name}.example.com.", kind)
        who = owner_of(dns.name.from_text(name, APEX), owners)
        assert response.rcode() == (dns.rcode.NXDOMAIN if who is None else dns.rcode.NOERROR)
        wanted = ADDRESS.get(who or "", {}).get(kind)
        assert bool(response.authority) == (wanted is None)
        assert [rrset.name for rrset in response.answer] == [
            dns.name.from_text(name, APEX) for _ in [0] if wanted
        ]
        said = " ".join(line.split(maxsplit=2)[2] for line in answers(response))
        if kind == "HTTPS" and who != "host" and wanted:
            rdata = response.answer[0][0]
            assert response.answer[0].rdtype == dns.rdatatype.HTTPS
            said = " ".join(
                address for key in (4, 6) if key in rdata.params for address in rdata.params[key].addresses
            )
        assert said == (wanted or "")


EXAMPLE = zone(
    "example",
    [
        ("*", "TXT", '"this is a wildcard"'),
        ("*", "MX", "10 host1.example."),
        ("sub.*", "TXT", '"this is not a wildcard"'),
        ("host1", "A", "192.0.2.1"),
        ("_ssh._tcp.host1", "SRV", "0 0 22 host1.example."),
        ("_ssh._tcp.host2", "SRV", "0 0 22 host2.example."),
        ("subdel", "NS", "ns.example.com."),
    ],
)
"""The zone of RFC 4592 2.2.1, with one server below."""


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("host3.example.", "MX", ["host3.example. MX 10 host1.example."]),
        ("host3.example.", "A", "NOERROR"),
        ("foo.bar.example.", "TXT", ['foo.bar.example. TXT "this is a wildcard"']),
        ("host1.example.", "MX", "NOERROR"),
        ("sub.*.example.", "MX", "NOERROR"),
        ("_telnet._tcp.host1.example.", "SRV", "NXDOMAIN"),
        ("host.subdel.example.", "A", ["subdel.example. NS ns.example.com."]),
        ("ghost.*.example.", "MX", "NXDOMAIN"),
        # 2.2.2, 2.2.3: names that exist without records of their own
        ("_tcp.host1.example.", "TXT", "NOERROR"),
        ("host2.example.", "TXT", "NOERROR"),
        ("x.host2.example.", "TXT", "NXDOMAIN"),
        ("*.example.", "TXT", ['*.example. TXT "this is a wildcard"']),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_4592(name: str, kind: str, expected: list[str] | str) -> None:
    """What the RFC says is made from the wildcard, what is not, and what is elsewhere."""
    asker = Asker(publish(plan(policy([EXAMPLE], []), tiny_map(), world()), world(), 1).snapshot)
    response = asker.ask(name, kind, udp=1232)
    if isinstance(expected, str):
        assert (dns.rcode.to_text(response.rcode()), response.answer) == (expected, [])
        assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]
    else:
        assert sorted(section(response.answer or response.authority)) == expected
        assert bool(response.flags & dns.flags.AA) == bool(response.answer)
