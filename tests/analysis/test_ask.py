"""Asking a snapshot and reading its answer."""

from ipaddress import ip_network

import dns.edns
import dns.message
import pytest

from georouter.analysis.ask import Decided, ask, make_query
from georouter.analysis.asker import asker_of
from georouter.answers.layout import Reason
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.model import AllDown
from georouter.policy.steps import Match, Nearest, Residency
from georouter.wire.codes import TYPE_A, TYPE_TXT
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import ASHBURN, BERLIN, client, policy, service, tiny_map, world, zone

FENCE = Residency(Match(countries=("DE",)), frozenset())
SETTING = policy(
    [
        zone(
            "example.com",
            [("long", "TXT", f'"{"x" * 250}"')] * 1,
            {"www": "web", "safe": "fenced", "off": "dark"},
        )
    ],
    [
        service("web", chain=[Nearest()]),
        service("fenced", chain=[FENCE]),
        service("dark", when_all_down=AllDown.SERVFAIL, regions=["ap"]),
    ],
)
SNAPSHOT = publish(plan(SETTING, tiny_map(), world()), world(down=["ap"]), 1).snapshot


@pytest.mark.parametrize("block", ["192.0.2.128/25", "10.0.0.0/7", "2001:db8::/56", "2001:db8::1/128"])
def test_the_query_is_one_that_others_read(block: str) -> None:
    """An independent reader finds the question and the client subnet as they were meant."""
    network = ip_network(block)
    query = dns.message.from_wire(make_query(parse_name("www.example.com"), TYPE_A, network, 1232))
    (option,) = query.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (ip_network((option.address, option.srclen)), option.scopelen) == (network, 0)
    assert (query.question[0].to_text(), query.payload) == ("www.example.com. IN A", 1232)


def test_reads_records_scope_and_what_was_counted() -> None:
    """A steered answer for Ashburn."""
    meaning, decided = ask(
        SNAPSHOT,
        parse_name("www.example.com"),
        TYPE_A,
        asker_of(client(ASHBURN), None),
        now=1.0,
        udp_payload=1232,
    )
    (record,) = meaning.records
    assert (record.section, record.name, record.ttl_s, record.type, record.data) == (
        "answer",
        "www.example.com",
        30,
        "A",
        "192.0.2.3",
    )
    assert meaning.scope is not None
    assert ip_network(client(ASHBURN)).subnet_of(meaning.scope)
    assert decided == Decided(ServiceName("web"), RegionName("us"), Reason.PRIMARY)


def test_without_a_client_subnet() -> None:
    """There is none in the query, so none in the answer: the resolver's address decides."""
    query = dns.message.from_wire(make_query(parse_name("www.example.com"), TYPE_A, None, 1232))
    assert (query.edns, query.options) == (0, ())
    asker = asker_of(None, client(ASHBURN))
    meaning, decided = ask(SNAPSHOT, parse_name("www.example.com"), TYPE_A, asker, now=1.0, udp_payload=1232)
    assert decided == Decided(ServiceName("web"), RegionName("us"), Reason.PRIMARY)
    assert meaning.scope is None


@pytest.mark.parametrize(
    ("name", "rcode", "reason"),
    [("safe.example.com", "NOERROR", Reason.REFUSED), ("off.example.com", "SERVFAIL", Reason.ALL_DOWN)],
)
def test_nobody_answers(name: str, rcode: str, reason: Reason) -> None:
    """Fenced off, or down with `servfail`: counted under no region, with an extended error."""
    meaning, decided = ask(
        SNAPSHOT, parse_name(name), TYPE_A, asker_of(client(BERLIN), None), now=1.0, udp_payload=1232
    )
    assert decided is not None
    assert (decided.region, decided.reason, meaning.rcode) == (None, reason, rcode)
    assert meaning.extended_error
    assert not [record for record in meaning.records if record.section == "answer"]


def test_static_answers_are_nobodys_decision() -> None:
    """And one that does not fit into 512 octets would be truncated over UDP, yet is read whole."""
    long = policy([zone("example.com", [("@", "TXT", f'"{letter * 250}"') for letter in "abc"])])
    snapshot = publish(plan(long, tiny_map(), world()), world(), 1).snapshot
    meaning, decided = ask(
        snapshot,
        parse_name("example.com"),
        TYPE_TXT,
        asker_of("192.0.2.0/24", None),
        now=1.0,
        udp_payload=512,
    )
    assert decided is None
    assert len(meaning.records) == 3
    assert meaning.truncated_over_udp
    assert meaning.scope == ip_network("0.0.0.0/0")
