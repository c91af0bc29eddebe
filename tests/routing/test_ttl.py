"""How long caches may keep an answer, and why."""

import dataclasses

import pytest

from georouter.facts.world import Ramping, World
from georouter.policy.model import Ttls
from georouter.routing.ttl import Ttl, ttl
from georouter.words.ids import RegionName
from tests.compiler.build import service, world

EU, US, AU = map(RegionName, ("eu", "us", "au"))
WEB = dataclasses.replace(service("web", ttl_s=60), ttls=Ttls(suspect_s=10, down_s=20, ramp_s=15))


def doubtful(suspects: set[str], leaving: set[str], down: list[str]) -> World:
    """A world with these troubles."""
    return dataclasses.replace(
        world(down=down),
        suspects=frozenset(map(RegionName, suspects)),
        leaving=frozenset(map(RegionName, leaving)),
    )


@pytest.mark.parametrize(("moves", "expected"), [(True, Ttl(15, "ramp")), (False, Ttl(60, "steady"))])
def test_a_ramp_that_moves_lowers_it(moves: bool, expected: Ttl) -> None:
    """That of the service alone."""
    now = dataclasses.replace(world(), ramps={WEB.name: Ramping(0.5, moves)})
    assert ttl(WEB, WEB.regions, now, WEB.name) == expected
    assert ttl(WEB, WEB.regions, now) == Ttl(60, "steady")


@pytest.mark.parametrize(
    ("suspects", "leaving", "down", "expected"),
    [
        (set(), set(), [], Ttl(60, "steady")),
        ({"eu"}, set(), [], Ttl(10, "suspect")),
        (set(), {"us"}, [], Ttl(15, "ramp")),
        (set(), set(), ["us"], Ttl(20, "down")),
        ({"eu"}, {"us"}, ["us"], Ttl(10, "suspect")),
        ({"au"}, {"au"}, ["au"], Ttl(60, "steady")),
    ],
)
def test_the_shortest_that_holds(
    suspects: set[str], leaving: set[str], down: list[str], expected: Ttl
) -> None:
    """Troubles of the service's own regions count, those of others do not."""
    assert ttl(WEB, (EU, US), doubtful(suspects, leaving, down)) == expected


def test_a_drained_region_counts_as_down() -> None:
    """While it is away, answers move again when it returns."""
    assert ttl(WEB, (EU, US), world(drained=["eu"])) == Ttl(20, "down")


def test_what_is_not_given_stays_steady() -> None:
    """A service without lowered TTLs, and one with some of them."""
    troubled = doubtful({"eu"}, set(), ["us"])
    assert ttl(dataclasses.replace(WEB, ttls=None), (EU, US), troubled) == Ttl(60, "steady")
    assert ttl(dataclasses.replace(WEB, ttls=Ttls(down_s=20)), (EU,), doubtful({"eu"}, set(), [])) == Ttl(
        60, "steady"
    )
