"""What a sticky network keeps: what explain says is what the packet path does when that is lost."""

import pytest

from georouter.analysis.explain import explain
from georouter.analysis.explanation import Explanation
from georouter.analysis.sentences import keeps
from georouter.analysis.simulate import having
from georouter.facts.world import World
from georouter.policy.load import PolicyFile, load
from georouter.words.ids import RegionName
from tests.analysis.test_policy_tests import empty_map

POLICY = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77}, endpoints: [192.0.2.1]}
  eu: {location: {lat: 53, lon: -6}, endpoints: [192.0.2.3]}
  ap: {location: {lat: 1, lon: 103}, endpoints: [192.0.2.4]}
services:
  web: {regions: [us, eu, ap], chain: [weighted: {weights: {us: 3}}STICKY]}
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
"""


def told(client: str, *down: RegionName, sticky: str = ", sticky: {ipv4: 22}") -> Explanation:
    """The explanation for www.example.com while these regions are down."""
    policy = load([PolicyFile("/p.yaml", POLICY.replace("STICKY", sticky))]).policy
    world = having(World(), down=down)
    return explain(policy, empty_map(policy), world, "www.example.com", client, now=6e8)


@pytest.mark.parametrize("number", range(8))
def test_a_network_keeps_its_region_and_goes_where_is_said(number: int) -> None:
    """Both are what is answered, before and after the loss."""
    client = f"198.51.{4 * number + 1}.0/24"
    found = told(client)
    assert found.steering is not None
    assert found.decided is not None
    kept = found.steering.kept
    assert kept is not None
    assert str(kept.network) == f"198.51.{4 * number}.0/22"
    assert kept.region == found.decided.region
    after = told(client, kept.region).decided
    assert after is not None
    assert kept.then == after.region


def test_the_last_region_and_no_stickiness() -> None:
    """Nobody is left to go to; without the step nothing is said."""
    eu, ap = map(RegionName, ("eu", "ap"))
    steering = told("198.51.100.0/24", eu, ap).steering
    assert steering is not None
    assert steering.kept is not None
    assert (steering.kept.region, steering.kept.then) == ("us", None)
    plain = told("198.51.100.0/24", sticky="").steering
    assert plain is not None
    assert plain.kept is None


def test_in_words() -> None:
    """With and without another region."""
    kept = {"network": "192.0.2.0/24", "region": "us", "then": "eu"}
    start = "192.0.2.0/24 is hashed as one and keeps us; if that were lost, "
    assert keeps(kept) == f"{start}it would go to eu"
    assert keeps({**kept, "then": None}) == f"{start}no other region would answer it"
