"""`georouter unfreeze`: what is typed is what the daemon is told."""

import json

import pytest

from georouter.admin.desk import Unfreeze
from tests.admin.desks import FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


def test_unfreeze(run: Run, desk: FakeDesk) -> None:
    """Once; then there is nothing to release, and it says so."""
    done = run("unfreeze", "--reason", "they are down", "--author", "ada")
    assert (done.exit_code, done.output) == (0, "answers follow the checks again\n")
    assert desk.unfrozen == [Unfreeze("they are down", "ada", "127.0.0.1")]
    again = run("unfreeze", "--reason", "they are down")
    assert again.exit_code == 1
    assert "not frozen" in again.output
    assert run("unfreeze").exit_code == 2


def test_json(run: Run) -> None:
    """The brake as in status."""
    done = run("unfreeze", "--reason", "x", "--json")
    assert json.loads(done.output)["brake"]["frozen"] is False
