"""`georouter failback`: what is typed is what the daemon is told."""

import json

import pytest

from georouter.admin.desk import Failback
from tests.admin.desks import FAILOVER, FakeDesk
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("daemon")


def test_failback(run: Run, desk: FakeDesk) -> None:
    """Service, reason, author and region arrive; the answer says who answers, and why."""
    done = run("failback", "write", "--to", "us-east", "--reason", "repaired", "--author", "ada")
    assert done.exit_code == 0
    assert desk.failbacks == [Failback("write", "us-east", "repaired", "ada", "127.0.0.1")]
    assert done.output == f"write is answered from us-east, steady: {FAILOVER['why']}\n"


def test_without_a_region(run: Run, desk: FakeDesk) -> None:
    """The daemon picks; a reason is needed."""
    assert run("failback", "write", "--reason", "x").exit_code == 0
    assert desk.failbacks[0].to is None
    assert run("failback", "write").exit_code == 2


def test_json(run: Run) -> None:
    """`--json` prints what the daemon said."""
    done = run("failback", "write", "--reason", "x", "--json")
    assert json.loads(done.output) == {"service": "write", "failover": FAILOVER}


@pytest.mark.parametrize(("service", "says"), [("web", "no failover step"), ("wrte", "did you mean write?")])
def test_refusals(run: Run, service: str, says: str) -> None:
    """The daemon's reason is passed on; the exit code is 1."""
    done = run("failback", service, "--reason", "x")
    assert done.exit_code == 1
    assert says in done.output
