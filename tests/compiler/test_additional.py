"""What stands beside HTTPS and SVCB records that name another host."""

import dns.flags
import pytest

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from tests.compiler.build import (
    REGIONS,
    Asker,
    answers,
    binding,
    policy,
    section,
    service,
    tiny_map,
    with_records,
    world,
    zone,
)

H2 = binding("1 . alpn=h2")
RECORDS = [
    ("mail", "A", "192.0.2.60"),
    ("mail", "AAAA", "2001:db8::60"),
    ("https", "HTTPS", "1 . port=8443"),
    ("https", "SVCB", "1 . port=853"),
    ("https", "A", "192.0.2.61"),
    ("*.star", "A", "192.0.2.62"),
    ("sub", "NS", "ns.sub"),
    ("ns.sub", "A", "192.0.2.53"),
    ("alias", "CNAME", "mail"),
    ("d", "DNAME", "@"),
    ("two", "HTTPS", "1 Mail"),
    ("two", "HTTPS", "2 mail port=8443"),
    ("two", "HTTPS", "3 https"),
    ("two", "HTTPS", "4 ."),
    ("svcb", "SVCB", "1 https"),
    ("apex", "HTTPS", "0 https"),
    ("self", "HTTPS", "1 self"),
    ("self", "A", "192.0.2.63"),
    ("tostar", "HTTPS", "1 any.star"),
    ("toalias", "HTTPS", "1 alias"),
    ("tosteered", "HTTPS", "1 www"),
    ("toglue", "HTTPS", "1 ns.sub"),
    ("tonowhere", "HTTPS", "1 nothing"),
    ("tooutside", "HTTPS", "1 mail.example.net."),
    ("toinner", "HTTPS", "1 www.inner"),
    ("totwo", "CNAME", "two"),
    ("many", "HTTPS", "1 crowd"),
    *(("crowd", "AAAA", f"2001:db8::{number}") for number in range(20)),
    ("inner", "NS", "mail"),
]
INNER = zone("inner.example.com", [("www", "A", "192.0.2.80")])
WEB = with_records(service("web"), H2, binding("2 https.example.com. port=8443", hints=False))
MAIL = ["mail.example.com. A 192.0.2.60", "mail.example.com. AAAA 2001:db8::60"]
HTTPS = ["https.example.com. A 192.0.2.61", 'https.example.com. HTTPS 1 . port="8443"']
TWO = [*MAIL, *HTTPS]


@pytest.fixture(scope="module")
def asker() -> Asker:
    """Static and steered records that name hosts of all kinds."""
    rules = policy([zone("example.com", RECORDS, {"www": "web", "*.app": "web"}), INNER], [WEB], REGIONS)
    return Asker(publish(plan(rules, tiny_map(), world()), world(), 1).snapshot)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("two", "HTTPS", TWO),
        ("totwo", "HTTPS", TWO),
        ("two.d", "HTTPS", TWO),
        ("svcb", "SVCB", ["https.example.com. A 192.0.2.61", 'https.example.com. SVCB 1 . port="853"']),
        ("apex", "HTTPS", HTTPS),
        ("self", "HTTPS", ["self.example.com. A 192.0.2.63"]),
        ("tostar", "HTTPS", ["any.star.example.com. A 192.0.2.62"]),
        ("toglue", "HTTPS", ["ns.sub.example.com. A 192.0.2.53"]),
        ("https", "HTTPS", []),
        ("toalias", "HTTPS", []),
        ("tosteered", "HTTPS", []),
        ("tonowhere", "HTTPS", []),
        ("tooutside", "HTTPS", []),
        ("toinner", "HTTPS", []),
        ("www", "HTTPS", HTTPS),
        ("any.app", "HTTPS", HTTPS),
        ("www", "A", []),
    ],
)
def test_targets_of_the_zone(asker: Asker, name: str, kind: str, expected: list[str]) -> None:
    """Addresses and records of the same type that the zone has for them (RFC 9460 4.1); nothing that is
    steered, aliased, somebody else's or in the answer already.
    """
    response = asker.ask(f"{name}.example.com.", kind)
    assert response.answer
    assert sorted(section(response.additional)) == sorted(expected)


def test_it_may_be_left_out(asker: Asker) -> None:
    """Where space is short the answer alone is sent, whole and without TC."""
    response = asker.ask("many.example.com.", "HTTPS", udp=512)
    assert answers(response) == ["many.example.com. HTTPS 1 crowd.example.com."]
    assert not response.additional
    assert not response.flags & dns.flags.TC
    assert len(section(asker.ask("many.example.com.", "HTTPS").additional)) == 20
