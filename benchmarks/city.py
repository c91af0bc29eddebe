"""A full database of cities, 6 million networks: how long until it answers, and in how much memory?

    python -m benchmarks.city [DATABASE.mmdb ...]

cold     no state, no cache: all of it is extracted before the first answer
warm     the run before has kept what it made
newer    another database at a start: the last good map answers, the new one is loaded by the child process
reload   the same while running

Without files it makes one with random networks.
"""

import argparse
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.harness.city import write
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import many_sites
from benchmarks.harness.processes import children, memory_mib
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until

COLD_S, WARM_S, MEMORY_MIB = 20.0, 2.0, 600.0
SITES, RATE = 14, 1000
CLIENTS = ("81.2.69.0/24", "3.80.0.0/24", "165.21.0.0/24", "2a00:1450::/48")
EPOCH_S = 1_700_000_000
BUILT = "georouter_geo_database_build_timestamp_seconds"
KEY = b"build_epoch"


def main(arguments: Sequence[str] | None = None) -> None:
    """All four, in this order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("databases", nargs="*", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="of the random database's size")
    options = parser.parse_args(arguments)
    report = Report("city")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [Path(shutil.copy(path, folder)) for path in options.databases]
        if not files:
            files = [folder / "city.mmdb"]
            report.add("networks", write(files[0], EPOCH_S, scale=options.scale), "")
        report.add("size of the files", sum(file.stat().st_size for file in files) / 2**20, "MiB")
        measure(report, folder / "daemon", files)
    report.finish()


def measure(report: Report, folder: Path, files: Sequence[Path]) -> None:
    """Start, start again, with another database, and reload."""
    names = ", ".join(map(str, files))
    body = f"geo: {{database: [{names}]}}\n" + many_sites(SITES, ["[nearest]"], 1)
    daemon = Daemon(folder, body, ready="s0.example.com")
    try:
        started(report, daemon, "cold", COLD_S)
        daemon.stop()
        started(report, daemon, "warm", WARM_S)
        tell_maps(report, daemon)
        daemon.stop()
        renew(files[0], 1)
        started(report, daemon, "newer", WARM_S)
        loaded(report, daemon, "newer", 1)
        disturbed(report, daemon, "reload", 2, lambda: renew(files[0], 2))
    finally:
        daemon.stop()


def started(report: Report, daemon: Daemon, what: str, limit_s: float) -> None:
    """To the first answer, and the memory that took."""
    daemon.launch()
    daemon.wait_ready(timeout_s=10 * COLD_S)
    report.add(f"{what}: start to first answer", time.monotonic() - daemon.started_s, "s", limit_s)
    report.add(f"{what}: most memory until then", memory_mib(daemon.pid, "VmHWM"), "MiB", MEMORY_MIB)
    until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")


def tell_maps(report: Report, daemon: Daemon) -> None:
    """What status says of the only map."""
    (size,) = daemon.status()["geo"]["maps"]
    ranges = size["ranges_ipv4"] + size["ranges_ipv6"]
    report.add("ranges of the map", ranges, "")
    report.add("memory of the map", size["size_bytes"] / 2**20, "MiB")
    report.add("memory of a range", size["size_bytes"] / ranges, "bytes")
    report.add("memory of the daemon", memory_mib(daemon.pid), "MiB", MEMORY_MIB)


def disturbed(report: Report, daemon: Daemon, what: str, step: int, change: Callable[[], None]) -> None:
    """A change under load, until it is in use."""
    with Load(daemon.address, [("s0.example.com", client) for client in CLIENTS], RATE) as load:
        change()
        loaded(report, daemon, what, step)
    waits = sorted(outcome.received_s - outcome.sent_s for outcome in load.outcomes())
    report.add(f"{what}: queries lost meanwhile", load.lost, "queries", 0)
    report.add(f"{what}: p99.9 of answers meanwhile", 1000 * waits[int(len(waits) * 0.999)], "ms")


def loaded(report: Report, daemon: Daemon, what: str, step: int) -> None:
    """Until the database of `renew(…, step)` is in use, and the memory that took."""
    began = time.monotonic()
    until(lambda: daemon.metric(BUILT) == EPOCH_S + step, "the newer database", 10 * COLD_S)
    report.add(f"{what}: until it is in use", time.monotonic() - began, "s", 2 * COLD_S)
    report.add(f"{what}: most memory of the daemon", memory_mib(daemon.pid, "VmHWM"), "MiB", MEMORY_MIB)
    for child in children(daemon.pid):  # none where the database was small enough to wait for it
        report.add(f"{what}: most memory of its child", memory_mib(child, "VmHWM"), "MiB", MEMORY_MIB)


def renew(file: Path, step: int) -> None:
    """Put a copy in its place that says it was built later."""
    content = file.read_bytes()
    at = content.rindex(KEY) + len(KEY)
    size, kind = content[at] & 31, content[at] >> 5 or content[at + 1] + 7
    at += 1 if content[at] >> 5 else 2
    assert kind in {6, 9}, "the build time is an unsigned number"
    draft = file.with_suffix(".draft")
    fresh = struct.pack("!Q", EPOCH_S + step)[8 - size :]
    draft.write_bytes(content[:at] + fresh + content[at + size :])
    draft.replace(file)


if __name__ == "__main__":
    main()
