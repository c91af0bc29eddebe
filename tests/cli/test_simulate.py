"""The command `simulate`: what it prints, and when the answer is no."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from georouter.cli import offline
from georouter.cli.simulate import simulate
from georouter.cli.simulation import _number
from tests.admin.desks import RAMP, STATUS, FakeDesk
from tests.cli.daemons import open_door
from tests.compiler.build import tiny_map

POLICY = """
version: 1
server: {admin: "127.0.0.1:9"}
checks:
  web: {type: tcp, port: 80}
regions:
  us: {location: {lat: 39.0, lon: -77.5}, capacity: 1500, check: web, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, capacity: 1500, endpoints: [192.0.2.20]}
  ap: {location: {lat: 1.3, lon: 103.8}, capacity: 1500, endpoints: [192.0.2.30]}
services:
  web: {regions: [us, eu, ap], demand: 3000}
  near: {regions: [us, eu], chain: [nearest]}
zones:
  example.com:
    ns: [ns1.example.net]
    records:
      www: {service: web}
      near: {service: near}
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on the tiny map, in a folder with the policy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(offline, "internet", lambda policy: tiny_map())
    for name in ("GEOROUTER_ADMIN", "GEOROUTER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "georouter.yaml").write_text(POLICY)
    return lambda *words: CliRunner().invoke(simulate, list(words))


def text(result: Result) -> str:
    """Output without alignment and line breaks."""
    return " ".join(result.stdout.split())


def test_the_loss_of_a_region(run: Run) -> None:
    """Loads, ways, latency, countries and times, in words."""
    result = run("--down", "us")
    said = text(result)
    assert result.exit_code == 0, result.output
    assert said.startswith(
        "us is down policy georouter.yaml, beginning with every region up shares are of the IPv4"
    )
    assert "us 1,000 0 0 down 0 eu 1,000 1,500 1,500 100.0% 0 ap 1,000 1,500 1,500 100.0% 0" in said
    assert "not counted, for want of a demand in the policy: near" in said
    assert "service web: 33.3% of its clients move, demand 3,000" in said
    assert "us eu 16.7% us ap 16.7%" in said
    assert "Australia 83.7% 27.9% -" in said
    assert (
        "a failure is noticed within 6 s where connections are refused, 12 s where they are swallowed" in said
    )
    assert "then, at a TTL of 30s, clients leave: 50% after 15 s, 90% after 27 s, 100% after 30 s" in said


def test_ttls_that_go_down_first(run: Run) -> None:
    """A planned drain is ahead of the caches, a failure hardly is."""
    web = "web: {regions: [us, eu, ap], ttl: {steady: 60s, suspect: 10s, ramp: 5s}"
    Path("georouter.yaml").write_text(POLICY.replace("web: {regions: [us, eu, ap]", web))
    said = text(run("--down", "us", "--service", "web"))
    assert "then, at a TTL of 1m (10s from the first failed check on, 1 s before answers move)" in said
    assert "clients leave: 50% after 29 s, 90% after 53 s, 100% after 59 s" in said
    words = ("--drain", "us", "--service", "web")
    said = text(run(*words))
    assert "drained at once, at a TTL of 1m, clients leave: 50% after 30 s, 90% after 54 s" in said
    assert "drained as planned 1m ahead or more, at a TTL of 5s, clients leave: 50% after 2.5 s" in said
    (web,) = json.loads(run(*words, "--json").stdout)["services"]
    assert [departure["why"] for departure in web["departures"]] == ["drain", "planned drain"]
    assert web["departures"][1]["drain_curve"][-1] == {"left": 1.0, "seconds": 5.0}
    assert [web["departures"][1][key] for key in ("ttl_s", "lowered_s", "ahead_s")] == [60, 5, 60]


def test_json_has_the_same_figures(run: Run) -> None:
    """One object; shares are parts of one."""
    told = json.loads(run("--drain", "us", "--service", "web", "--demand", "200%", "--json").stdout)
    assert told["drained"] == ["us"]
    assert told["demand"] == 2.0
    assert [(load["region"], round(load["after"]), load["used"]) for load in told["regions"]] == [
        ("us", 0, 0.0),
        ("eu", 3000, pytest.approx(2.0)),
        ("ap", 3000, pytest.approx(2.0)),
    ]
    (service,) = told["services"]
    assert service["moved"] == pytest.approx(1 / 3)
    assert service["latency"]["after_ms"] > 0
    assert told["detection"] is None
    named = [country for country in service["countries"] if country["country"]]
    assert service["countries_moved"] == len(named) <= service["countries_asking"]


def test_nothing_changes(run: Run) -> None:
    """Loads as they are."""
    assert text(run()).startswith("nothing changes policy georouter.yaml")


def test_a_limit_on_the_load(run: Run) -> None:
    """Exit code 1 beyond it, with the figure."""
    assert run("--down", "us", "--max-load", "100%").exit_code == 0
    result = run("--down", "us", "--capacity", "eu=50%", "--max-load", "100%")
    assert result.exit_code == 1
    assert result.stderr == "a region is loaded to 200.0%, more than 100%\n"
    assert run("--service", "near", "--max-load", "100%").exit_code == 2


def test_every_region(run: Run) -> None:
    """A row each; --max-load looks at the worst."""
    result = run("--every-region", "--max-load", "99%")
    assert result.exit_code == 1
    assert "ap 33.3% us 100.0% 0.0% +120 ms +152 ms" in text(result)
    told = json.loads(run("--every-region", "--json").stdout)
    assert [loss["region"] for loss in told["losses"]] == ["us", "eu", "ap"]
    assert all(loss["used"] == pytest.approx(1.0) for loss in told["losses"])


def test_another_policy(run: Run, tmp_path: Path) -> None:
    """What is in use afterwards."""
    (tmp_path / "new.yaml").write_text(POLICY.replace("regions: [us, eu, ap]", "regions: [eu]"))
    said = text(run("--policy", "new.yaml"))
    assert said.startswith("new.yaml instead of georouter.yaml")
    assert "service web: 66.7% of its clients move" in said


def test_a_query_log(run: Run, tmp_path: Path) -> None:
    """Its clients, not the address space; unreadable lines are counted; other names are left out."""
    lines = [
        "# a comment",
        "10.1.2.0/24 near.example.com 3",
        "30.0.0.1,near.example.com",
        "what?",
        "1.2.3.4 a.b",
    ]
    lines += [
        '{"client": "::ffff:30.0.0.1", "name": "NEAR.example.com"}',
        '{"client": 5}',
        "x near.example.com",
    ]
    (tmp_path / "log").write_text("\n".join(lines))
    told = json.loads(run("--replay", "log", "--down", "eu", "--json").stdout)
    assert told["log"] == {"queries": 6, "not_steered": 1, "unreadable": 3}
    (service,) = told["services"]
    assert service["before"] == {"us": pytest.approx(0.4), "eu": pytest.approx(0.6)}
    said = text(run("--replay", "log"))
    assert (
        "shares are of the 5 steered queries of the log (left out: 1 for other names, 3 unreadable lines)"
        in said
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--down", "uss"), "there is no region 'uss'; did you mean us?"),
        (("--service", "mail"), "there is no service 'mail'"),
        (("--capacity", "us"), "--capacity wants REGION=PERCENT"),
        (("--ramp", "near"), "--ramp wants SERVICE=PERCENT"),
        (("--ramp", "near=5%"), "service 'near' has no ramp in the policy"),
        (("--capacity", "us=much"), '"much" is not a percentage'),
        (("--demand", "-5%"), "must not be below zero"),
        (("--every-region", "--down", "us"), "--every-region is about each region alone"),
        (("--replay", "nothing"), "nothing cannot be read: No such file or directory"),
        (("--config", "other.yaml"), "other.yaml"),
    ],
)
def test_what_was_typed_wrongly(run: Run, words: tuple[str, ...], problem: str) -> None:
    """Exit code 2 and a word about it."""
    result = run(*words)
    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.split())


def test_a_log_of_other_names(run: Run, tmp_path: Path) -> None:
    """Nothing to count is an error, not a table of zeros."""
    (tmp_path / "log").write_text("1.2.3.4 www.example.net\n")
    result = run("--replay", "log")
    assert result.exit_code == 2
    assert "none of its 1 queries is for a steered name" in " ".join(result.stderr.split())


def test_begins_with_the_daemons_regions(run: Run) -> None:
    """What is down or drained there is so here before anything else happens."""
    regions = [
        {
            "name": "us",
            "observed": "down",
            "forced": None,
            "effective": "down",
            "health": 1.0,
            "rtt_ms": None,
        },
        {"name": "gone", "observed": "up", "forced": None, "effective": "up", "health": 1.0, "rtt_ms": 5.0},
        {"name": "eu", "observed": "up", "forced": None, "effective": "up", "health": 0.5, "rtt_ms": 12.5},
    ]
    desk = FakeDesk()
    desk.shown = STATUS | {"regions": regions}
    with open_door(desk) as port:
        result = run("--live", "--admin", f"127.0.0.1:{port}", "--json")
    told = json.loads(result.stdout)
    assert told["live"] is True
    assert {load["region"]: (load["before"], load["capacity_before"]) for load in told["regions"]} == {
        "us": (0.0, 0.0),
        "eu": (pytest.approx(1000), 750.0),
        "ap": (pytest.approx(2000), 1500.0),
    }


def test_a_log_weighs_tenants(run: Run, tmp_path: Path) -> None:
    """By the names in it; nobody's names, where there are tenants alone, are left out."""
    pinned = POLICY.replace(
        "chain: [nearest]", "chain: [{pin: {directory: t.csv, unknown: nxdomain}}, nearest]"
    )
    pinned = pinned.replace("near: {service: near}", '"*.t": {service: near}')
    (tmp_path / "georouter.yaml").write_text(
        pinned.replace("[us, eu], chain", "[us, eu], demand: 1000, chain")
    )
    (tmp_path / "t.csv").write_text("tenant,home\nacme,us\nglobex,eu\nhooli,eu\n")
    (tmp_path / "log").write_text(
        "1.2.3.4 acme.t.example.com 80\n1.2.3.4 www.globex.t.example.com 20\n1.2.3.4 no.t.example.com\n"
    )
    told = json.loads(run("--down", "us", "--replay", "log", "--json").stdout)
    assert told["log"] == {"queries": 101, "not_steered": 1, "unreadable": 0}
    (service,) = told["services"]
    assert service["before"] == pytest.approx({"us": 0.8, "eu": 0.2})
    assert service["moved"] == pytest.approx(0.8)
    assert (service["tenants"]["before"], service["tenants"]["moved"]) == (3, pytest.approx(1.0))
    loads = {load["region"]: load["before"] for load in told["regions"]}
    assert loads == pytest.approx({"us": 800.0, "eu": 200.0, "ap": 0.0})


def test_a_log_and_a_policy_without_its_names(run: Run, tmp_path: Path) -> None:
    """Nobody answers those queries afterwards."""
    (tmp_path / "new.yaml").write_text(POLICY.replace("      near: {service: near}\n", ""))
    (tmp_path / "log").write_text("30.0.0.1 near.example.com\n")
    told = json.loads(run("--policy", "new.yaml", "--replay", "log", "--json").stdout)
    (service,) = told["services"]
    assert service["unanswered_after"] == pytest.approx(1.0)


def test_a_plan_and_what_would_be_without(run: Run, tmp_path: Path) -> None:
    """Beside each other, also for the loss of each region; where there is no room it is said."""
    planned = POLICY.replace("[us, eu, ap], demand", "[us, eu, ap], chain: [nearest, capacity], demand")
    (tmp_path / "georouter.yaml").write_text(planned)
    said = text(run("--every-region"))
    assert "FULLEST AFTER LOAD WITHOUT PLAN REFUSED" in said
    assert "WITHOUT PLAN: the fullest region if there were no capacity step" in said
    every = json.loads(run("--every-region", "--json").stdout)["losses"]
    assert max(loss["used"] for loss in every) == pytest.approx(1.0)
    words = ("--down", "us", "--demand", "120%")
    assert "no room within the limits of `capacity`: eu 1.20 times, ap 1.20 times the limit" in text(
        run(*words)
    )
    told = json.loads(run(*words, "--json").stdout)
    assert told["overload"] == pytest.approx({"eu": 1.2, "ap": 1.2})


@pytest.mark.parametrize(
    ("value", "expected"), [(99.96, "100"), (99.94, "99.9"), (-0.01, "0"), (1234.5, "1,234")]
)
def test_numbers(value: float, expected: str) -> None:
    """One digit behind the point for small ones, and no zeros that say nothing."""
    assert _number(value) == expected


RAMPED = POLICY.replace(
    "[us, eu], chain: [nearest]",
    "[us, eu], demand: 1000, chain: [weighted: {ramp: {region: eu, from: 10%, to: 100%, over: 1h}}]",
)


def test_a_ramp(run: Run, tmp_path: Path) -> None:
    """It is at its beginning, and afterwards as far as is said."""
    (tmp_path / "georouter.yaml").write_text(RAMPED)
    words = ("--service", "near", "--ramp", "near=60%")
    said = text(run(*words))
    assert said.startswith("ramp near=60% policy")
    assert "eu 100 600 1,500 40.0% 900" in said
    assert json.loads(run(*words, "--json").stdout)["ramp"] == ["near=60%"]
    assert "a ramp ends at 100%" in run("--ramp", "near=101%").stderr


@pytest.mark.parametrize(("region", "part"), [("eu", 0.3), ("us", 0.1)])
def test_begins_with_the_daemons_ramps(run: Run, tmp_path: Path, region: str, part: float) -> None:
    """How far they have come there; one to another region says nothing of this policy's."""
    (tmp_path / "georouter.yaml").write_text(RAMPED)
    desk = FakeDesk()
    desk.shown = STATUS | {
        "regions": [],
        "services": [{"name": "near", "ramp": RAMP | {"region": region, "part": 0.3}}],
    }
    with open_door(desk) as port:
        told = json.loads(run("--live", "--admin", f"127.0.0.1:{port}", "--service", "near", "--json").stdout)
    assert told["services"][0]["after"] == pytest.approx({"us": 1 - part, "eu": part})
