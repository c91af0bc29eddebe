"""The shipped policies: valid, without warnings, their tests pass, and they say what they are for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from georouter.cli.check import examine
from georouter.cli.simulate import simulate
from georouter.policy.model import Policy

FOLDER = Path(__file__).parent.parent.parent / "config"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def test_one_example_per_use() -> None:
    """What people come for is there."""
    assert {path.stem for path in EXAMPLES} >= {
        "demo",
        "active-active",
        "active-passive",
        "weighted-canary",
        "eu-residency",
        "read-local-write-global",
        "zone-file",
        "multi-tenant",
        "capacity",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    """Strictly valid, with passing tests, a comment on top, and a schema for editors."""
    outcome = examine(path)
    assert outcome.diagnostics == []
    assert [result.reason for result in outcome.failures] == []
    assert len(outcome.results) >= 3
    assert outcome.ok(strict=True)
    lines = path.read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=georouter.schema.json"
    assert lines[2].startswith("# ")


@pytest.fixture(scope="module")
def demo() -> Policy:
    """The demo's policy."""
    policy = examine(FOLDER / "demo.yaml", geo=False).policy
    assert policy is not None
    return policy


def test_the_demo_checks_local_servers(demo: Policy) -> None:
    """Each region's check connects to a port of its own on 127.0.0.1, at default pace."""
    ports = []
    for region in demo.regions.values():
        (endpoint,) = region.endpoints
        assert endpoint.check is not None
        check = demo.checks[endpoint.check]
        assert check.address == "127.0.0.1"
        assert (check.rule.interval_s, check.rule.fall, check.rule.rise) == (5.0, 3, 2)
        ports.append(check.port)
    assert ports == [18081, 18082, 18083]


def test_the_demo_needs_no_rights(demo: Policy) -> None:
    """High ports on loopback."""
    assert demo.server.listen == (("127.0.0.1", 5300),)
    assert demo.server.admin == ("127.0.0.1", 8053)
    assert Path(demo.server.state_dir) == FOLDER / "state"


def simulated(*words: str) -> dict[str, dict[str, float]]:
    """The loads of the regions of the capacity example, on the map that comes with us."""
    done = CliRunner().invoke(simulate, ["-c", str(FOLDER / "capacity.yaml"), "--json", *words])
    assert done.exit_code == 0, done.output
    return {load["region"]: load for load in json.loads(done.stdout)["regions"]}


def test_capacity_keeps_a_failover_from_cascading() -> None:
    """A thousand each; one is lost, and each survivor is full, none above; nearest alone overloads one."""
    loads = simulated("--down", "us", "--max-load", "100%")
    assert {name: load["before"] for name, load in loads.items()} == pytest.approx(
        dict.fromkeys(loads, 1000), rel=0.02
    )
    assert {name: load["after"] for name, load in loads.items()} == pytest.approx(
        {"us": 0, "eu": 1500, "ap": 1500}
    )
    assert {load["capacity_before"] for load in loads.values()} == {1500.0}
    assert loads["eu"]["unplanned"] > 2000
    assert loads["eu"]["unplanned"] + loads["ap"]["unplanned"] == pytest.approx(3000)


def test_capacity_with_half_a_region() -> None:
    """What it takes no more goes to the others, as much as all have room."""
    loads = simulated("--capacity", "us=50%", "--max-load", "80.1%")
    assert loads["us"]["capacity_after"] == 750
    assert sum(load["after"] for load in loads.values()) == pytest.approx(3000)
