"""What moves: the bookkeeping adds up, whatever changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.analysis import shift as module
from georouter.analysis.shift import Shift, shift
from georouter.analysis.traffic import Side, address_space, flow
from georouter.facts.world import World
from georouter.policy.model import AllDown
from georouter.policy.steps import Match, Nearest, Residency, Step, Weighted
from georouter.words.ids import RegionName
from tests.compiler.build import LOCATIONS, policy, service, tiny_map, world

EU, EU2, US, AP = map(RegionName, ("eu", "eu2", "us", "ap"))
FENCE = Residency(Match(groups=("EU",)), frozenset({EU, EU2}))
CHAINS: tuple[tuple[Step, ...], ...] = (
    (),
    (Nearest(),),
    (Nearest(2000.0), Weighted({EU: 2.0})),
    (FENCE,),
    (FENCE, Residency(Match(countries=("DE",)), frozenset({US}))),
    (Weighted({AP: 0.0, EU: 3.0}),),
)


def compared(
    chains: tuple[tuple[Step, ...], tuple[Step, ...]],
    worlds: tuple[World, World],
    when_all_down: AllDown = AllDown.SERVE_ALL,
) -> Shift:
    """One service under two chains in two worlds, for everybody."""
    geo = tiny_map()
    flows = []
    for chain, now in zip(chains, worlds, strict=True):
        web = service("web", chain=chain, when_all_down=when_all_down)
        flows.append(flow(Side(policy([], [web]), geo, now), web))
    return shift(flows[0], flows[1], address_space(geo, geo))


def test_the_loss_of_a_region() -> None:
    """Its clients, nobody else's, go to the next in distance, which is farther."""
    moved = compared(((Nearest(),), (Nearest(),)), (world(), world(down=["us"])))
    (way,) = moved.ways
    assert (way.source, way.target, way.share) == ("us", "eu2", pytest.approx(10 / 246))
    assert moved.moved == pytest.approx(10 / 246)
    assert US not in moved.after
    (country,) = moved.countries
    assert (country.code, country.share, country.moved) == (
        "US",
        pytest.approx(10 / 246),
        pytest.approx(10 / 246),
    )
    assert moved.latency is not None
    assert (
        country.added_ms
        == moved.latency.moved_mean_ms
        == moved.latency.moved_p95_ms
        == pytest.approx(92, abs=3)
    )
    gained = moved.latency.after_ms - moved.latency.before_ms
    assert gained == pytest.approx(moved.latency.moved_mean_ms * moved.moved)


def test_half_a_weight() -> None:
    """Shares that overlap do not move: of two equal regions one loses half of its part."""
    chains = ((Weighted({US: 0.0, AP: 0.0}),), (Weighted({US: 0.0, AP: 0.0, EU: 3.0}),))
    moved = compared(chains, (world(), world()))
    assert moved.before == {EU: pytest.approx(0.5), EU2: pytest.approx(0.5)}
    assert moved.after == {EU: pytest.approx(0.75), EU2: pytest.approx(0.25)}
    (way,) = moved.ways
    assert (way.source, way.target, way.share) == ("eu2", "eu", pytest.approx(0.25))


def test_a_new_fence_that_is_closed() -> None:
    """Who is newly refused is counted, by country too, and goes to nobody."""
    closed = (FENCE, Residency(Match(countries=("DE",)), frozenset({US})))
    moved = compared(((FENCE,), closed), (world(), world()))
    assert moved.newly_refused == moved.refused_after == moved.unanswered_after == pytest.approx(10 / 246)
    assert moved.refused_before == 0.0
    assert {way.target for way in moved.ways} == {None}
    assert [(item.code, item.refused, item.added_ms) for item in moved.countries] == [
        ("DE", pytest.approx(10 / 246), None)
    ]


def test_nobody_before_and_after() -> None:
    """Without any answer there is no latency, and nobody moves."""
    gone = world(down=list(LOCATIONS))
    moved = compared(((), ()), (gone, gone), AllDown.SERVFAIL)
    assert (moved.moved, moved.latency, moved.ways, moved.unanswered_after) == (0.0, None, (), 1.0)


@settings(deadline=None, max_examples=60)
@given(
    chains=st.tuples(st.sampled_from(CHAINS), st.sampled_from(CHAINS)),
    down=st.tuples(st.sets(st.sampled_from(sorted(LOCATIONS))), st.sets(st.sampled_from(sorted(LOCATIONS)))),
    mode=st.sampled_from([AllDown.SERVE_ALL, AllDown.SERVFAIL]),
)
def test_the_books_balance(
    chains: tuple[tuple[Step, ...], tuple[Step, ...]], down: tuple[set[str], set[str]], mode: AllDown
) -> None:
    """What leaves a region and what comes is the difference of its shares; swapping sides swaps the ways."""
    worlds = (world(down=sorted(down[0])), world(down=sorted(down[1])))
    there = compared(chains, worlds, mode)
    assert sum(there.before.values()) + there.unanswered_before == pytest.approx(1.0)
    assert sum(way.share for way in there.ways) == pytest.approx(there.moved)
    assert sum(item.moved for item in there.countries) == pytest.approx(there.moved)
    for name in (*there.before, *there.after):
        came = sum(way.share for way in there.ways if way.target == name)
        left = sum(way.share for way in there.ways if way.source == name)
        assert came - left == pytest.approx(there.after.get(name, 0.0) - there.before.get(name, 0.0))
    back = compared((chains[1], chains[0]), (worlds[1], worlds[0]), mode)
    assert {(way.target, way.source): pytest.approx(way.share) for way in back.ways} == {
        (way.source, way.target): way.share for way in there.ways
    }
    if chains[0] == chains[1] and down[0] == down[1]:
        assert there.moved == 0.0


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures from one client at a time."""
    whole = compared((CHAINS[2], CHAINS[1]), (world(), world(down=["eu2"])))
    monkeypatch.setattr(module, "CHUNK", 1)
    parts = compared((CHAINS[2], CHAINS[1]), (world(), world(down=["eu2"])))
    assert parts.before == pytest.approx(whole.before)
    assert [way.share for way in parts.ways] == pytest.approx([way.share for way in whole.ways])
    assert parts.latency is not None
    assert whole.latency is not None
    assert parts.latency.moved_p95_ms == pytest.approx(whole.latency.moved_p95_ms)
