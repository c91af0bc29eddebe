"""How long after a region's server dies is it still answered, and what is lost meanwhile?

The server dies right after it was asked: the worst moment. `kill -9` makes connections refused,
`kill -STOP` black-holes them: the kernel accepts and nobody answers.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import ASHBURN, EU_WEST, LONDON, SINGAPORE, three_regions
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until

NAME = "www.example.com"
AFTER_S = 2.0
"""How long the load goes on after each change, to see whether it lasts."""
PATIENCE_S = 40.0


class Death(StrEnum):
    """How a region's server fails."""

    REFUSED = "refused"
    BLACK_HOLED = "black-holed"


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds since the death (since the return for `back_s`), and counts over the whole run."""

    last_bad_s: float
    back_s: float
    sent: int
    lost: int
    failed: int


def measure(death: Death, *, rate: int, pace: str = "", folder: Path) -> Measured:
    """One death and return of the region that London gets, under `rate` queries a second."""
    with ExitStack() as stack:
        regions = [
            stack.enter_context(RegionServer(folder / name)) for name in ("us-east", "eu-west", "ap-south")
        ]
        policy = three_regions([region.port for region in regions], pace=pace)
        daemon = stack.enter_context(Daemon(folder / "daemon", policy))
        dying = regions[1]
        load = Load(daemon.address, [(NAME, LONDON), (NAME, ASHBURN), (NAME, SINGAPORE)], rate)

        def london() -> str:
            return next(iter(daemon.ask(NAME, client=LONDON).addresses), "")

        until(lambda: london() == EU_WEST, "London to be answered from its region")
        with load:
            dying.wait_asked()
            died = time.monotonic()
            if death is Death.REFUSED:
                dying.kill()
            else:
                dying.freeze()
            until(lambda: london() != EU_WEST, "the dead region to leave the answers", PATIENCE_S)
            time.sleep(AFTER_S)
            returned = time.monotonic()
            if death is Death.REFUSED:
                dying.start()
            else:
                dying.thaw()
            until(lambda: london() == EU_WEST, "the region to come back", PATIENCE_S)
            time.sleep(AFTER_S)
    outcomes = load.outcomes()
    dead = [item for item in outcomes if died < item.received_s < returned]
    back = [item.received_s for item in outcomes if item.sent_s > returned and item.address == EU_WEST]
    last_bad = max(item.received_s for item in dead if item.address == EU_WEST)
    return Measured(
        last_bad_s=last_bad - died,
        back_s=min(back) - returned,
        sent=load.sent,
        lost=load.lost,
        failed=sum(1 for item in outcomes if item.rcode != 0 or not item.address),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Both deaths at the default pace of checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="queries per second (default: 1000)")
    options = parser.parse_args(arguments)
    report = Report("failover")
    limits = {Death.REFUSED: 6.5, Death.BLACK_HOLED: 12.5}
    for death, limit in limits.items():
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(death, rate=options.rate, folder=Path(folder))
        report.add(f"{death}: last answer naming the dead region", measured.last_bad_s, "s", limit)
        report.add(f"{death}: back in the answers", measured.back_s, "s")
        report.add(f"{death}: queries", measured.sent, "")
        report.add(f"{death}: lost", measured.lost, "", 0)
        report.add(f"{death}: SERVFAIL or empty", measured.failed, "", 0)
    report.finish()


if __name__ == "__main__":
    main()
