"""How long from the start of the process to the first answer, cold and warm? And from `kill -9`, supervised?

Cold: no state, no cache. Warm: both as the run before left them on SIGTERM. Killed: SIGKILL, and started
again as soon as its end is seen, as systemd would with RestartSec=0; from the kill to the first answer.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from benchmarks.harness.processes import alive
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until

ROUNDS = 3
COLD_S, WARM_S = 5.0, 1.0


def first_answer(daemon: Daemon) -> tuple[float, float]:
    """Start, time the first answer, stop; also how long of it others had the CPUs (proc(5), schedstat)."""
    daemon.start()
    elapsed = time.monotonic() - daemon.started_s
    waited = waited_s(daemon)
    code = daemon.stop()
    assert code == 0, daemon.output()
    return elapsed, waited


def after_a_kill(daemon: Daemon) -> tuple[float, float]:
    """As `first_answer`, from the kill on; the state was saved before."""
    daemon.start()
    until((daemon.state_dir / "state.json").exists, "the state to be saved")
    killed_s = time.monotonic()
    daemon.signal(SIGKILL)
    until(lambda: not alive(daemon.pid), "its end")
    daemon.start()
    elapsed = time.monotonic() - killed_s
    waited = waited_s(daemon)
    daemon.stop()
    return elapsed, waited


def waited_s(daemon: Daemon) -> float:
    """How long others had the CPUs that it wanted."""
    return int(Path(f"/proc/{daemon.pid}/schedstat").read_text().split()[1]) / 1e9


def main() -> None:
    """The worst of some rounds of each."""
    report = Report("startup")
    cold, warm, killed = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder = Path(name)
            regions = [stack.enter_context(RegionServer(folder / str(number))) for number in range(3)]
            daemon = Daemon(folder / "daemon", three_regions([region.port for region in regions]))
            cold.append(first_answer(daemon))
            warm.append(first_answer(daemon))
            killed.append(after_a_kill(daemon))
    for what, times, limit_s in (
        ("cold start", cold, COLD_S),
        ("warm start", warm, WARM_S),
        ("kill -9", killed, WARM_S),
    ):
        elapsed, waited = max(times)
        report.add(f"{what} to first answer, worst of {ROUNDS}", elapsed, "s", limit_s)
        report.add(f"{what}, waiting for a CPU in it", waited, "s")
    report.finish()


if __name__ == "__main__":
    main()
