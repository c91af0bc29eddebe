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


def first_answer(daemon: Daemon) -> tuple[float, float]:
    """Start, time the first answer, stop; also how long of it others had the CPUs (proc(5), schedstat)."""
    daemon.start()
    elapsed = time.monotonic() - daemon.started_s
    waited = int(Path(f"/proc/{daemon.pid}/schedstat").read_text().split()[1]) / 1e9
    code = daemon.stop()
    assert code == 0, daemon.output()
    return elapsed, waited


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
    for what, times, limit_s in (("cold", cold, COLD_S), ("warm", warm, WARM_S)):
        elapsed, waited = max(times)
        report.add(f"{what} start to first answer, worst of {ROUNDS}", elapsed, "s", limit_s)
        report.add(f"{what} start, waiting for a CPU in it", waited, "s")
    report.finish()


if __name__ == "__main__":
    main()
