"""Tenants that move: counted by name, from where to where, in the world and in the directory."""

import pytest

from georouter.analysis.measured import asking
from georouter.analysis.moving import Both, Moving, compare
from georouter.analysis.simulate import having
from georouter.analysis.traffic import GONE, Clients, Served, Side, address_space
from georouter.facts.world import World
from georouter.policy.steps import Match, Nearest, Pin, Residency, Step, Unknown
from georouter.policy.tenants import Tenancy, TenantDirectory
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, tiny_map, zone
from tests.compiler.test_pins import directory

EU, EU2, US, AP = map(RegionName, ("eu", "eu2", "us", "ap"))
WEB = ServiceName("web")
GEO = tiny_map()
EVERYBODY: Clients = address_space(GEO, GEO)
LIVING = {
    "acme": Tenancy(EU, frozenset({EU, EU2})),
    "globex": Tenancy(US),
    "initech": Tenancy(US),
    "umbrella": Tenancy(EU, frozenset({EU})),
}
TENANTS = directory(**LIVING)
FENCE = Residency(Match(groups=("EU",)), frozenset({EU, EU2}))


def side(*chain: Step, names: tuple[str, ...] = ("*.app",), world: World | None = None) -> Side:
    """A service at these names."""
    web = service("web", chain=chain)
    return Side(policy([zone("example.com", (), dict.fromkeys(names, "web"))], [web]), GEO, world or World())


def pinned(living: TenantDirectory, unknown: Unknown = Unknown.NXDOMAIN, *behind: Step) -> Side:
    """A service whose names are tenants' alone."""
    return side(Pin(living, unknown=unknown), *(behind or (Nearest(),)))


def compared(before: Side, after: Side) -> Both:
    """What happens to the service."""
    return compare(before, after, before.policy.services[WEB], after.policy.services[WEB], EVERYBODY)


def moving(before: Side, after: Side) -> Moving:
    """What happens to its tenants, of which there are some."""
    found = compared(before, after).moving
    assert found is not None
    return found


def ways(found: Moving) -> dict[tuple[str | None, str | None], float]:
    """Who goes where, to be compared."""
    return {(way.source, way.target): pytest.approx(way.tenants) for way in found.ways}


def test_the_loss_of_a_region_moves_those_who_live_there() -> None:
    """Who may live nowhere else stays; the shift of the service is that of its tenants."""
    before = pinned(TENANTS)
    found = compared(before, before.during(having(before.world, down=[EU])))
    assert found.moving is not None
    assert found.moving.moved == pytest.approx(1.0)
    assert ways(found.moving) == {("eu", "eu2"): 1.0}
    assert (found.moving.before, found.moving.after, found.moving.rehomed) == (4, 4, 0)
    assert found.moving.part == found.shift.moved == pytest.approx(0.25)
    assert found.shift.before == pytest.approx({"eu": 0.5, "us": 0.5})


def test_other_homes_new_tenants_and_those_who_left() -> None:
    """New ones move nobody; who left is answered by nobody."""
    later = directory(acme=LIVING["acme"], globex=Tenancy(AP), umbrella=LIVING["umbrella"], hooli=Tenancy(AP))
    found = moving(pinned(TENANTS), pinned(later))
    assert (found.before, found.after, found.joined, found.left) == (4, 4, 1, 1)
    assert ways(found) == {("us", "ap"): 1.0, ("us", None): 1.0}
    assert found.rehomed == 1
    assert [(move.source, move.target, move.tenants) for move in found.homes] == [("us", "ap", 1)]


def test_who_left_goes_where_a_hash_says() -> None:
    """To the hash's home, or stays by chance; never to nobody."""
    later = directory(acme=LIVING["acme"])
    found = moving(pinned(TENANTS, Unknown.HASH), pinned(later, Unknown.HASH))
    assert found.left == 3
    assert None not in {way.target for way in found.ways}


def test_a_pin_that_is_new() -> None:
    """Everybody was answered by place, and lives at home now."""
    found = compared(side(Nearest()), pinned(TENANTS))
    assert found.moving is not None
    assert (found.moving.before, found.moving.joined) == (0, 4)
    assert 0 < found.moving.moved < 4
    assert {way.target for way in found.moving.ways} == {"eu", "us"}


def test_fences_of_clients_divide_a_tenant() -> None:
    """Inside the fence another region answers: the tenant moves in part."""
    before = pinned(TENANTS, Unknown.NXDOMAIN, FENCE, Nearest())
    found = moving(before, before.during(having(before.world, down=[US])))
    assert 0 < found.moved < 2
    assert {way.source for way in found.ways} == {"us"}


@pytest.mark.parametrize(
    "before",
    [side(Nearest()), side(Pin(TENANTS), Nearest(), names=("www",)), pinned(directory(), Unknown.HASH)],
)
def test_without_tenants_place_decides(before: Side) -> None:
    """No pin, no name that could be a tenant's, or nobody in the directory."""
    assert compared(before, before).moving is None


def test_names_that_are_no_tenants_keep_their_shift() -> None:
    """Beside a wildcard the service's shares are those of clients by place."""
    before = side(Pin(TENANTS), Nearest(), names=("*.app", "app"))
    after = before.during(having(before.world, down=[EU]))
    plain = side(Nearest())
    found, bare = compared(before, after), compared(plain, plain.during(after.world))
    assert found.shift == bare.shift
    assert found.moving is not None


def test_queries_weigh_tenants() -> None:
    """The shift goes by who is asked for how often; of the tenants each still counts the same."""
    before = pinned(TENANTS)
    after = before.during(having(before.world, down=[EU]))
    acme, globex = (Served(WEB, TENANTS.kinds.index(LIVING[name])) for name in ("acme", "globex"))
    where = (4, 10 << 24)
    clients = asking(GEO, GEO, {(acme, acme): {where: 9}, (globex, globex): {where: 1}}, "a log")
    web = before.policy.services[WEB]
    found = compare(before, after, web, web, clients)
    assert found.shift.moved == pytest.approx(0.9)
    assert found.shift.before == pytest.approx({"eu": 0.9, "us": 0.1})
    assert found.shift.after == pytest.approx({"eu2": 0.9, "us": 0.1})
    assert found.moving is not None
    assert found.moving.moved == pytest.approx(1.0)


@pytest.mark.parametrize("after", [None, Served(WEB, GONE)])
def test_queries_for_names_that_nobody_answers_any_more(after: Served | None) -> None:
    """They go to nobody; others of the service go by place."""
    before = side(Nearest())
    where = {(4, 10 << 24): 1}
    clients = asking(GEO, GEO, {(Served(WEB), after): where, (Served(WEB), Served(WEB)): where}, "a log")
    shift = compare(before, before, *[before.policy.services[WEB]] * 2, clients).shift
    assert [(way.target, way.share) for way in shift.ways] == [(None, pytest.approx(0.5))]
    assert shift.unanswered_after == pytest.approx(0.5)


def test_queries_follow_a_name_to_another_service() -> None:
    """Where the other service has other regions."""
    other = service("other", regions=("ap",), chain=[Nearest()])
    web = service("web", regions=("us",), chain=[Nearest()])
    both = Side(policy([zone("example.com", (), {"www": "web"})], [web, other]), GEO, World())
    clients = asking(GEO, GEO, {(Served(WEB), Served(other.name)): {(4, 10 << 24): 1}}, "a log")
    (way,) = compare(both, both, web, web, clients).shift.ways
    assert (way.source, way.target, way.share) == ("us", "ap", pytest.approx(1.0))
