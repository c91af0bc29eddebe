"""Shares and choices read from compiled runs."""

from collections import Counter
from dataclasses import replace
from ipaddress import ip_network

import pytest

from georouter.analysis.explain import explain
from georouter.analysis.proportions import Compiled, Compiler, percentages
from georouter.facts.world import Effective, Ramping, RegionFacts, State, World
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy
from georouter.wire.codes import TYPE_A
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName, ServiceName
from tests.analysis.test_policy_tests import empty_map

POLICY = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77}, endpoints: [192.0.2.1, 192.0.2.2]}
  eu: {location: {lat: 53, lon: -6}, endpoints: [192.0.2.3]}
  ap: {location: {lat: 1, lon: 103}, endpoints: [192.0.2.4]}
services:
  web:
    regions: [us, eu, ap]
    chain: [CHAIN]
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
"""
WEIGHTS = "weighted: {weights: {us: 3, eu: 1, ap: 0}}"
RAMP = (
    "weighted: {weights: {us: 3, eu: 1}, ramp: {region: ap, from: 0%, over: 1h, pause_if: {degraded: [ap]}}}"
)
WEB = ServiceName("web")
HALF = RegionFacts(State.UP, Effective.UP, health=0.5)


def policy_with(chain: str) -> Policy:
    """Three regions with this chain."""
    return load([PolicyFile("/p.yaml", POLICY.replace("CHAIN", chain))]).policy


def compiled(chain: str, world: World, client: str = "198.51.100.7") -> Compiled:
    """www.example.com for a client that nobody placed."""
    policy = policy_with(chain)
    name, network = parse_name("www.example.com"), ip_network(client)
    found = Compiler(policy, empty_map(policy)).compile(
        policy.services[WEB], None, name, TYPE_A, network, 0, world
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("chain", "world", "expected"),
    [
        (WEIGHTS, World(), {"us": 0.75, "eu": 0.25}),
        (WEIGHTS, World(regions={RegionName("us"): HALF}), {"us": 0.6, "eu": 0.4}),
        (f"{WEIGHTS}, sticky", World(), {"us": 0.75, "eu": 0.25}),
        (f"{WEIGHTS}, sticky", World(regions={RegionName("us"): HALF}), {"us": 0.6, "eu": 0.4}),
        (RAMP, World(ramps={WEB: Ramping(0.4)}), {"ap": 0.4, "us": 0.45, "eu": 0.15}),
        (f"{RAMP}, sticky", World(ramps={WEB: Ramping(0.4)}), {"ap": 0.4, "us": 0.45, "eu": 0.15}),
        (RAMP, World(ramps={WEB: Ramping(1.0)}), {"ap": 1.0}),
        ("failover: {order: [eu, us, ap]}", World(), {"eu": 1.0}),
    ],
)
def test_shares_are_exact_and_what_networks_get(chain: str, world: World, expected: dict[str, float]) -> None:
    """Widths, bands and cohorts, beside a count over many client networks."""
    found = compiled(chain, world)
    assert found.shares() == pytest.approx(expected, abs=1e-6)
    asked = 4000
    counted = Counter(
        replace(found, address=number << 8).drawn(1000.0) for number in range(1 << 16, (1 << 16) + asked)
    )
    got = {name: count / asked for name, count in counted.items()}
    assert got == pytest.approx(expected, abs=0.03)


def test_the_draw_is_the_packet_paths() -> None:
    """What the full explanation says that a client gets, slot after slot, in both families."""
    policy = policy_with(WEIGHTS)
    geo = empty_map(policy)
    for client in ("198.51.100.7", "2001:db8:7::1"):
        mine = compiled(WEIGHTS, World(), client)
        seen = set()
        for slot in range(12):
            told = explain(policy, geo, World(), "www.example.com", client, now=1e9 + 60 * slot).decided
            assert told is not None
            assert mine.drawn(1e9 + 60 * slot) == told.region
            seen.add(told.region)
        assert seen == {"us", "eu"}


def test_nobody() -> None:
    """A refusal and a service that is down for good have no shares, and nobody is drawn."""
    fence = "residency: {clients: {country: [DE]}, regions: [eu], unplaced: deny}"
    found = compiled(fence, World())
    assert found.shares() == {}
    assert found.drawn(0.0) is None
    assert percentages(found.shares()) == "no region"


def test_percentages() -> None:
    """The largest first."""
    assert percentages({RegionName("b"): 0.25, RegionName("a"): 0.75}) == "a 75.0%, b 25.0%"
