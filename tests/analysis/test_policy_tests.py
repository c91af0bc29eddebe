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


WEIGHTED = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20]}
services:
  web: {regions: [us, eu], chain: [STEPSweighted: {weights: {us: 3}}]}
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
tests:
"""


def ask_weighted(*tests: str, steps: str = "") -> list[str]:
    """Why these tests of www.example.com fail, up to the place of the client."""
    asked = "".join(f"  - {{name: www.example.com, client: 198.51.100.0/24, {test}}}\n" for test in tests)
    policy = load([PolicyFile("/p.yaml", WEIGHTED.replace("STEPS", steps) + asked)]).policy
    return [result.reason.partition("; ")[0] for result in run(policy, empty_map(policy))]


def test_shares() -> None:
    """Of all client networks, with graded health; what came instead is said."""
    assert ask_weighted(
        "expect: {shares: {us: 75%, eu: 25%}, within: 0%}",
        "degraded: {us: 0.5}, expect: {shares: {us: 60%, eu: 40%}}",
        "down: us, expect: {shares: {eu: 100%}}",
        "expect: {shares: {us: 74%, eu: 26%}}",
        "expect: {shares: {us: 70%, eu: 30%}, within: 2%}",
        "degraded: {us: 50%}, expect: {shares: {us: 100%}}",
    ) == [
        *["", "", "", ""],
        (
            "expected us 70.0%, eu 30.0%, within 2.0%, "
            "got us 75.0%, eu 25.0% (us is off by +5.0%, eu is off by -5.0%)"
        ),
        "expected us 100.0%, within 1.0%, got us 60.0%, eu 40.0% (us is off by -40.0%, eu is off by +40.0%)",
    ]


def test_instants() -> None:
    """Who is drawn then, not who may be; sticky clients are drawn once."""
    found = ask_weighted(
        'at: "2026-05-01T12:00:00Z", expect: us',
        'at: "2026-05-01T12:00:00Z", expect: eu',
        'at: ["2026-05-01T12:00:00Z", "2026-05-01T14:03:20+02:00"], expect: [us, eu]',
        'at: "2026-05-01T12:00:00Z", type: AAAA, expect: []',
    )
    us, eu = "expected eu, got us at 2026-05-01T12:00:00Z", "expected us, got eu at 2026-05-01T12:00:00Z"
    assert tuple(found[:2]) in {("", us), (eu, "")}
    assert found[2] == "" or found[2].count(" at 2026-05-01T12:0") == 2
    assert found[3] == ""
    hours = ", ".join(f'"2026-05-01T{hour:02}:00:00Z"' for hour in range(24))
    assert ask_weighted(f"at: [{hours}], expect: [us, eu]") == [""]
    kept = ask_weighted(f"at: [{hours}], expect: us", f"at: [{hours}], expect: eu", steps="sticky, ")
    assert kept.count("") == 1


def test_refusals() -> None:
    """A fence that leaves no region, told from an answer and from no answer."""
    fence = "residency: {clients: {country: [DE]}, regions: [eu], unplaced: deny}, "
    refused, typed = ask_weighted("expect: refused", "type: AAAA, expect: refused", steps=fence)
    assert (refused, typed) == ("", "")
    assert ask_weighted("expect: us", steps=fence) == ["expected us, got a refusal"]
    assert ask_weighted("expect: refused", "type: AAAA, expect: refused") == [
        "expected a refusal, as no region is allowed, got eu, us",
        "expected a refusal, as no region is allowed, got no region",
    ]
