"""Ten reloads a second for a minute, every third one broken: what is lost, what is wrong, what does it cost?

Reloads come by all the ways there are: a file replaced by rename, a file written in place, SIGHUP and
`POST /v1/reload`. Broken policies name an answer that nobody must ever see. Memory is that of the daemon
and of its child process, which compiles; it is flat when the second half of the run needs no more than
the first.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGHUP

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import AP_SOUTH, ASHBURN, EU_WEST, LONDON, SINGAPORE, US_EAST, three_regions
from benchmarks.harness.processes import children, niceness, resident_mib
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until

MARKERS = ("192.0.2.101", "192.0.2.102")
"""What good policies answer for `marker`, in turn."""
POISON = "192.0.2.66"
"""What broken policies would answer for it."""
NEAREST = ((LONDON, EU_WEST), (ASHBURN, US_EAST), (SINGAPORE, AP_SOUTH))
BREAKAGES = (
    "services: {extra: {regions: [nowhere]}}\n",
    "zones: {example.com: {records: {marker: {A: not-an-address}}}}\n",
    "  : [\n",
)
"""Put behind a policy: an unknown region under a second `services`, a wrong value, no YAML."""


@dataclass(slots=True)
class Storm:
    """What became of it. Memory is in MiB, one sample after every tenth reload."""

    sent: int = 0
    lost: int = 0
    wrong: int = 0
    drops: float = 0.0
    late_s: float = 0.0
    loaded: float = 0.0
    refused: float = 0.0
    asked: int = 0
    nice: int = 0
    logged: str = ""
    daemon_mib: list[float] = field(default_factory=list)
    child_mib: list[float] = field(default_factory=list)


def policy(marker: str, names: int) -> str:
    """`names` names, half of them steered."""
    steered = [f"n{number}: {{service: web}}" for number in range(names // 2)]
    static = [f"m{number}: {{A: 192.0.2.{number % 40 + 200}}}" for number in range(names // 2)]
    return three_regions(records=[*steered, *static, f"marker: {{A: {marker}}}"])


def queries(names: int) -> list[tuple[str, str, frozenset[str]]]:
    """(name, client, the answers that are right): in turn the marker, a steered and a static name."""
    found: list[tuple[str, str, frozenset[str]]] = []
    for number in range(min(names // 2, 150)):
        client, nearest = NEAREST[number % 3]
        found.append(("marker.example.com", client, frozenset(MARKERS)))
        found.append((f"n{number}.example.com", client, frozenset({nearest})))
        found.append((f"m{number}.example.com", client, frozenset({f"192.0.2.{number % 40 + 200}"})))
    return found


def measure(folder: Path, *, seconds: float, rate: int, names: int, per_second: float = 10.0) -> Storm:
    """The storm, and a good policy at its end."""
    asked = queries(names)
    storm = Storm()
    good = [policy(marker, names) for marker in MARKERS]
    broken = [policy(POISON, names) + breakage for breakage in BREAKAGES]
    with Daemon(folder, good[0]) as daemon:
        daemon.post("/v1/reload", {})  # the child process is there, and warm
        with Load(daemon.address, [(name, client) for name, client, _ in asked], rate) as load:
            begin = time.monotonic()
            for number in range(int(seconds * per_second)):
                due = begin + number / per_second
                time.sleep(max(0.0, due - time.monotonic()))
                storm.late_s = max(storm.late_s, time.monotonic() - due)
                text = broken[number // 3 % 3] if number % 3 == 2 else good[number % 2]
                WAYS[number % len(WAYS)](daemon, text)
                storm.asked += 1
                if number % 10 == 9:
                    sample(daemon, storm)
            daemon.write(good[1])
            code, body = daemon.post("/v1/reload", {})
            assert code == 200, body
            assert json.loads(body)["ok"], body
            until(lambda: daemon.ask("marker.example.com").addresses == (MARKERS[1],), "the last policy")
        storm.drops = daemon.metric("georouter_kernel_receive_drops_total")
        storm.loaded = daemon.metric("georouter_config_reloads_total", result="success")
        storm.refused = daemon.metric("georouter_config_reloads_total", result="failure")
        storm.logged = daemon.output()
    storm.sent, storm.lost = load.sent, load.lost
    storm.wrong = sum(1 for item in load.outcomes() if item.rcode or item.address not in asked[item.query][2])
    return storm


def rename(daemon: Daemon, text: str) -> None:
    """Replace the file and let the watch find it."""
    daemon.write(text)


def in_place(daemon: Daemon, text: str) -> None:
    """Write over the file, as a careless editor does."""
    daemon.config.write_text(daemon.head() + text)


def hang_up(daemon: Daemon, text: str) -> None:
    """Replace the file and send SIGHUP."""
    daemon.write(text)
    daemon.signal(SIGHUP)


def post(daemon: Daemon, text: str) -> None:
    """Replace the file and ask at the admin port, which answers when it is done."""
    daemon.write(text)
    code, body = daemon.post("/v1/reload", {})
    assert code == 200, body


WAYS: tuple[Callable[[Daemon, str], None], ...] = (rename, in_place, hang_up, post)


def sample(daemon: Daemon, storm: Storm) -> None:
    """Memory of now."""
    (child,) = children(daemon.pid)
    storm.nice = niceness(child) - niceness(daemon.pid)
    storm.daemon_mib.append(resident_mib(daemon.pid))
    storm.child_mib.append(resident_mib(child))


def growth(samples: Sequence[float]) -> float:
    """How much more the last quarter needs at least than the second quarter did.

    At least: what work in progress needs comes and goes, what leaks stays.
    """
    quarter = max(1, len(samples) // 4)
    return min(samples[-quarter:]) - min(samples[quarter : 2 * quarter])


def main(arguments: Sequence[str] | None = None) -> None:
    """The storm at the size that must hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=5000, help="queries per second (default: 5000)")
    parser.add_argument("--names", type=int, default=1000)
    options = parser.parse_args(arguments)
    report = Report("reload_storm")
    with tempfile.TemporaryDirectory() as folder:
        storm = measure(Path(folder), seconds=options.seconds, rate=options.rate, names=options.names)
    report.add("queries", storm.sent, "")
    report.add("lost", storm.lost, "", 0)
    report.add("wrong or failed", storm.wrong, "", 0)
    report.add("dropped by the kernel", storm.drops, "", 0)
    report.add("reloads asked for", storm.asked, "")
    report.add("loads that were good (several requests may share one)", storm.loaded, "")
    report.add("loads that were refused", storm.refused, "", 1, at_least=True)
    report.add("memory of the daemon", storm.daemon_mib[-1], "MiB")
    report.add("growth of the daemon", growth(storm.daemon_mib), "MiB", 4.0)
    report.add("memory of the child", storm.child_mib[-1], "MiB")
    report.add("growth of the child", growth(storm.child_mib), "MiB", 8.0)
    report.add("niceness of the child, beyond the daemon's", storm.nice, "", 1, at_least=True)
    report.add("tracebacks in the log", storm.logged.count("Traceback"), "", 0)
    report.finish()


if __name__ == "__main__":
    main()
