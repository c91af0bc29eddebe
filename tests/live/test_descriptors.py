"""No descriptors left: UDP goes on as if nothing were, and everything else comes back by itself."""

import contextlib
import resource
import socket
import time
from pathlib import Path
from signal import SIGHUP

import dns.exception
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.processes import open_files
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

FEW = 100
CROWD = 400
DROUGHT_S = 3.0
PACE = "interval: 300ms, timeout: 200ms, confirm_interval: 100ms, fall: 2, rise: 1"
LOG_LINES = 15
"""A shortage is worth a few lines, not one per connection."""


def test_a_small_limit_is_shared(tmp_path: Path) -> None:
    """TCP clients cannot take what health checks, the admin port and files need."""
    with RegionServer(tmp_path / "region") as region:
        daemon = Daemon(tmp_path / "daemon", three_regions([region.port] * 3, pace=PACE))
        daemon.before = ("prlimit", f"--nofile={FEW}")
        with daemon:
            assert "server.few_descriptors" in daemon.output()
            with contextlib.ExitStack() as crowd:
                for number in range(CROWD):
                    crowd.enter_context(
                        socket.create_connection(
                            daemon.address, 5, source_address=(f"127.0.1.{number // 4}", 0)
                        )
                    )
                    if number % 20 == 0:
                        assert answered(daemon)
                        assert answered(daemon, tcp=True)
                probes = daemon.metric("georouter_probe_duration_seconds_count")
                until(lambda: daemon.metric("georouter_probe_duration_seconds_count") > probes + 3, "probes")
                assert daemon.metric("georouter_region_healthy") == 3
        assert "Traceback" not in daemon.output()


def test_none_left(tmp_path: Path) -> None:
    """UDP is answered, no region goes down for it, the log stays short; TCP and the admin port return."""
    region = RegionServer(tmp_path / "region")
    daemon = Daemon(tmp_path / "daemon", three_regions([region.port] * 3, pace=PACE))
    with region, daemon:
        before = daemon.output()
        limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (open_files(daemon.pid), limits[1]))
        with contextlib.ExitStack() as waiting:
            for _ in range(50):
                waiting.enter_context(socket.create_connection(daemon.address, 5))
                waiting.enter_context(socket.create_connection(daemon.admin, 5))
            end = time.monotonic() + DROUGHT_S
            while time.monotonic() < end:
                assert answered(daemon)
            said = daemon.output()[len(before) :]
            assert "a TCP connection could not be taken" in said
            assert "region.down" not in said
            assert "Traceback" not in said
            assert len(said.splitlines()) < LOG_LINES, said
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
        until(lambda: answered(daemon, tcp=True), "TCP to return", 5)
        until(lambda: daemon.get("/readyz")[0] == 200, "the admin port to return", 5)
        assert daemon.metric("georouter_region_healthy") == 3


def answered(daemon: Daemon, *, tcp: bool = False) -> bool:
    """Whether London gets its answer."""
    with contextlib.suppress(OSError, EOFError, dns.exception.Timeout):
        return daemon.ask("www.example.com", client=LONDON, tcp=tcp, timeout_s=1.0).addresses == (EU_WEST,)
    return False


def test_a_reload_without_descriptors(tmp_path: Path) -> None:
    """No compiling process can be started: the old policy stays; the new one comes with the descriptors."""
    old, new = "192.0.2.101", "192.0.2.102"

    def policy(marker: str) -> str:
        return three_regions(records=[f"marker: {{A: {marker}}}"])

    def marker() -> str:
        return daemon.ask("marker.example.com").addresses[0]

    daemon = Daemon(tmp_path, policy(old))
    with daemon:
        limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (open_files(daemon.pid), limits[1]))
        daemon.write(policy(new))
        daemon.signal(SIGHUP)
        until(lambda: "policy.refused" in daemon.output(), "the refusal")
        assert "Too many open files" in daemon.output()
        assert marker() == old
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
        until(lambda: marker() == new, "the new policy, without another word")
    assert "Traceback" not in daemon.output()
