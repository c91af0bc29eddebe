"""Whose turn it is in a ramp: what explain says is what the packet path does."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from georouter.analysis.explain import explain
from georouter.analysis.sentences import turn
from georouter.facts.ramp import RampRule
from georouter.facts.world import Ramping
from georouter.policy.steps import Sticky, Weighted
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, policy, service, tiny_map, world, zone

RULE = RampRule(RegionName("eu2"), 0.01, 1.0, 7200.0)


@pytest.mark.parametrize("client", [f"10.0.{number}.0/24" for number in range(12)] + ["2100:0:0:100::/56"])
@pytest.mark.parametrize("sticky", [False, True])
def test_a_network_moves_at_its_turn(client: str, sticky: bool) -> None:
    """Just below it stays, just above it has moved, and its block is named."""
    chain = (Weighted({}, RULE), *((Sticky(22, 48),) if sticky else ()))
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", chain=chain)], REGIONS)

    def asked(part: float) -> tuple[bool, bool, float, str]:
        now = replace(world(), ramps={ServiceName("web"): Ramping(part)})
        told = explain(rules, tiny_map(), now, "www.example.com", client, now=6e8)
        assert told.steering
        assert told.steering.ramp
        assert told.decided
        found = told.steering.ramp
        return found.moved, told.decided.region == "eu2", found.turn, str(found.network)

    _, _, at, network = asked(0.5)
    assert asked(at * 0.999)[:2] == (False, False)
    assert asked(at * 1.001 + 1e-6)[:2] == (True, True)
    assert asked(1.0)[:2] == (True, True)
    assert asked(0.0)[:2] == (False, False)
    wide = (22 if sticky else 24) if "." in client else (48 if sticky else 56)
    assert network == str(ip_network(client).supernet(new_prefix=wide))


def test_in_words() -> None:
    """Before and after."""
    told = {"region": "canary", "network": "192.0.2.0/24", "turn": 0.41, "part": 0.372, "moved": False}
    assert turn(told) == "192.0.2.0/24 moves to canary at 41.0%; the ramp is at 37.2%"
    moved = turn({**told, "turn": 0.123, "moved": True})
    assert moved == "192.0.2.0/24 is in the first 37.2% that moved to canary (its turn: 12.3%)"


def test_without_a_ramp_there_is_no_turn() -> None:
    """Nothing is said."""
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web")], REGIONS)
    told = explain(rules, tiny_map(), world(), "www.example.com", "10.0.0.0/24", now=6e8)
    assert told.steering
    assert told.steering.ramp is None
