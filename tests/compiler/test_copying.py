"""What a secondary gets of a zone, and when its serial changes."""

import dataclasses
import pickle
from collections.abc import Mapping

import pytest

from georouter.answers.copies import Content
from georouter.compiler.plan import Plan, plan, rerank
from georouter.compiler.serials import Numbered, Serials
from georouter.facts.world import World
from georouter.policy.model import Transfer, Zone
from georouter.policy.packed import pack
from georouter.policy.steps import Latency
from georouter.wire.codes import type_text
from georouter.wire.names import name_text
from georouter.wire.rdata import parse_rdata, rdata_text
from georouter.words.ids import RegionName, ZoneName
from tests.compiler.build import REGIONS, policy, region, service, tiny_map, world, zone

DS = rdata_text(*parse_rdata("DS", "1 8 2 " + "ab" * 32, b"\0"))
NAME = ZoneName("example.com")
OUTER = zone(
    "example.com",
    [
        ("mail", "A", "192.0.2.60"),
        ("*.w", "TXT", "star"),
        ("d", "DNAME", "elsewhere.example."),
        ("sub", "NS", "ns.sub"),
        ("sub", "DS", DS),
        ("ns.sub", "A", "192.0.2.70"),
        ("deep.sub", "TXT", "occluded"),
    ],
    {"www": "web", "x.sub": "web"},
)
STEERED = {"www.example.com A 192.0.2.1", "www.example.com AAAA 2001:db8::1"}


def shared(item: Zone, **soa: object) -> Zone:
    """The zone with secondaries; its serial is managed unless one is given."""
    made = dataclasses.replace(item.soa, **{"serial": None, **soa})  # type: ignore[arg-type]
    return dataclasses.replace(item, soa=made, transfer=Transfer())


def compiled(*zones: Zone, known: Mapping[ZoneName, Numbered] | None = None, at: int = 1000) -> Plan:
    """Their plan."""
    return plan(policy(zones, [service("web")]), tiny_map(), world(), Serials(known or {}, at))


def told(content: Content) -> set[str]:
    """Its records, the SOA left out."""
    found = []
    for owner, tail in content:
        kind = int.from_bytes(tail[:2])
        found.append(f"{name_text(owner)} {type_text(kind)} {rdata_text(kind, tail[10:])}")
        assert tail[2:4] == b"\0\1"
        assert int.from_bytes(tail[8:10]) == len(tail) - 10
    assert len(found) == len(set(found))
    return set(found)


def copy_of(*zones: Zone) -> set[str]:
    """The records of the first of these zones."""
    return told(compiled(*zones).contents[zones[0].name])


def test_what_is_copied() -> None:
    """All that was written, below delegations too, and steered names; not those that are delegated."""
    assert copy_of(shared(OUTER)) == STEERED | {
        "example.com NS ns1.example.com.",
        "mail.example.com A 192.0.2.60",
        '*.w.example.com TXT "star"',
        "d.example.com DNAME elsewhere.example.",
        "sub.example.com NS ns.sub.example.com.",
        f"sub.example.com DS {DS}",
        "ns.sub.example.com A 192.0.2.70",
        'deep.sub.example.com TXT "occluded"',
    }


INNER = zone(
    "inner.example.com",
    [("ns1", "A", "192.0.2.81"), ("ns1", "AAAA", "2001:db8::81"), ("www", "A", "192.0.2.80")],
)
ABOVE = zone(
    "example.com", [("www.inner", "TXT", "not ours"), ("inner", "MX", "10 mail"), ("inner", "DS", DS)]
)
DELEGATION = {
    "inner.example.com NS ns1.inner.example.com.",
    "ns1.inner.example.com A 192.0.2.81",
    "ns1.inner.example.com AAAA 2001:db8::81",
}


def test_zones_inside_are_delegated() -> None:
    """With their own NS and glue; of what else stands there only the DS is the outer zone's."""
    found = copy_of(shared(ABOVE), INNER)
    assert found == DELEGATION | {"example.com NS ns1.example.com.", f"inner.example.com DS {DS}"}
    deeper = zone("x.inner.example.com")
    assert copy_of(shared(ABOVE), INNER, deeper) == found
    assert "x.inner.example.com NS ns1.x.inner.example.com." in copy_of(shared(INNER), ABOVE, deeper)


def test_a_delegation_of_its_own_stands() -> None:
    """What the outer zone says of the name servers is not added to; nor is anything below a delegation."""
    rows = [("inner", "NS", "ns1.inner"), ("ns1.inner", "A", "192.0.2.99"), ("ns1.inner", "TXT", "no")]
    assert copy_of(shared(zone("example.com", rows)), INNER) == {
        "example.com NS ns1.example.com.",
        "inner.example.com NS ns1.inner.example.com.",
        "ns1.inner.example.com A 192.0.2.99",
    }
    cut = shared(zone("example.com", [("inner", "NS", "ns.elsewhere.example.")]))
    below = zone("a.inner.example.com")
    assert copy_of(cut, below) == {
        "example.com NS ns1.example.com.",
        "inner.example.com NS ns.elsewhere.example.",
    }


def test_glue_that_is_there_is_not_doubled() -> None:
    """The outer zone's own name server lies in the inner one: its glue is in the outer zone already."""
    outer = zone("example.com", [("@", "NS", "ns1.inner"), ("ns1.inner", "A", "192.0.2.99")])
    found = copy_of(shared(outer), INNER)
    assert "ns1.inner.example.com A 192.0.2.99" in found
    assert "ns1.inner.example.com A 192.0.2.81" not in found


CHANGES = {
    "a record": shared(dataclasses.replace(OUTER, records=OUTER.records[:-1])),
    "a TTL": shared(
        dataclasses.replace(
            OUTER, records=(dataclasses.replace(OUTER.records[0], ttl_s=301), *OUTER.records[1:])
        )
    ),
    "the SOA": shared(OUTER, negative_ttl_s=61),
    "a steered name": shared(dataclasses.replace(OUTER, steered=())),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_serial_follows(change: str) -> None:
    """It is newer for whatever a secondary sees."""
    first = compiled(shared(OUTER))
    assert first.serials[NAME].serial == 1000
    for at, expected in ((2000, 2000), (1000, 1001), (900, 1001)):
        then = compiled(CHANGES[change], known=first.serials, at=at)
        assert then.contents[NAME].serial == then.serials[NAME].serial == expected
        assert then.authorities[0].soa[-20:-16] == expected.to_bytes(4)
        assert then.contents[NAME].soa == then.authorities[0].soa


def test_what_a_serial_does_not_follow() -> None:
    """The order of records, time, health, the map, who may copy the zone."""
    first = compiled(shared(OUTER))
    turned = dataclasses.replace(OUTER, records=tuple(reversed(OUTER.records)))
    two = [("m", "A", "192.0.2.1"), ("m", "A", "192.0.2.2")]
    one = compiled(shared(zone("example.com", two)))
    assert compiled(shared(turned), known=first.serials, at=2000).serials == first.serials
    assert compiled(shared(zone("example.com", two[::-1])), known=one.serials, at=9).serials == one.serials
    alone = dataclasses.replace(shared(OUTER), transfer=None)
    assert compiled(alone, known=first.serials, at=2000).serials == first.serials
    elsewhere = plan(
        policy([shared(OUTER)], [service("web")]),
        tiny_map([0], [3]),
        world(down=["eu"]),
        Serials(first.serials, 2000),
    )
    assert elsewhere.serials == first.serials


def test_addresses_of_regions_are_content() -> None:
    """Those of the default answer, and no others."""
    first = compiled(shared(OUTER))

    def serial(name: str) -> int:
        changed = [region(item.name, "192.0.2.99") if item.name == name else item for item in REGIONS]
        rules = policy([shared(OUTER)], [service("web")], changed)
        return plan(rules, tiny_map(), world(), Serials(first.serials, 2000)).serials[NAME].serial

    assert (serial("eu"), serial("us")) == (2000, 1000)


def test_the_operators_serial_stands() -> None:
    """Whatever changes; without secondaries the content is not even looked at."""
    first = compiled(shared(OUTER, serial=77))
    other = compiled(shared(ABOVE, serial=77), known=first.serials)
    assert first.contents[NAME].serial == other.contents[NAME].serial == 77
    assert first.contents[NAME].digest != other.contents[NAME].digest
    plain = compiled(OUTER)
    assert plain.serials == {NAME: Numbered("", 7)}
    assert plain.contents == {}
    managed = compiled(shared(OUTER), known=plain.serials, at=3)
    assert managed.serials[NAME].serial == 8


def test_ranking_anew_changes_nothing() -> None:
    """Round trips move rankings, never a copy or its serial."""
    rules = policy([shared(OUTER)], [service("web", chain=[Latency()])])
    made = plan(rules, tiny_map(), World())
    again = rerank(made, rules, tiny_map(), World(rtt_ms={RegionName("us"): 0.1}))
    assert again.contents is made.contents
    assert again.serials is made.serials


def test_copies_hold_no_records_of_their_own() -> None:
    """A million names are there once, also after they travelled to another process."""
    packed = dataclasses.replace(shared(OUTER), records=pack(OUTER.records))
    made = compiled(packed)
    assert made.contents[NAME].records is packed.records
    travelled, kept = pickle.loads(pickle.dumps((packed, made.contents)))
    assert kept[NAME].records is travelled.records
    assert told(kept[NAME]) == told(made.contents[NAME])


def test_aliases() -> None:
    """Static and steered targets are flattened with the least TTL; what only a resolver knows is left out."""
    made = zone(
        "example.com",
        [("mail", "A", "192.0.2.60")],
        {"www": "web"},
        {"@": ("www", 20), "static": ("mail", 7), "out": ("lb.example.net.", None), "*.w": ("static", None)},
    )
    content = compiled(shared(made)).contents[NAME]
    assert told(content) == STEERED | {
        "example.com NS ns1.example.com.",
        "mail.example.com A 192.0.2.60",
        "example.com A 192.0.2.1",
        "example.com AAAA 2001:db8::1",
        "static.example.com A 192.0.2.60",
        "*.w.example.com A 192.0.2.60",
    }
    ttls_s = {name_text(owner): int.from_bytes(tail[4:8]) for owner, tail in content if tail[:2] == b"\0\1"}
    assert ttls_s["example.com"] == 20
    assert ttls_s["static.example.com"] == ttls_s["*.w.example.com"] == 7
    other = dataclasses.replace(made, aliases=made.aliases[:-1])
    assert compiled(shared(other)).contents[NAME].digest != content.digest


@pytest.mark.parametrize(("target", "steered"), [("mail", False), ("www.example.net.", True), ("to", True)])
def test_aliases_that_a_copy_cannot_follow(target: str, steered: bool) -> None:
    """Steered and outside targets make the zone one with steered names, which may be kept back."""
    one = zone(
        "example.com", [("mail", "A", "192.0.2.60")], None, {"a": (target, None), "to": ("x.example.org.", 5)}
    )
    if not steered:
        one = dataclasses.replace(one, aliases=one.aliases[:1])
    other = zone("example.org", (), {"x": "web"})
    assert compiled(shared(one), other).contents[NAME].steered is steered
