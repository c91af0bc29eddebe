"""The command `explain` beside a running daemon: both ways of asking say the same."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import ASHBURN, LONDON
from georouter.cli.main import main

pytestmark = pytest.mark.live
FROM_LONDON, FROM_ASHBURN = "81.2.69.1", "3.80.0.1"


def explained(daemon: Daemon, *words: str) -> Any:
    """What `explain --json` prints for www.example.com, without what tells when and where it was asked."""
    command = ["explain", "www.example.com", "--config", str(daemon.config), "--json", *words]
    done = CliRunner().invoke(main, command)  # in this process: a dozen of our own would take as many seconds
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told.pop("source")["mode"] == words[-1].removeprefix("--")
    assert told["question"].pop("at") > 0
    return told


@pytest.mark.parametrize(
    ("words", "by", "region"),
    [
        (("--client", LONDON), "client subnet", "eu-west"),
        (("--client", LONDON, "--resolver", FROM_ASHBURN), "client subnet", "eu-west"),
        (("--resolver", FROM_ASHBURN), "resolver", "us-east"),
        (("--client", "10.1.2.0/24", "--resolver", FROM_LONDON), "resolver", "eu-west"),
        (("--client", "0.0.0.0/0", "--resolver", FROM_ASHBURN), "resolver", "us-east"),
        (("--client", ASHBURN, "--type", "AAAA"), None, None),
    ],
)
def test_live_and_offline_agree(
    daemon: Daemon, words: tuple[str, ...], by: str | None, region: str | None
) -> None:
    """On every way to be judged. The zone's serial is not compared: the daemon's own rises and is kept."""
    live, offline = (explained(daemon, *words, how) for how in ("--live", "--offline"))
    for told in (live, offline):
        for record in told["answer"]["records"]:
            if record["type"] == "SOA":
                mname, rname, _, *times = record["data"].split()
                record["data"] = " ".join((mname, rname, *times))
    assert live == offline
    assert (live["judged"] or {}).get("by") == by
    assert (live["decided"] or {}).get("region") == region
