"""What HTTPS hints say is what A and AAAA answer: bands side by side, and over random policies and worlds."""

from array import array
from collections.abc import Sequence
from dataclasses import replace

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.answers.layout import REASONS, Reason
from georouter.answers.tables import SLOT_A, SLOT_AAAA
from georouter.compiler.contents import NODATA, PROHIBITED, SERVFAIL, Content, Contents
from georouter.compiler.pairs import Paired, Side, pair, together
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.compiler.runs import TOP, make_runs
from georouter.compiler.selections import select_all
from georouter.compiler.steering import steer
from georouter.facts.world import World
from georouter.policy.model import AllDown, Binding, Endpoint, Policy, Region, Service
from georouter.policy.steps import Limit, Match, Nearest, Residency, Step, Sticky, Unplaced, Weighted
from georouter.words.ids import RegionName
from tests.compiler.build import LOCATIONS, Asker, client, policy, region, service, tiny_map, world, zone

PLAIN = Binding(1, b"\0", (), hints=True)
ONE, TWO, HOST = Content(rdatas=(b"1",)), Content(rdatas=(b"2",)), Content(target=b"\x01h\0")


def bound(made: Service) -> Service:
    """The service with a plain HTTPS record."""
    return replace(made, https=(PLAIN,))


@pytest.mark.parametrize(
    ("a", "aaaa", "said"),
    [
        (ONE, TWO, Content(rdatas=(b"1",), further=(b"2",))),
        (ONE, NODATA, Content(rdatas=(b"1",))),
        (NODATA, TWO, Content(further=(b"2",))),
        (HOST, HOST, HOST),
        (HOST, NODATA, HOST),
        (NODATA, HOST, HOST),
        (HOST, TWO, HOST),
        (ONE, HOST, ONE),
        (NODATA, NODATA, NODATA),
        (NODATA, SERVFAIL, SERVFAIL),
        (SERVFAIL, NODATA, SERVFAIL),
        (PROHIBITED, PROHIBITED, PROHIBITED),
    ],
)
def test_together(a: Content, aaaa: Content, said: Content) -> None:
    """Addresses of both; a hostname stands alone, as CNAMEs do; why there is nothing is kept."""
    assert together(a, aaaa) == said


def paired(parts: Sequence[Region], now: World, before: Paired | None = None) -> tuple[Paired, list[Side]]:
    """The bound slot of a service over these regions, and what it was made of."""
    web = bound(service("web", [item.name for item in parts], [Weighted({RegionName("us"): 3.0})]))
    made = steer(policy([zone("example.com")], [web], parts), tiny_map(), world())
    group, table = made.steerings[0], made.tables[0]
    facts = tuple(now.region(item.name) for item in group.regions)
    sides = []
    for slot in (SLOT_A, SLOT_AAAA):
        selections = select_all(table, group, facts, group.usable[slot])
        listed = Contents(group, slot, facts)
        pieces = make_runs(selections, listed).pieces if slot in group.slots else ()
        sides.append(Side(selections, pieces, tuple(listed.items)))
    return pair(group, *sides, before), sides


def test_every_border_of_either_is_a_border() -> None:
    """Two IPv4 and three IPv6 addresses in one band make four parts, with the region's counter in each."""
    eu = region("eu", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3")
    found, _ = paired((eu, region("us", "192.0.2.3", "2001:db8::4")), world())
    (piece,) = found.laid.pieces
    quarter = TOP // 4
    borders = [quarter // 3, quarter // 2, quarter * 2 // 3, quarter, TOP]
    assert list(piece.threshold) == pytest.approx(borders, abs=2)
    assert list(piece.tally) == [0, 0, 0, 0, REASONS]
    leaders = [(found.contents[i].rdatas[0][-1], found.contents[i].further[0][-1]) for i in piece.body]
    assert leaders == [(1, 1), (1, 2), (2, 2), (2, 3), (3, 4)]
    assert piece.steady


def test_a_family_that_nobody_has() -> None:
    """Without IPv6 anywhere the pairs are the IPv4 addresses alone."""
    found, sides = paired((region("eu", "192.0.2.1", "192.0.2.2"), region("us", "192.0.2.3")), world())
    assert sides[1].pieces == ()
    (piece,) = found.laid.pieces
    assert all(found.contents[index].rdatas and not found.contents[index].further for index in piece.body)
    assert list(piece.threshold) == list(sides[0].pieces[0].threshold)


def test_the_other_family_is_counted_where_a_has_nothing() -> None:
    """The decision of an answer with IPv6 alone is that of AAAA."""
    found, _ = paired((region("eu", "2001:db8::1"), region("us", "192.0.2.3")), world(down=["us"]))
    (piece,) = found.laid.pieces
    assert piece.tally == array("I", [Reason.PRIMARY])
    assert found.contents[piece.body[0]] == Content(further=(bytes.fromhex("20010db8" + "0" * 23 + "1"),))


def test_pieces_of_the_same_pieces_are_taken_over() -> None:
    """What did not change is the same object; what depends on an endpoint's health is made anew."""
    us = region("us", "192.0.2.3", "2001:db8::2")
    parts = (region("eu", "192.0.2.1", "192.0.2.2", "2001:db8::1"), us)
    one, sides = paired(parts, world())
    made = steer(policy([zone("x")], [bound(service("web", ["eu", "us"]))], parts), tiny_map(), world())
    again = pair(made.steerings[0], *sides, one)
    assert all(old is new for old, new in zip(one.laid.pieces, again.laid.pieces, strict=True))
    sick, _ = paired(parts, world(endpoints_down={"eu": [0]}), one)
    assert not sick.laid.pieces[0].steady
    steady = len(one.contents)
    assert sick.contents[:steady] == one.contents


# Random policies and worlds, read by dnspython.

WEIGHT = st.sampled_from((0.0, 1.0, 1.0, 2.0, 0.7))


@st.composite
def regions(draw: st.DrawFn) -> tuple[Region, ...]:
    """Two to five regions with addresses of one or both families, or hostnames."""
    found = []
    for number, name in enumerate(draw(st.permutations(sorted(LOCATIONS)))[: draw(st.integers(2, 5))]):
        hosts = draw(st.sampled_from((0, 0, 0, 1, 2)))
        if hosts:
            ends = [Endpoint(f"h{turn}.{name}.example.net", 0, draw(WEIGHT)) for turn in range(hosts)]
        else:
            v4, v6 = draw(st.sampled_from(((1, 1), (2, 2), (3, 2), (1, 0), (0, 1), (2, 0), (2, 4))))
            ends = [Endpoint(f"192.0.2.{number * 10 + turn}", 4, draw(WEIGHT)) for turn in range(v4)]
            ends += [Endpoint(f"2001:db8::{number}:{turn}", 6, draw(WEIGHT)) for turn in range(v6)]
        found.append(region(name, *ends))
    return tuple(found)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Regions and endpoints in all states."""
    names = st.lists(st.sampled_from(sorted(LOCATIONS)), unique=True)
    down = st.dictionaries(st.sampled_from(sorted(LOCATIONS)), st.sets(st.integers(0, 4)).map(sorted))
    return world(draw(names), draw(names), draw(names), {"web": draw(names)}, draw(down))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """One service with an HTTPS record at `www`."""
    parts = draw(regions())
    names = [item.name for item in parts]
    chain: list[Step] = []
    if draw(st.booleans()):
        allowed = frozenset(names[: draw(st.integers(0, len(names)))])
        chain.append(
            Residency(Match(groups=("EU",)), allowed, unplaced=draw(st.sampled_from(list(Unplaced))))
        )
    if draw(st.booleans()):
        chain.append(Nearest(tolerance_km=draw(st.sampled_from((0.0, 2000.0, 20000.0)))))
    chain.append(Weighted({name: draw(WEIGHT) for name in names}))
    if draw(st.integers(0, 3)) == 0:
        chain.append(Sticky())
    hosts = any(end.family == 0 for item in parts for end in item.endpoints)
    chain.append(Limit(1 if hosts else draw(st.integers(1, 3)), addresses=draw(st.integers(1, 4))))
    split = draw(st.integers(1, len(names)))
    web = service(
        "web", names[:split], chain, draw(st.sampled_from(list(AllDown))), names[split:] or names[:1]
    )
    return policy([zone("example.com", (), {"www": "web"})], [bound(web)], parts)


def said(response: dns.message.Message) -> tuple[list[str], list[str], list[str]]:
    """Hostnames, IPv4 and IPv6 addresses of an answer of any type, in order."""
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for rrset in response.answer:
        for rdata in rrset:
            if rrset.rdtype == dns.rdatatype.HTTPS:
                for key, place in ((4, 1), (6, 2)):
                    assert key not in rdata.params or rdata.params[key].addresses
                    found[place].extend(rdata.params[key].addresses if key in rdata.params else ())
            else:
                place = {dns.rdatatype.CNAME: 0, dns.rdatatype.A: 1, dns.rdatatype.AAAA: 2}[rrset.rdtype]
                found[place].append(rdata.to_text())
    return found


@settings(max_examples=60, deadline=None)
@given(rules=policies(), history=st.lists(worlds(), min_size=1, max_size=3), seed=st.integers(0, 2**20))
def test_hints_are_what_a_and_aaaa_answer(rules: Policy, history: list[World], seed: int) -> None:
    """Same addresses in the same order, same hostname, same denial, same scope; in any world, however
    it came about, for every client at any time.
    """
    made = plan(rules, tiny_map(), world())
    published = None
    for generation, now in enumerate(history):
        published = publish(made, now, generation, published)
    assert published is not None
    direct = publish(made, history[-1], len(history) - 1)
    assert direct.snapshot.groups == published.snapshot.groups
    assert direct.snapshot.bodies == published.snapshot.bodies
    asker = Asker(published.snapshot)
    sticky = any(isinstance(step, Sticky) for step in next(iter(rules.services.values())).chain)
    for turn in range(12):
        subnet, time = f"{client(turn % 6, seed & 0xFFFF00)}/24", 1000.0 + 30 * turn + seed % 29
        a, aaaa, https = (
            asker.ask("www.example.com", kind, subnet=subnet, now=time) for kind in ("A", "AAAA", "HTTPS")
        )
        (host, v4, _), (host6, _, v6), bound_to = said(a), said(aaaa), said(https)
        if sticky and https.answer and not all(bound_to[1:]):
            assert bound_to in ((host, [], []), (host6, [], []), ([], v4, []), ([], [], v6))
        elif v4:
            assert bound_to == ([], v4, v6)
        elif host:
            assert bound_to == (host, [], [])
        else:
            assert bound_to == (host6, [], v6)
        if not https.answer:
            reason = aaaa if a.rcode() == dns.rcode.NOERROR and len(a.options) == 1 else a
            assert (https.rcode(), https.options) == (reason.rcode(), reason.options)
        assert https.options[0] in (a.options[0], aaaa.options[0])


def test_sticky_regions_are_side_by_side() -> None:
    """Where the region of a client has one family, only that is said, and A or AAAA agree with it; where
    all regions have both, so does the answer.
    """
    parts = (
        region("eu", "192.0.2.1", "192.0.2.2", "2001:db8::1"),
        region("us", "192.0.2.3"),
        region("ap", "2001:db8::4", "2001:db8::5"),
    )
    web = bound(service("web", ["eu", "us", "ap"], [Weighted({RegionName("us"): 2.0}), Sticky()]))
    rules = policy([zone("example.com", (), {"www": "web"})], [web], parts)
    asker = Asker(publish(plan(rules, tiny_map(), world()), world(), 1).snapshot)
    seen = set()
    for host in range(300):
        subnet = f"{client(1, host << 8)}/24"
        (_, v4, _), (_, _, v6), (_, hint4, hint6) = (
            said(asker.ask("www.example.com", kind, subnet=subnet)) for kind in ("A", "AAAA", "HTTPS")
        )
        assert hint4 in ([], v4)
        assert hint6 in ([], v6)
        assert hint4 or hint6
        seen.add((bool(hint4), bool(hint6), tuple(hint4 + hint6)))
    assert {found[:2] for found in seen} == {(True, True), (True, False), (False, True)}
    assert len(seen) == 2 + 1 + 2
