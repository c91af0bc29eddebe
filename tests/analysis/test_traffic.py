"""Shares of clients: what `decide` says of each place, weighted by who is there."""

import numpy as np
import pytest

from georouter.analysis.traffic import ADDRESS_SPACE, Side, address_space, addresses, flow
from georouter.facts.world import World
from georouter.policy.model import AllDown, Policy, Service
from georouter.policy.steps import Latency, Match, Nearest, Residency, Step, Weighted
from georouter.routing.decide import Family, decide
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import (
    ASHBURN,
    BERLIN,
    NOWHERE,
    SYDNEY,
    policy,
    region,
    service,
    tiny_map,
    world,
)

EU, EU2, US, AP = map(RegionName, ("eu", "eu2", "us", "ap"))
WEB = ServiceName("web")
FENCE = Residency(Match(groups=("EU",)), frozenset({EU, EU2}))
WORLDS = (
    world(),
    world(down=["eu"]),
    world(down=["eu", "eu2"]),
    world(drained=["us"]),
    world(unknown=["ap"]),
)


def made(*chain: Step, when_all_down: AllDown = AllDown.SERVE_ALL) -> tuple[Policy, Service]:
    """A policy of one service over four regions."""
    web = service("web", chain=chain, when_all_down=when_all_down)
    return policy([], [web]), web


@pytest.mark.parametrize("now", WORLDS)
@pytest.mark.parametrize(
    "chain", [(), (Nearest(),), (FENCE, Nearest(500.0)), (Weighted({EU: 3.0, US: 0.0}),)]
)
def test_shares_are_those_of_the_decision(chain: tuple[Step, ...], now: World) -> None:
    """For every place: the candidates' weights, as parts of one."""
    rules, web = made(*chain)
    geo = tiny_map()
    found = flow(Side(rules, geo, now), web)
    for place in range(len(geo.places)):
        decision = decide(rules, web, geo.places.row(place), now)
        selection = decision.selections[Family.ANY]
        total = sum(candidate.weight for candidate in selection.candidates)
        expected = np.zeros(4)
        for candidate in selection.candidates:
            expected[candidate.regions[0]] = candidate.weight / total
        assert found.shares[found.of[place]] == pytest.approx(expected)


def test_a_closed_fence_is_refused() -> None:
    """Where fences leave nobody, the row is empty and says so."""
    rules, web = made(FENCE, Residency(Match(countries=("DE",)), frozenset({US})))
    found = flow(Side(rules, tiny_map(), world()), web)
    assert found.refused[found.of].tolist() == [place in (NOWHERE, BERLIN) for place in range(6)]
    assert found.shares[found.of[BERLIN]].sum() == 0.0


def test_the_family_that_is_asked_for() -> None:
    """A goes where A can be answered; with no more said it counts, and AAAA only where A has no answer."""
    parts = (region("eu", "2001:db8::1"), region("us", "192.0.2.3", "2001:db8::3"))
    web = service("web", ("eu", "us"), chain=(Residency(Match(countries=("DE",)), frozenset({EU})),))
    side = Side(policy([], [web], parts), tiny_map(), world())
    for family, berlin, sydney in (
        (None, [1, 0], [0, 1]),
        (Family.A, [0, 0], [0, 1]),
        (Family.AAAA, [1, 0], [0.5, 0.5]),
        (Family.BOUND, [1, 0], [0, 1]),
    ):
        found = flow(side, web, family)
        assert found.shares[found.of[BERLIN]].tolist() == berlin
        assert found.shares[found.of[SYDNEY]].tolist() == sydney
    gone = side.during(world(endpoints_down={"us": [0]}))
    assert flow(gone, web).shares[found.of[SYDNEY]].tolist() == [0.5, 0.5]  # no IPv4 address is up


def test_nobody_answers_with_servfail() -> None:
    """An empty row that is no refusal."""
    rules, web = made(when_all_down=AllDown.SERVFAIL)
    found = flow(Side(rules, tiny_map(), world(down=["eu", "eu2", "us", "ap"])), web)
    assert not found.shares.any()
    assert not found.refused.any()


def test_rankings_are_shared_between_worlds() -> None:
    """Another state of health asks for no new ranking; other round trips do."""
    rules, web = made(Latency())
    side = Side(rules, tiny_map(), world())
    first = side.rankings(web)
    assert side.during(world(down=["eu"])).rankings(web) is first
    assert side.during(World(rtt_ms={EU: 9.0})).rankings(web) is not first


def test_estimated_round_trips() -> None:
    """By distance; none for who has no coordinates."""
    rules, web = made()
    rtt = flow(Side(rules, tiny_map(), world()), web).rtt_ms(np.array([NOWHERE, ASHBURN, SYDNEY]))
    assert np.isnan(rtt[0]).all()
    assert rtt[1].argmin() == 2
    assert rtt[2].argmin() == 3
    assert rtt[1, 2] == pytest.approx(3.0, abs=0.1)


def test_the_address_space_counts_what_is_placed() -> None:
    """Ranges weigh as many addresses as they have; unplaced and private networks weigh nothing."""
    geo = tiny_map()
    clients = address_space(geo, geo)
    assert clients.of == ADDRESS_SPACE
    assert clients.weight.sum() == pytest.approx(1.0)
    weight = dict(zip(clients.before.tolist(), clients.weight.tolist(), strict=True))
    assert NOWHERE not in weight
    assert weight[BERLIN] == pytest.approx(10 / 246)
    assert weight[SYDNEY] == pytest.approx(206 / 246)
    assert clients.before.tolist() == clients.after.tolist()


def test_two_maps_are_cut_along_the_borders_of_both() -> None:
    """An address has one place in each."""
    one, other = tiny_map([0, 1 << 31], [BERLIN, SYDNEY]), tiny_map([0, 1 << 30], [BERLIN, ASHBURN])
    clients = address_space(one, other)
    pairs = dict(
        zip(zip(clients.before.tolist(), clients.after.tolist(), strict=True), clients.weight, strict=True)
    )
    assert pairs == {
        (BERLIN, BERLIN): pytest.approx(0.25),
        (BERLIN, ASHBURN): pytest.approx(0.25),
        (SYDNEY, ASHBURN): pytest.approx(0.5),
    }


def test_a_map_of_nowhere_has_no_clients() -> None:
    """Said, instead of dividing by zero."""
    geo = tiny_map([0], [NOWHERE])
    with pytest.raises(ValueError, match="no clients"):
        address_space(geo, geo)


def test_counted_addresses() -> None:
    """A census weighs what it counted, in both families."""
    geo = tiny_map()
    counted = {(4, (10 << 24) + 7): 3.0, (4, 30 << 24): 1.0, (6, 0x2500 << 48): 4.0}
    clients = addresses(geo, geo, counted, "a log")
    assert dict(zip(clients.before.tolist(), clients.weight.tolist(), strict=True)) == {
        BERLIN: 3 / 8,
        ASHBURN: 1 / 8,
        SYDNEY: 4 / 8,
    }
