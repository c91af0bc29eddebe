"""`georouter drain` and `undrain`: what is typed is what the daemon is told."""

import json

import pytest

from georouter.admin.desk import Action, Change
from tests.admin.desks import STATUS, FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


def test_drain(run: Run, desk: FakeDesk) -> None:
    """Region, reason, author and time arrive; the answer says until when and what is so now."""
    done = run("drain", "eu-west", "--for", "1h30m", "--reason", "kernel update", "--author", "ada")
    assert done.exit_code == 0
    assert desk.changes == [Change(Action.DRAIN, "eu-west", "kernel update", "ada", "127.0.0.1", 5400.0)]
    assert done.output == (
        "eu-west is drained until 2026-02-02 03:11:40Z\nacts as drained; health checks say up\n"
    )


def test_drain_without_an_end(run: Run, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays until it is ended; the author is whoever is logged in."""
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    done = run("drain", "ap-south", "--reason", "move")
    assert (desk.changes[0].for_s, desk.changes[0].author) == (None, "grace")
    assert "until 'georouter undrain' ends it" in done.output


def test_a_system_without_names(run: Run, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container without a user database the author is `unknown`."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert run("drain", "ap-south", "--reason", "move").exit_code == 0
    assert desk.changes[0].author == "unknown"


def test_undrain(run: Run, desk: FakeDesk) -> None:
    """It needs a reason too."""
    done = run("undrain", "eu-west", "--reason", "done", "--author", "ada")
    assert desk.changes == [Change(Action.UNDRAIN, "eu-west", "done", "ada", "127.0.0.1")]
    assert done.output.startswith("eu-west is not drained any more\n")
    assert run("undrain", "eu-west").exit_code == 2


@pytest.mark.parametrize("command", ["drain", "undrain"])
def test_json(run: Run, command: str) -> None:
    """`--json` prints the region as the daemon sees it now."""
    done = run(command, "eu-west", "--reason", "x", "--json")
    assert json.loads(done.output) == STATUS["regions"][1]


def test_no_such_region(run: Run) -> None:
    """The daemon's hint is passed on; the exit code is 1."""
    done = run("drain", "eu-wst", "--reason", "x")
    assert done.exit_code == 1
    assert done.output == "Error: no region 'eu-wst'; did you mean 'eu-west'?\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("drain", "eu-west"), "Missing option '--reason'"),
        (("drain", "--reason", "x"), "Missing argument 'REGION'"),
        (("drain", "eu-west", "--reason", "x", "--for", "30"), "is not a duration"),
        (("drain", "eu-west", "--reason", "x", "--for", "0s"), "must be above zero"),
        (("undrain", "eu-west", "--reason", "x", "--for", "5m"), "No such option"),
    ],
)
def test_usage_errors(run: Run, desk: FakeDesk, args: tuple[str, ...], says: str) -> None:
    """What is typed wrongly is a usage error, and changes nothing."""
    done = run(*args)
    assert done.exit_code == 2
    assert says in done.output
    assert desk.changes == []
