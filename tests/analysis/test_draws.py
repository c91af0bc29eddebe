"""What a client network draws: explain's figures are the packet path's choices."""

from dataclasses import replace

import pytest

from georouter.analysis.draws import Draw
from georouter.analysis.explain import explain
from georouter.analysis.explanation import Explanation
from georouter.analysis.sentences import draw
from georouter.facts.ramp import RampRule
from georouter.facts.world import Ramping
from georouter.policy.steps import Step, Sticky, Weighted
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, service, tiny_map, world, zone

WEIGHTS = Weighted({RegionName("eu"): 3.0, RegionName("us"): 1.0, RegionName("ap"): 0.0})
RAMP = replace(WEIGHTS, ramp=RampRule(RegionName("ap"), 0.0, 1.0, 7200.0))


def told(client: str, *chain: Step, now: float = 6e8, qtype: str = "A", part: float = 0.0) -> Explanation:
    """What explain says of www.example.com, where a ramp has come so far."""
    web = service("web", regions=("eu", "us", "ap"), chain=chain)
    rules = policy([zone("example.com", (), {"www": "web"})], [web], REGIONS)
    there = replace(world(), ramps={ServiceName("web"): Ramping(part)})
    return explain(rules, tiny_map(), there, "www.example.com", client, now=now, qtype=qtype)


def drawn(explanation: Explanation) -> Draw | None:
    """What it says of the draw."""
    assert explanation.steering is not None
    return explanation.steering.draw


@pytest.mark.parametrize("client", ["10.0.7.0/24", "10.0.9.128/25", "10.1.2.3/32", "2100:0:0:1ab::/64"])
@pytest.mark.parametrize("chain", [(WEIGHTS,), (RAMP,), ()])
def test_who_has_drawn_whom(client: str, chain: tuple[Step, ...]) -> None:
    """The region of the draw answers, until it ends; the shares are those of the candidates."""
    for number in range(8):
        explanation = told(client, *chain, now=6e8 + 31.0 * number, part=0.0)
        found = drawn(explanation)
        assert found is not None
        assert explanation.decided is not None
        assert explanation.decided.region == found.region
        assert explanation.steering is not None
        shares = {item.regions[0]: item.share for item in explanation.steering.candidates}
        assert {band.region: band.share for band in found.bands} == pytest.approx(shares)
        assert found.bands[-1].below == pytest.approx(1.0)
        assert found.every_s == 30
        assert 0 < found.until - explanation.question.at <= 30
        last, after = (drawn(told(client, *chain, now=found.until + by)) for by in (-0.002, 0.001))
        assert last is not None
        assert after is not None
        assert (last.value, last.until) == (found.value, found.until)
        assert after.value != found.value
        assert after.until == pytest.approx(found.until + 30)


def test_the_network_is_named() -> None:
    """A /24 or a /56."""
    for client, network in (("10.0.9.128/25", "10.0.9.0/24"), ("2100:0:0:1ab::/64", "2100:0:0:100::/56")):
        found = drawn(told(client, WEIGHTS))
        assert found is not None
        assert str(found.network) == network


def test_who_draws_nothing() -> None:
    """Sticky networks, those of a cohort, and where there is one region; the rest of a ramp's clients do."""
    assert drawn(told("10.0.7.0/24", WEIGHTS, Sticky())) is None
    assert drawn(told("10.0.7.0/24", RAMP, part=1.0)) is None
    assert drawn(told("10.0.7.0/24", Weighted({RegionName("us"): 0.0, RegionName("ap"): 0.0}))) is None
    explanation = told("10.0.7.0/24", RAMP, part=0.001)
    found = drawn(explanation)
    assert found is not None
    assert [(band.region, band.share) for band in found.bands] == [("eu", 0.75), ("us", 0.25)]
    assert explanation.decided is not None
    assert explanation.decided.region == found.region


def test_in_words() -> None:
    """Value, end, and the shares in the long run."""
    found = drawn(told("10.0.7.0/24", WEIGHTS))
    assert found is not None
    words = {
        "network": "10.0.7.0/24",
        "value": 0.431,
        "region": "eu",
        "until": 6e8,
        "every_s": 30,
        "bands": [{"region": "eu", "share": 0.75}, {"region": "us", "share": 0.25}],
    }
    assert draw(words) == (
        "10.0.7.0/24 has drawn 43.1% until 10:40:00 UTC, which is eu's; "
        "it draws anew every 30 s, and gets in the long run 75.0% eu, 25.0% us"
    )
