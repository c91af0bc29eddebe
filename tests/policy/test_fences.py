"""What an answer for everybody may hold."""

import pytest

from georouter.policy.fences import for_everybody
from georouter.policy.model import Service
from georouter.policy.steps import Match, Nearest, Pin, Residency, Step, Unplaced, WithoutEcs
from georouter.policy.tenants import Tenancy, make_directory, pack
from georouter.words.ids import RegionName, ServiceName

EU, US, FAR = (RegionName(name) for name in ("eu", "us", "far"))
EUROPE = Match(continents=("EU",))
TENANTS = Pin(make_directory("t.csv", [Tenancy(EU)], pack([b"acme"], [0]).tenants))


def fence(*regions: RegionName, **how: object) -> Residency:
    """For clients in Europe."""
    return Residency(EUROPE, frozenset(regions), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ((), None),
        ((Nearest(),), None),
        ((fence(EU),), {EU}),
        ((Nearest(), fence(EU, US), fence(EU, FAR)), {EU}),
        ((fence(FAR),), {FAR}),
        ((fence(RegionName("another")),), set()),
        ((fence(EU), fence(US)), set()),
        ((fence(EU, unplaced=Unplaced.ALLOW),), {EU}),
        ((fence(EU, unplaced=Unplaced.DENY),), set()),
        ((fence(EU, without_ecs=WithoutEcs.DENY),), set()),
        ((fence(EU, US), fence(US, without_ecs=WithoutEcs.RESTRICT)), {US}),
        ((Nearest(), TENANTS), set()),
    ],
)
def test_regions_for_everybody(chain: tuple[Step, ...], expected: set[RegionName] | None) -> None:
    """Those that every fence allows, fallbacks too; none where a fence denies whoever a copy serves, and
    none where tenants have homes.
    """
    service = Service(ServiceName("web"), (EU, US), chain, fallback=(FAR,))
    assert for_everybody(service) == expected
