"""`when_all_down: last_known`: every client's own last answer, whatever others were answered."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.compiler.plan import Plan, plan
from georouter.compiler.publish import publish
from georouter.facts.world import World
from georouter.policy.model import AllDown, Policy
from georouter.policy.steps import Failover, Match, Residency, Step, Weighted
from georouter.routing.decide import decide
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, service, tiny_map, world, zone

WEB = ServiceName("web")
NAMES = ("eu", "eu2", "us", "ap")
EU, EU2, US, AP = map(RegionName, NAMES)
GERMANS = Residency(Match(countries=("DE",)), frozenset({EU, EU2}))
AMERICANS = Residency(Match(countries=("US",)), frozenset({EU2, US}))
CHAINS: dict[str, tuple[Step, ...]] = {
    "fences that overlap": (GERMANS, AMERICANS, Failover(((EU2,), (EU,), (US,), (AP,)))),
    "one fence": (GERMANS, Failover(((AP,), (EU,), (EU2,), (US,)))),
    "equal regions": (GERMANS, AMERICANS, Weighted({EU2: 3.0, AP: 0.0})),
    "no fence": (Failover(((US,), (EU,), (AP,), (EU2,))),),
}


def made_of(chain: tuple[Step, ...], regions: tuple[str, ...] = NAMES) -> tuple[Policy, Plan]:
    """One service with this chain, compiled."""
    web = service("web", regions=regions, chain=chain, when_all_down=AllDown.LAST_KNOWN)
    rules = policy([zone("example.com", (), {"www": "web"})], [web], REGIONS)
    return rules, plan(rules, tiny_map(), world())


def answered(rules: Policy, row: int, now: World) -> frozenset[RegionName]:
    """Who may answer the clients of a place."""
    return decide(rules, rules.services[WEB], tiny_map().places.row(row), now).answers()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CHAINS)),
    st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=6),
)
def test_everybody_gets_what_they_had(chain: str, losses: list[set[str]]) -> None:
    """Clients who can get nobody get the regions of their last answer with one up, never others of the
    service and never none; what is published remembers what `decide` did.
    """
    rules, compiled = made_of(CHAINS[chain])
    places = range(1, len(tiny_map().places))
    had = {row: answered(rules, row, world()) for row in places}
    before = publish(compiled, world(), 1)
    for number, down in enumerate([*losses, set(NAMES)], 2):
        now = replace(world(down=sorted(down)), last_known=before.last_known)
        before = publish(compiled, now, number, before)
        for row in places:
            mine = answered(rules, row, now)
            if mine - down:
                had[row] = mine
            assert mine == had[row], f"place {row} while {down} are down"
        again = publish(compiled, replace(now, last_known=before.last_known), number, before)
        assert again.last_known == before.last_known


def test_regions_that_others_were_answered_say_nothing() -> None:
    """The Americans' better region went before their other one did; Germans were answered from it since."""
    _, compiled = made_of(CHAINS["fences that overlap"])
    one = publish(compiled, world(down=["eu2"]), 1)
    known = one.last_known[WEB]
    assert known[frozenset({EU2, US})] == {US}
    assert known[frozenset({EU, EU2})] == {EU}
    two = publish(compiled, replace(world(down=["us", "eu"]), last_known=one.last_known), 2, one)
    three = publish(compiled, replace(world(down=["us", "eu", "eu2"]), last_known=two.last_known), 3, two)
    assert three.last_known[WEB][frozenset({EU2, US})] == {EU2}


def test_a_new_region_in_a_fence_forgets_nothing() -> None:
    """Nobody had the wider set: what is known of others stands in, inside the fence."""
    _, compiled = made_of((GERMANS,), ("eu", "eu2", "us"))
    before = publish(compiled, world(down=["eu"]), 1)
    wider = replace(GERMANS, regions=frozenset({EU, EU2, AP}))
    _, compiled = made_of((wider,))
    now = replace(world(down=list(NAMES)), last_known=before.last_known)
    after = publish(compiled, now, 2)
    assert after.last_known[WEB][frozenset({EU, EU2, AP})] == {EU2}
    assert after.last_known[WEB][frozenset(map(RegionName, NAMES))] == {EU2, US}
