"""`georouter ramp`: what is typed is what the daemon is told."""

import json

import pytest

from georouter.admin.desk import RampChange
from georouter.facts.ramp import RampOrder
from tests.admin.desks import RAMP, FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


@pytest.mark.parametrize("order", list(RampOrder))
def test_orders(run: Run, desk: FakeDesk, order: RampOrder) -> None:
    """Action, service, reason and author arrive; the answer says how far it has come."""
    done = run("ramp", order.value, "write", "--reason", "repaired", "--author", "ada")
    assert done.exit_code == 0
    assert desk.ramps == [RampChange("write", order, "repaired", "ada", "127.0.0.1")]
    assert done.output == "the ramp of write is stepped back: us-east gets 1.0%\n"


def test_json(run: Run) -> None:
    """`--json` prints what the daemon said."""
    done = run("ramp", "pause", "write", "--reason", "x", "--json")
    assert json.loads(done.output) == {"service": "write", "ramp": RAMP}


@pytest.mark.parametrize(("service", "says"), [("web", "has no ramp"), ("wrte", "did you mean write?")])
def test_refusals(run: Run, service: str, says: str) -> None:
    """The daemon's reason is passed on; the exit code is 1. A reason is needed."""
    done = run("ramp", "abort", service, "--reason", "x")
    assert done.exit_code == 1
    assert says in done.output
    assert run("ramp", "abort", service).exit_code == 2
