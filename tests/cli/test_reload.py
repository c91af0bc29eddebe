"""`georouter reload`: the daemon's verdict on its policy, and the exit code."""

import json

import pytest

from tests.admin.desks import FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


def test_success(run: Run, desk: FakeDesk) -> None:
    """The new snapshot on stdout, warnings on stderr."""
    desk.reload_result = {
        "ok": True,
        "error": None,
        "warnings": ["a.yaml:3:1: unused region"],
        "generation": 8,
    }
    done = run("reload")
    assert done.exit_code == 0
    assert done.stdout == "policy loaded; snapshot 8\n"
    assert done.stderr == "a.yaml:3:1: unused region\n"


def test_failure(run: Run, desk: FakeDesk) -> None:
    """Every problem, and exit code 1: the policy before it stays."""
    desk.reload_result = {
        "ok": False,
        "error": "1 problem",
        "problems": ["a.yaml:1:1: zones: empty"],
        "generation": 7,
    }
    done = run("reload")
    assert done.exit_code == 1
    assert (
        done.stderr == "a.yaml:1:1: zones: empty\nError: the policy cannot be used; the one before it stays\n"
    )
    as_json = run("reload", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout) == desk.reload_result


def test_failure_outside_the_policy(run: Run, desk: FakeDesk) -> None:
    """Where no line of the policy is to blame, the error is what is shown."""
    desk.reload_result = {"ok": False, "error": "city.mmdb: cannot be read", "problems": [], "generation": 7}
    assert run("reload").stderr.startswith("city.mmdb: cannot be read\n")
