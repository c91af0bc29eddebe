"""How long from the start of the process to the first answer, cold and warm?

Cold: no state, no cache. Warm: both as the run before left them on SIGTERM.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.report import Report

ROUNDS = 3
COLD_S, WARM_S = 5.0, 1.5


def first_answer(daemon: Daemon) -> float:
    """Start, time the first answer, stop."""
    daemon.start()
    elapsed = time.monotonic() - daemon.started_s
    code = daemon.stop()
    assert code == 0, daemon.output()
    return elapsed


def main() -> None:
    """The worst of some rounds of each."""
    report = Report("startup")
    cold, warm = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder = Path(name)
            regions = [stack.enter_context(RegionServer(folder / str(number))) for number in range(3)]
            daemon = Daemon(folder / "daemon", three_regions([region.port for region in regions]))
            cold.append(first_answer(daemon))
            warm.append(first_answer(daemon))
    report.add(f"cold start to first answer, worst of {ROUNDS}", max(cold), "s", COLD_S)
    report.add(f"warm start to first answer, worst of {ROUNDS}", max(warm), "s", WARM_S)
    report.finish()


if __name__ == "__main__":
    main()
