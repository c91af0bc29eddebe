"""The command `diff`: what it prints, and when it stops a change."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from georouter.cli import offline
from georouter.cli.diff import diff
from tests.cli.test_simulate import POLICY, text
from tests.compiler.build import tiny_map

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command for old.yaml and whatever its first argument makes of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(offline, "internet", lambda policy: tiny_map())
    Path("old.yaml").write_text(POLICY)

    def call(changes: dict[str, str], *words: str) -> Result:
        new = POLICY
        for was, now in changes.items():
            assert was in new
            new = new.replace(was, now)
        Path("new.yaml").write_text(new)
        return CliRunner().invoke(diff, ["old.yaml", "new.yaml", *words])

    return call


def test_nothing_changes(run: Run) -> None:
    """A comment moves nobody."""
    result = run({"version: 1": "version: 1 # new"}, "--max-moved", "0%")
    assert result.exit_code == 0
    assert text(result) == (
        "old.yaml -> new.yaml shares are of the IPv4 address space that the database places "
        "no client of any steered name notices anything"
    )


def test_who_moves(run: Run) -> None:
    """From where to where, TTLs, and what is unchanged; exit code 1 beyond the limit."""
    result = run({"web: {regions: [us, eu, ap]": "web: {ttl: 60s, regions: [us, eu]"}, "--max-moved", "5%")
    said = text(result)
    assert "www.example.com (web): 33.3% of the clients move TTL 30 s -> 60 s" in said
    assert "ap us 16.7% ap eu 16.7%" in said
    assert "unchanged: near.example.com" in said
    assert "of the demand that the old policy states, 33.3% moves" in said
    assert (result.exit_code, result.stderr) == (1, "33.3% of a name's clients move, more than 5%\n")


def test_a_name_is_lost(run: Run) -> None:
    """All of its clients count as moved."""
    result = run({"      near: {service: near}\n": "      fresh: {service: near}\n"}, "--max-moved", "99%")
    said = text(result)
    assert "no longer steered: near.example.com newly steered: fresh.example.com" in said
    assert result.exit_code == 1


def test_while_a_region_is_down(run: Run) -> None:
    """Both sides without it; a region that neither knows is an error."""
    changes = {"web: {regions: [us, eu, ap]": "web: {regions: [us, eu]"}
    told = json.loads(run(changes, "--down", "ap", "--json").stdout)
    assert told["moved"] == 0.0
    assert told["down"] == ["ap"]
    assert run(changes, "--down", "xx").exit_code == 2


def test_json(run: Run) -> None:
    """One object with every change."""
    told = json.loads(run({"192.0.2.30": "192.0.2.31"}, "--json").stdout)
    assert told["readdressed"] == ["ap"]
    assert [change["names"] for change in told["changes"]] == [["www.example.com"], ["near.example.com"]]
    assert told["changes"][0]["ways"] == []


def test_a_policy_that_cannot_be_used(run: Run) -> None:
    """Its problems, exit code 1."""
    result = run({"type: tcp": "type: tpc"})
    assert result.exit_code == 1
    assert "new.yaml:5:15: checks.web.type" in result.stderr


def test_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who moves, whose home is another, who is new and who is gone; a limit counts them, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(offline, "internet", lambda policy: tiny_map())
    for side, tenants in (("old", "acme,us\nglobex,eu\n"), ("new", "acme,ap\nhooli,eu\n")):
        pinned = POLICY.replace("chain: [nearest]", f"chain: [{{pin: {{directory: {side}.csv}}}}, nearest]")
        Path(f"{side}.yaml").write_text(pinned.replace("near: {service: near}", '"*.t": {service: near}'))
        Path(f"{side}.csv").write_text(f"tenant,home\n{tenants}")
    for side in ("old", "new"):
        path = Path(f"{side}.yaml")
        path.write_text(path.read_text().replace("near: {regions: [us, eu]", "near: {regions: [us, eu, ap]"))
    words = ["old.yaml", "new.yaml", "--max-moved", "40%"]
    done = CliRunner().invoke(diff, words)
    said = text(done)
    assert "answered by another region (1 new, 1 gone)" in said
    assert "tenants with another home: 1 OLD HOME NEW HOME TENANTS us ap 1" in said
    assert done.exit_code == 1
    (change,) = json.loads(CliRunner().invoke(diff, [*words, "--json"]).stdout)["changes"][:1]
    tenants = change["tenants"]
    assert [tenants[key] for key in ("before", "after", "new", "gone", "rehomed")] == [2, 2, 1, 1, 1]
    assert tenants["homes"] == [{"from": "us", "to": "ap", "tenants": 1}]
    assert tenants["moved"] == pytest.approx(sum(way["tenants"] for way in tenants["ways"]))


def test_a_query_log(run: Run) -> None:
    """The share of measured demand that moves, by name and together; a limit counts it, too."""
    Path("log").write_text(
        "50.0.0.1 www.example.com 900\n10.0.0.1 near.example.com 100\n10.0.0.1 x.example.com\n"
    )
    words = ("--replay", "log", "--max-moved", "100%")
    said = text(run({"web: {regions: [us, eu, ap]": "web: {regions: [us, eu]"}, *words))
    assert "queries are the 1,000 steered queries of the log (left out: 1 for other names)" in said
    assert "www.example.com (web): 33.3% of the clients move of 900 queries in the log, 33.3% move" in said
    assert "FROM TO CLIENTS QUERIES ap us 16.7% 16.7% ap eu 16.7% 16.7%" in said
    assert "of the 1,000 steered queries of the log, 30.0% move" in said
    changes = {"      near: {service: near}\n": ""}
    assert "10.0% move, 100 of them for names that are no longer steered" in text(run(changes, *words))
    told = json.loads(run(changes, *words, "--json").stdout)
    assert told["log"] == {"queries": 1001, "not_steered": 1, "unreadable": 0}
    assert told["measured"] == {
        "queries": 1000,
        "lost": 100,
        "moved": pytest.approx(0.1),
        "moved_at_end": None,
    }
    (change,) = told["changes"]
    assert (change["measured"]["queries"], change["measured"]["moved"]) == (900, 0.0)


def test_a_limit_on_measured_demand(run: Run) -> None:
    """Few clients who ask most of all: the queries are beyond the limit, the address space is not."""
    Path("log").write_text("30.0.0.1 near.example.com 9\n10.0.0.1 near.example.com\n")
    near = "near: {regions: [us, eu], chain: [nearest]}"
    chain = "[geo: [{match: {country: US}, regions: [eu]}, {regions: [[us, eu]]}], nearest]"
    changes = {near: near.replace("[nearest]", chain)}
    result = run(changes, "--replay", "log", "--max-moved", "50%")
    assert (result.exit_code, result.stderr) == (1, "90.0% of the log's queries move, more than 50%\n")
    told = json.loads(run(changes, "--json").stdout)
    assert told["measured"] is told["log"] is told["changes"][0]["measured"] is None
    assert run(changes, "--max-moved", "50%").exit_code == 0


def test_names_that_nobody_asked_for(run: Run) -> None:
    """A log of other services says nothing of a change."""
    Path("log").write_text("30.0.0.1 near.example.com\n")
    said = text(run({"web: {regions: [us, eu, ap]": "web: {regions: [us, eu]"}, "--replay", "log"))
    assert "of the clients move the log has no query for it FROM TO CLIENTS ap us" in said
    assert "of the 1 steered queries of the log, 0.0% move" in said


def test_a_ramp_is_held_by_its_end(run: Run) -> None:
    """It begins with nobody and ends with everybody: both are told, and a limit counts the end."""
    ramp = "chain: [weighted: {ramp: {region: ap, from: 0%, to: 60%, over: 2h}}]"
    was = POLICY.replace("web: {regions: [us, eu, ap]", "web: {regions: [us, eu]")
    Path("old.yaml").write_text(was)
    Path("log").write_text("50.0.0.1 www.example.com 3\n10.0.0.1 near.example.com 7\n")
    changes = {"web: {regions: [us, eu, ap],": f"web: {{regions: [us, eu, ap], {ramp},"}
    result = run(changes, "--max-moved", "5%")
    said = text(result)
    assert "(web): 0.0% of the clients move with ramps at their beginning, 60.0% at their end" in said
    assert "with ramps at their end: FROM TO CLIENTS us ap 30.0% eu ap 30.0%" in said
    assert "with ramps at their beginning:" not in said
    assert (result.exit_code, result.stderr) == (
        1,
        "60.0% of a name's clients move by the end of a ramp, more than 5%\n",
    )
    result = run(changes, "--replay", "log", "--max-moved", "17%")
    said = text(result)
    assert "log, 0.0% move with ramps at their beginning, 18.0% at their end" in said
    assert "and 18.0% of the log's queries move by the end of ramps, more than 17%" in result.stderr
    told = json.loads(run(changes, "--json").stdout)
    assert told["moved"] == pytest.approx(0.6)
    (web, near) = told["changes"]
    assert (web["moved"], web["at_ramps_end"]["moved"]) == (0.0, pytest.approx(0.6))
    assert near["at_ramps_end"] is None


def test_plans_of_capacity(run: Run) -> None:
    """Both sides follow their plans; whose demand nobody states is named."""
    near = "near: {regions: [us, eu], chain: [nearest]}"
    old = POLICY.replace(near, "near: {regions: [us, eu, ap], demand: 2000, chain: [nearest]}")
    Path("old.yaml").write_text(
        old.replace("[us, eu, ap], demand: 3000}", "[us, eu, ap], chain: [capacity]}")
    )
    chain = "[nearest, capacity: {steady_limit: 50%}]"
    changes = {
        near: f"near: {{regions: [us, eu, ap], demand: 2000, chain: {chain}}}",
        "demand: 3000": "chain: [capacity]",
    }
    said = text(run(changes))
    assert "each side follows its own plan of `capacity`, made for these clients" in said
    assert "for want of a demand in the policy: `capacity` of web (old), web (new)" in said
    assert "unchanged: www.example.com" in said
    told = json.loads(run(changes, "--json").stdout)
    assert told["planned"] is True
    assert told["unplanned"] == {"old": ["web"], "new": ["web"]}
    (moved,) = [change for change in told["changes"] if change["names"] == ["near.example.com"]]
    assert moved["moved"] > 0.01
    assert max(moved["after"].values()) * 2000 == pytest.approx(750, rel=1e-3)
    assert max(moved["before"].values()) * 2000 > 1000


def test_a_plan_without_a_solver(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to get one."""
    monkeypatch.setitem(sys.modules, "highspy", None)
    chain = "chain: [nearest, capacity: {steady_limit: 10%}], demand: 2000}"
    result = run({"regions: [us, eu], chain: [nearest]}": f"regions: [us, eu], {chain}"})
    assert result.exit_code == 1
    assert "pip install highspy" in result.stderr
