"""`georouter status`: everything, on 80 columns, for people and programs."""

import json
from copy import deepcopy

import pytest

from georouter.cli import status as module
from georouter.cli.status import alarms
from tests.admin.desks import STATUS, FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


def test_tables(run: Run) -> None:
    """Regions with three states and their endpoints, services, overrides, events; 80 columns, no colours."""
    done = run("status")
    assert done.exit_code == 0
    lines = [line.rstrip() for line in done.output.splitlines()]
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.output
    words = [line.split() for line in lines]
    assert ["us-east", "up", "up", "-", "81.2", "ms", "1", "up"] in words
    assert [
        "eu-west",
        "drained",
        "up",
        "drained",
        "9.5",
        "ms",
        "1",
        "of",
        "2",
        "up;",
        "192.0.2.21",
        "down:",
    ] in words
    assert ["web", "failover", "10s", "(down)", "us-east"] in words
    assert ["lonely", "all", "down", "for", "some", "-", "-"] in words
    assert ["drain", "eu-west", "2026-02-02", "03:11:40Z", "ada", "kernel", "update"] in words
    assert "1,234,567 queries" in done.output
    assert "2026-02-02 02:43:20Z  region.down   ap-south: timeout" in lines


def test_json(run: Run) -> None:
    """`--json` is what the daemon says, all of it."""
    assert json.loads(run("status", "--json").output) == STATUS


def test_long_texts_are_wrapped_not_cut(run: Run, desk: FakeDesk) -> None:
    """Thirty endpoints and a long reason still show on 80 columns; what is not named is counted."""
    shown = deepcopy(STATUS)
    shown["overrides"][0]["reason"] = "because " * 30 + "end"
    shown["regions"][0]["endpoints"] = [
        {"address": f"192.0.2.{index}", "state": "down", "reason": "timeout", "since": 0, "check": "web"}
        for index in range(30)
    ]
    desk.shown = shown
    output = run("status").output
    assert max(map(len, output.splitlines())) <= 80
    assert output.count("because") == 30
    assert "24 more" in " ".join(output.split())
    assert "…" not in output


def test_control_characters_are_shown_as_marks(run: Run, desk: FakeDesk) -> None:
    """What a probed endpoint said cannot drive the terminal."""
    shown = deepcopy(STATUS)
    shown["regions"][2]["endpoints"][0]["reason"] = "\x1b]0;owned\x07[bold]x[/bold]"
    desk.shown = shown
    output = run("status").output
    assert "\x1b" not in output
    assert "?]0;owned?[bold]x[/bold]" in "".join(output.split())


def test_before_the_first_load(run: Run, desk: FakeDesk) -> None:
    """A daemon that knows nothing yet is shown as such."""
    desk.shown = {"version": "1", "generation": 0, "config": {"last_reload": None}}
    done = run("status")
    assert done.exit_code == 0
    assert "listening on nothing yet" in done.output


def test_alarms() -> None:
    """A failed reload with its problems, a saved policy in use and dropped queries stand out."""
    assert alarms(STATUS) == []
    config = {
        "serving_last_good": True,
        "last_reload": {"ok": False, "error": "1 problem", "problems": ["a.yaml:1:1: x"]},
    }
    found = alarms(
        STATUS | {"config": config, "server": {"drops": 3, "restart_needed": ["listen", "workers"]}}
    )
    assert [text.split()[0] for text in found] == ["the", "a.yaml:1:1:", "a", "new", "the"]
    assert found[3].endswith("wait for a restart: listen, workers")


def test_watch(run: Run, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--watch` asks again after each pause, and ends without a trace when interrupted."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        desk.shown = STATUS | {"generation": 8}
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pause)
    done = run("status", "--watch")
    assert done.exit_code == 0
    assert pauses == [module.WATCH_INTERVAL_S] * 2
    assert "snapshot 8" in done.output
    assert run("status", "--watch", "--json").exit_code == 2


def test_signals(run: Run) -> None:
    """A table of their own, where there are any, with their age."""
    (line,) = [line.split() for line in run("status").output.splitlines() if "replication" in line]
    assert line == ["replication_lag_ms", "eu-west", "192.0.2.20", "degraded", "1,200", "3", "s", "ago"]


def test_failovers(run: Run) -> None:
    """Who is active and why, and the last sequence with its moments."""
    text = " ".join(run("status").output.split())
    assert "write us-east steady" in text
    assert "failover ap-south -> us-east" in text.replace("- >", "->")
    assert "promoted +3.5 s" in text


def test_secondaries(run: Run, desk: FakeDesk) -> None:
    """A line for each that is told of a zone; zones that tell nobody, too."""
    told = {"address": "192.0.2.54:53", "serial": 7, "state": "refused", "attempts": 2, "reason": "NOTAUTH"}
    other = {"address": "[::1]:53", "serial": 7, "state": "acknowledged", "attempts": 1, "reason": ""}
    zones = [
        {"zone": "example.com", "serial": 7, "differences": 0, "notify": [told, other]},
        {"zone": "example.net", "serial": 8, "differences": 0, "notify": []},
    ]
    desk.shown = STATUS | {"transfers": {"active": 0, "zones": zones}}
    lines = [" ".join(line.split()) for line in run("status").output.splitlines()]
    assert "example.com 7 192.0.2.54:53 refused: NOTAUTH 2" in lines
    assert "[::1]:53 acknowledged 1" in lines
    assert "example.net 8 - - -" in lines


def test_aliases(run: Run, desk: FakeDesk) -> None:
    """A line for each target, those first that somebody should look at; of many the rest is counted."""
    (good,) = STATUS["aliases"]
    lost = good | {"target": "cdn.example.org", "state": "stale", "reason": "no such name"}
    new = good | {"target": "x.example.org", "state": "unknown", "addresses": [], "age_s": None}
    desk.shown = STATUS | {"aliases": [good, lost, new]}
    lines = [" ".join(line.split()) for line in run("status").output.splitlines()]
    places = [
        lines.index(line)
        for line in (
            "cdn.example.org stale 198.51.100.1 10 s ago no such name",
            "x.example.org unknown - never",
            "lb.example.net fresh 198.51.100.1 10 s ago",
        )
    ]
    assert places == sorted(places)
    desk.shown = STATUS | {"aliases": [good] * (module.MOST_ALIASES + 2)}
    assert "and 2 more" in run("status").output


def test_answers_that_are_frozen(run: Run, desk: FakeDesk) -> None:
    """Since and until when, why, and what ends it."""
    shown = deepcopy(STATUS)
    shown["brake"] = {"frozen": True, "since": 1.7e9, "until": 1.7e9 + 300, "fallen": ["eu", "us"], "of": 3}
    desk.shown = shown
    assert (
        "answers are frozen since 2023-11-14 22:13:20Z, to 2023-11-14 22:18:20Z at the latest: eu, us failed "
        "at once, of 3 checked regions; georouter unfreeze ends it"
    ) in " ".join(run("status").output.split())
    desk.shown = {**shown, "brake": None}
    assert "frozen" not in run("status").output
