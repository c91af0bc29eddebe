"""Ramps as published: cohorts only grow, are as large as they should be, and concern nobody else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.answers.layout import REASONS
from georouter.answers.steer import Steering
from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_BOUND, Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import Published, publish
from georouter.facts.ramp import RampRule
from georouter.facts.world import Ramping, World
from georouter.policy.model import Binding, Service
from georouter.policy.steps import Limit, Nearest, Step, Sticky, Weighted
from georouter.routing.scene import universe
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, service, tiny_map, world, zone
from tests.routing.chains import fence_of, services, sites, worlds
from tests.routing.scenes import Spot, policy_of

EU, EU2, US, AP = (RegionName(name) for name in ("eu", "eu2", "us", "ap"))
WEB = ServiceName("web")
NOW = 1_760_000_000.0
RULE = RampRule(EU2, 0.01, 1.0, 7200.0)
BINDING = Binding(1, b"\0", (), hints=True)


def at(part: float, now: World, name: ServiceName = WEB) -> World:
    """The same world with the ramp so far."""
    return replace(now, ramps={name: Ramping(part)})


def views(snapshot: Snapshot) -> dict[int, Steering]:
    """One steering per slot of the only service."""
    return {view.slot: Steering(snapshot, index) for index, view in enumerate(snapshot.directory.views)}


def homes(steering: Steering, networks: Sequence[int]) -> list[int]:
    """The region (a column of the universe) that each /24 gets; -1 for private networks."""
    found = (steering.steer(network << 8, 4, 24, NOW) for network in networks)
    return [
        -1 if answer is None else (decision - steering.counter_base) // REASONS
        for answer, _, decision, _ in found
    ]


PARTS = st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted)


@settings(max_examples=60, deadline=None)
@given(services, sites, worlds, PARTS, st.booleans(), st.integers(1, 3))
def test_cohorts_are_monotone(  # noqa: PLR0917 - all that acts
    web: Service,
    located: dict[str, tuple[float, float]],
    now: World,
    parts: list[float],
    sticky: bool,
    regions: int,
) -> None:
    """Random policies and worlds: who is in at a part is in at a larger one; others get what they got; no
    fence is crossed; and back again is the identity, cohorts in reverse.
    """
    canary = web.regions[-1]
    ramp = Weighted({}, RampRule(canary, 0.0, 1.0, 60.0))
    more: tuple[Step, ...] = (ramp, Limit(regions), *((Sticky(),) if sticky else ()))
    web = replace(web, chain=(*web.chain, *more))
    www = zone("example.com", (), {"www": "web"})
    geo = tiny_map()
    compiled = plan(replace(policy_of(web, located), zones={www.name: www}), geo, World(rtt_ms=now.rtt_ms))
    lesser, greater = (at(part, now, web.name) for part in parts)
    few = publish(compiled, lesser, 1)
    many = publish(compiled, greater, 2, few)
    back = publish(compiled, lesser, 3, many)
    assert back.snapshot.bodies == few.snapshot.bodies
    assert [group.runs for group in back.snapshot.groups] == [group.runs for group in few.snapshot.groups]
    names = universe(web)
    column = names.index(canary)
    networks = range(0, 1 << 24, 41_943)
    for slot, steering in views(many.snapshot).items():
        before, after = homes(views(few.snapshot)[slot], networks), homes(steering, networks)
        for network, old, new in zip(networks, before, after, strict=True):
            assert new in {old, column}
            row = int(geo.place4[(geo.starts4 <= network << 8).nonzero()[0][-1]])
            country = geo.places.country[row].decode()
            if country != "FR" and 0 <= new < len(names):  # `fence_of` knows one country of the group
                spot = Spot(country, continent=geo.places.continent[row].decode())
                assert names[new] in fence_of(web, spot)


CHAINS: dict[str, tuple[Step, ...]] = {
    "plain": (Weighted({EU: 3.0, US: 0.0}, RULE),),
    "limit": (Weighted({EU: 3.0}, RULE), Limit(2)),
    "sticky": (Weighted({EU: 3.0}, RULE), Sticky()),
    "sticky wide": (Weighted({EU: 3.0}, RULE), Sticky(20, 48)),
}
SAMPLE = range(1 << 20, (1 << 20) + 20_000)


def published(chain: tuple[Step, ...], now: World, before: Published | None = None) -> Published:
    """One steered name with A, AAAA and HTTPS over four regions."""
    web = replace(service("web", chain=chain), https=(BINDING,))
    rules = policy([zone("example.com", (), {"www": "web"})], [web], REGIONS)
    compiled = plan(rules, tiny_map([0], [0]), World()) if before is None else before.plan
    return publish(compiled, now, 1, before)


@pytest.mark.parametrize("name", ["plain", "limit", "sticky"])
def test_a_cohort_is_as_large_as_its_part(name: str) -> None:
    """Within a percent; the others share the rest by their weights, as before."""
    shown = published(CHAINS[name], at(0.0, world()))
    for part in (0.01, 0.372, 0.9, 1.0):
        shown = published(CHAINS[name], at(part, world()), shown)
        found = homes(views(shown.snapshot)[SLOT_A], SAMPLE)
        shares = [found.count(column) / len(SAMPLE) for column in range(4)]
        assert shares[1] == pytest.approx(part, abs=0.01)
        assert shares[0] == pytest.approx((1 - part) * 3 / (4 if name == "plain" else 5), abs=0.01)


@pytest.mark.parametrize("name", CHAINS)
def test_all_types_agree_and_no_scope_is_wider(name: str) -> None:
    """A, AAAA and HTTPS of one network come from one region, under the network's own scope."""
    shown = views(published(CHAINS[name], at(0.4, world())).snapshot)
    width = 20 if name == "sticky wide" else 24
    both = [shown[slot] for slot in (SLOT_A, SLOT_AAAA, SLOT_BOUND)]
    for network in SAMPLE[:2000]:
        got = [steering.steer(network << 8, 4, 24, NOW) for steering in both]
        assert {scope for _, scope, _, _ in got} == {width}
        first, second, bound = (
            (decision - steering.counter_base) // REASONS
            for steering, (_, _, decision, _) in zip(both, got, strict=True)
        )
        assert first == bound
        assert first in {second, 3}  # the latter has no IPv6


@pytest.mark.parametrize("name", CHAINS)
def test_the_loss_and_return_of_the_region_is_the_identity(name: str) -> None:
    """While it is down its cohort goes where the others go, and nobody else moves."""
    before = published(CHAINS[name], at(0.3, world()))
    down = published(CHAINS[name], at(0.3, world(down=["eu2"])), before)
    back = published(CHAINS[name], at(0.3, world()), down)
    first, second, third = (
        homes(views(item.snapshot)[SLOT_A], SAMPLE[:3000]) for item in (before, down, back)
    )
    assert first == third
    assert back.snapshot.bodies == before.snapshot.bodies
    assert {old for old, new in zip(first, second, strict=True) if old != new} == {1}
    without = published(CHAINS[name], at(0.0, world()))
    assert second == homes(views(without.snapshot)[SLOT_A], SAMPLE[:3000])


def test_where_its_tier_does_not_answer_nobody_is_moved() -> None:
    """With `nearest` a ramp moves clients who are near the region, and others nowhere."""
    web = service("web", chain=(Nearest(), Weighted({}, RampRule(AP, 0.01, 1.0, 60.0))))
    rules = policy([zone("example.com", (), {"www": "web"})], [web], REGIONS)
    compiled = plan(rules, tiny_map(), World())
    one, half, whole = (publish(compiled, at(part, world()), 1) for part in (0.0, 0.5, 1.0))
    networks = range(0, 1 << 24, 9973)
    none, some, everybody = (homes(views(item.snapshot)[SLOT_A], networks) for item in (one, half, whole))
    near = [index for index, region in enumerate(everybody) if region == 3]
    assert 3 not in none
    assert 0 < len(near) < len(everybody)
    assert sum(some[index] == 3 for index in near) / len(near) == pytest.approx(0.5, abs=0.1)
    assert all(some[index] == none[index] for index in range(len(some)) if index not in set(near))
