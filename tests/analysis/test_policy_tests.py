"""The policy's own tests, asked of the decision."""

from datetime import UTC, datetime

import numpy as np

from georouter.analysis.policy_tests import Result, run
from georouter.geo.map import GeoMap, Kind, MapInfo, Places
from georouter.geo.overlay import overlay
from georouter.policy.interest import networks
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy

POLICY = """\
version: 1
geo:
  networks:
    10.1.0.0/16: {country: US, subdivision: US-VA, lat: 39, lon: -77}
    10.2.0.0/16: {country: DE}
    "2001:db8:2::/48": {country: DE}
regions:
  us: {location: {lat: 39, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20], labels: {law: EU}}
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {group: [EU]}, regions: {labels: {law: EU}}}
      - nearest
zones:
  example.com: {ns: [ns.example.net], records: {"*.app": {service: web}, www: {CNAME: x.app}}}
tests:
"""


def ask(*tests: str) -> tuple[Result, ...]:
    """Run these tests on a map that knows only the policy's own networks."""
    text = POLICY + "".join(f"  - {{{test}}}\n" for test in tests)
    policy = load([PolicyFile("/p.yaml", text)]).policy
    return run(policy, empty_map(policy))


def empty_map(policy: Policy) -> GeoMap:
    """Nothing is placed but by the policy."""
    one = np.zeros(1, dtype=np.int32)
    nowhere = Places(
        country=np.array([b""], "S2"),
        continent=np.array([b""], "S2"),
        subdivision=np.array([b""], "S6"),
        city=one,
        lat=np.full(1, np.nan, np.float32),
        lon=np.full(1, np.nan, np.float32),
        asn=one.astype(np.uint32),
        network_set=one,
    )
    bare = GeoMap(
        starts4=np.zeros(1, np.uint32),
        place4=np.zeros(1, np.uint32),
        starts6=np.zeros(1, np.uint64),
        place6=np.zeros(1, np.uint32),
        places=nowhere,
        info=MapInfo("none", int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), frozenset({Kind.COUNTRY})),
    )
    return overlay(bare, networks=networks(policy), overrides=policy.geo.networks)


def test_passing() -> None:
    """By distance, by fence, through a CNAME and a wildcard, for both families, with a region down."""
    results = ask(
        "name: www.example.com, client: 10.1.0.0/24, expect: us",
        "name: a.app.example.com, client: 10.1.0.7, down: us, expect: eu",
        "name: www.example.com, client: 10.2.0.0/16, expect: [eu]",
        'name: www.example.com, client: "2001:db8:2::1", down: us, expect: eu',
        "name: www.example.com, client: 10.2.0.1, down: [eu], expect: eu",
    )
    assert [result.reason for result in results] == [""] * 5
    assert all(result.passed for result in results)
    assert [sorted(result.answered) for result in results] == [["us"], ["eu"], ["eu"], ["eu"], ["eu"]]


def test_failing_says_why() -> None:
    """What was expected, what came, where the client is and what the steps did."""
    (result,) = ask("name: www.example.com, client: 10.1.0.0/24, expect: eu")
    assert not result.passed
    assert result.answered == {"us"}
    start = "expected eu, got us; the client is in US-VA, US, NA; ranking: us > eu; residency: "
    assert result.reason.startswith(start)
    assert "; nearest: " in result.reason
    assert result.test.where == "/p.yaml:19:5"


def test_expecting_too_many() -> None:
    """The expectation is exact."""
    (result,) = ask("name: www.example.com, client: 10.1.0.0/24, expect: [us, eu]")
    assert result.reason.startswith("expected eu, us, got us; ")


def test_expecting_nothing() -> None:
    """An empty list stands for no answer."""
    (result,) = ask("name: www.example.com, client: 10.2.0.1, expect: []")
    assert result.reason.startswith("expected no region, got eu; the client is in DE, EU; ranking: eu; ")


def test_an_unplaced_client() -> None:
    """The reason says that the database does not know the client."""
    (result,) = ask("name: www.example.com, client: 10.9.0.1, expect: us")
    assert "the client is not placed by the database" in result.reason


def test_types() -> None:
    """A region without IPv6 answers A, not AAAA; HTTPS holds what both say."""
    text = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20, "2001:db8::20"]}
services:
  web: {regions: [us, eu], chain: [failover: {order: [us, eu]}], https: {alpn: h2}}
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
tests:
"""
    for kind, down, expect in (
        ("A", "", "us"),
        ("AAAA", "", "eu"),
        ("HTTPS", "", "us, eu"),
        ("AAAA", "eu", ""),
        ("HTTPS", "eu", "us"),
    ):
        asked = f"  - {{name: www.example.com, client: 192.0.2.1, type: {kind}"
        test = f"{asked}, down: [{down}], expect: [{expect}]}}\n"
        policy = load([PolicyFile("/p.yaml", text + test)]).policy
        assert [result.reason for result in run(policy, empty_map(policy))] == [""]
