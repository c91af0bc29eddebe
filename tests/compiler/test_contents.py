import dataclasses

import pytest

from georouter.answers.layout import Reason
from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_OTHER
from georouter.compiler.contents import NODATA, PROHIBITED, SERVFAIL, Content, Contents, together_steady
from georouter.compiler.steering import Steering, steer
from georouter.facts.world import Effective, RegionFacts, State
from georouter.policy.model import Endpoint, Region
from georouter.policy.steps import Limit
from georouter.routing.select import NODATA as NO_RECORDS
from georouter.routing.select import REFUSED, Candidate, Selection, live
from georouter.words.ids import RegionName
from tests.compiler.build import policy, region, service, tiny_map, world, zone

UP = RegionFacts(State.UP, Effective.UP)
MANY = region(
    "eu",
    Endpoint("192.0.2.1", 4, 3.0),
    Endpoint("192.0.2.2", 4, 1.0),
    Endpoint("192.0.2.3", 4, 0.0),
    Endpoint("2001:db8::1", 6),
)
HOST = region("us", Endpoint("a.example.net", 0, 1.0), Endpoint("b.example.net", 0, 3.0))
TWO = region("ap", "198.51.100.1", "198.51.100.2", "192.0.2.1")


def a(*last: int) -> Content:
    """An A content of 192.0.2.x."""
    return Content(rdatas=tuple(bytes((192, 0, 2, number)) for number in last))


def group(*regions: Region, limit: Limit | None = None) -> Steering:
    """A group over these regions."""
    web = service("web", regions=[item.name for item in regions], chain=[limit or Limit()])
    return steer(policy([zone("example.com")], [web], regions), tiny_map(), world()).steerings[0]


def said(contents: Contents, *regions: int) -> list[tuple[Content, float]]:
    """What a candidate of these regions is answered with."""
    numbered = contents.alternatives(Candidate(regions, 1.0, Reason.PRIMARY))
    items = list(contents.items)
    return [(items[number], weight) for number, weight in numbered]


def test_every_address_comes_first_in_proportion() -> None:
    """One rotation per address with a weight; an address of weight 0 never leads."""
    contents = Contents(group(MANY), SLOT_A, (UP,))
    assert said(contents, 0) == [(a(1, 2, 3), 3.0), (a(2, 3, 1), 1.0)]


def test_addresses_are_cut_after_rotating() -> None:
    """`limit.addresses` keeps the first ones of each rotation."""
    contents = Contents(group(MANY, limit=Limit(addresses=1)), SLOT_A, (UP,))
    assert said(contents, 0) == [(a(1), 3.0), (a(2), 1.0)]


@pytest.mark.parametrize(
    ("facts", "alive"),
    [
        (UP, [0, 1, 2, 3]),
        (dataclasses.replace(UP, endpoints_down=frozenset({0, 3})), [1, 2]),
        (RegionFacts(State.DOWN, Effective.DOWN, endpoints_down=frozenset(range(4))), [0, 1, 2, 3]),
        (RegionFacts(State.DOWN, Effective.UP, Effective.UP, endpoints_down=frozenset({0})), [0, 1, 2, 3]),
        (
            RegionFacts(State.UP, Effective.DRAINED, Effective.DRAINED, endpoints_down=frozenset({0})),
            [1, 2, 3],
        ),
    ],
)
def test_live(facts: RegionFacts, alive: list[int]) -> None:
    """A down endpoint is left out while its region has another one up, unless the region is forced up."""
    assert live(MANY, facts) == tuple(MANY.endpoints[index] for index in alive)


def test_a_region_without_a_live_address_of_the_family_says_nodata() -> None:
    """Its IPv6 endpoint down, a region answers AAAA with NODATA and A with what it has."""
    facts = (dataclasses.replace(UP, endpoints_down=frozenset({3})),)
    assert said(Contents(group(MANY), SLOT_AAAA, facts), 0) == [(NODATA, 1.0)]
    assert len(said(Contents(group(MANY), SLOT_A, facts), 0)) == 2


def test_hostnames() -> None:
    """Hostname endpoints are CNAMEs in every slot, one at a time, by weight; other regions add nothing."""
    contents = Contents(group(HOST, TWO, limit=Limit(2)), SLOT_OTHER, (UP, UP))
    names = [(b"\x01a\x07example\x03net\0", 1.0), (b"\x01b\x07example\x03net\0", 3.0)]
    assert said(contents, 0, 1) == [(Content(target=name), weight) for name, weight in names]
    assert said(contents, 1) == [(NODATA, 1.0)]


def test_several_regions_stand_one_behind_the_other() -> None:
    """Addresses of further regions follow, without repeats, up to the limit."""
    contents = Contents(group(MANY, TWO, limit=Limit(2, addresses=5)), SLOT_A, (UP, UP))
    [(first, _), (second, _)] = said(contents, 0, 1)
    texts = [[".".join(map(str, rdata)) for rdata in item.rdatas] for item in (first, second)]
    assert texts == [
        ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1", "198.51.100.2"],
        ["192.0.2.2", "192.0.2.3", "192.0.2.1", "198.51.100.2", "198.51.100.1"],
    ]


def test_denials() -> None:
    """A selection without candidates says why."""
    contents = Contents(group(MANY), SLOT_A, (UP,))
    items = list(contents.items)
    assert items[contents.denial(REFUSED)] == PROHIBITED
    assert items[contents.denial(NO_RECORDS)] == NODATA
    assert items[contents.denial(Selection((), Reason.ALL_DOWN, servfail=True))] == SERVFAIL


def test_health_does_not_renumber() -> None:
    """Contents known without health keep their numbers; what health adds comes after them."""
    steering = group(MANY, TWO)
    steady = Contents(steering, SLOT_A, (UP, UP))
    sick = Contents(steering, SLOT_A, (dataclasses.replace(UP, endpoints_down=frozenset({0})), UP))
    said(steady, 0)
    said(sick, 0)
    assert steady.steady == sick.steady == len(steady.items)
    assert list(sick.items)[: sick.steady] == list(steady.items)
    assert len(sick.items) == sick.steady + 1


def test_answers_of_several_regions_are_numbered_ahead() -> None:
    """A failover finds them finished: every order of as many regions as an answer may hold."""
    parts = (region("eu", "192.0.2.1"), region("us", "192.0.2.2"), region("ap", "192.0.2.3"))
    steering = group(*parts, limit=Limit(regions=2))
    contents = Contents(steering, SLOT_A, (UP, UP, UP))
    assert together_steady(steering) == ((0,), (1,), (2,), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
    assert said(contents, 2, 0) == [(a(3, 1), 1.0)]
    assert said(contents, 0) == [(a(1), 1.0)]
    assert len(contents.items) == contents.steady


def test_too_many_ways_are_not_numbered_ahead() -> None:
    """Seventeen regions, two in an answer, would be 289 of them."""
    parts = [
        dataclasses.replace(region("eu", f"192.0.2.{number}"), name=RegionName(f"r{number}"))
        for number in range(1, 18)
    ]
    steering = group(*parts, limit=Limit(regions=2))
    contents = Contents(steering, SLOT_A, (UP,) * len(parts))
    assert len(together_steady(steering)) == len(parts)
    assert said(contents, 0, 1) == [(a(1, 2), 1.0)]
    assert len(contents.items) == contents.steady + 1
