"""kill -9: of the compiling child, of the daemon, at the worst moment."""

import os
import time
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, US_EAST, three_regions
from benchmarks.harness.processes import alive, children, niceness
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

OLD, NEW, NEWER = "192.0.2.101", "192.0.2.102", "192.0.2.103"
SUCCESSES = "georouter_config_reloads_total"
SLOW = "interval: 20s, timeout: 2s, fall: 2, rise: 1, confirm_interval: 100ms"
"""Checks that come so seldom that a first answer cannot wait for one."""


def policy(marker: str) -> str:
    """Three regions and a record to tell policies apart."""
    return three_regions(records=[f"marker: {{A: {marker}}}"])


def marker(daemon: Daemon) -> str:
    """Which policy is served."""
    return daemon.ask("marker.example.com").addresses[0]


def child(daemon: Daemon) -> int:
    """The compiling process, started if it is not there yet."""
    if not children(daemon.pid):
        before = daemon.metric(SUCCESSES, result="success")
        daemon.signal(SIGHUP)
        until(lambda: daemon.metric(SUCCESSES, result="success") > before, "a reload")
    (pid,) = children(daemon.pid)
    return pid


def test_the_child_in_the_middle_of_a_reload(tmp_path: Path) -> None:
    """A new one takes over the reload that the old one did not live to finish; the next one works too."""
    with Daemon(tmp_path, policy(OLD)) as daemon:
        first = child(daemon)
        assert niceness(first) > niceness(daemon.pid)
        os.kill(first, SIGSTOP)
        daemon.write(policy(NEW))
        daemon.signal(SIGHUP)
        time.sleep(0.5)
        assert marker(daemon) == OLD
        os.kill(first, SIGKILL)
        until(lambda: marker(daemon) == NEW, "the reload by another child")
        second = child(daemon)
        assert second != first
        daemon.write(policy(NEWER))
        until(lambda: marker(daemon) == NEWER, "the next reload")
        assert child(daemon) == second
        assert "policy.refused" not in daemon.output()
        assert "Traceback" not in daemon.output()


def test_the_child_between_reloads(tmp_path: Path) -> None:
    """Nobody misses it before the next reload, which starts another."""
    with Daemon(tmp_path, policy(OLD)) as daemon:
        first = child(daemon)
        os.kill(first, SIGKILL)
        until(lambda: not alive(first), "its end")
        assert daemon.get(f"/v1/explain?name=www.example.com&client={LONDON}")[0] == 200
        daemon.write(policy(NEW))
        until(lambda: marker(daemon) == NEW, "the new policy")


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in the middle of a build"])
def test_the_daemon(tmp_path: Path, busy: bool) -> None:
    """Its child ends by itself, whatever it was doing, and says nothing about it."""
    daemon = Daemon(tmp_path, policy(OLD))
    with daemon:
        orphan = child(daemon)
        if busy:
            os.kill(orphan, SIGSTOP)
            daemon.signal(SIGHUP)
            time.sleep(0.3)
        daemon.signal(SIGKILL)
        until(lambda: not alive(daemon.pid), "the daemon's end")
        if busy:
            os.kill(orphan, SIGCONT)
        until(lambda: not alive(orphan), "the child's end", 10)
    assert "Traceback" not in daemon.output()


def test_a_restart_after_a_kill_is_warm(tmp_path: Path) -> None:
    """A region that was down is not in the first answer, though nobody had time to ask it; a drain holds."""
    with RegionServer(tmp_path / "a") as first, RegionServer(tmp_path / "c") as third:
        dead = RegionServer(tmp_path / "b")
        daemon = Daemon(tmp_path / "daemon", three_regions([first.port, dead.port, third.port], pace=SLOW))
        with daemon:
            assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
            assert daemon.post("/v1/drain", {"region": "ap-south", "reason": "a test"})[0] == 200
            state = tmp_path / "daemon" / "state" / "state.json"
            until(lambda: state.exists() and "ap-south" in state.read_text(), "the state to be saved")
            until(lambda: "a test" in state.read_text(), "the drain to be saved")
            daemon.signal(SIGKILL)
            until(lambda: not alive(daemon.pid), "the daemon's end")
        first.freeze()
        third.freeze()  # a start that asked them would wait for its timeout of 2 s
        dead.start()
        answer = daemon.start()
        try:
            assert "server.answering" in daemon.output()
            assert answer.rcode == "NOERROR"
            assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
            until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")
            assert daemon.metric("georouter_override_active", region="ap-south") == 1
        finally:
            first.thaw()
            third.thaw()
            daemon.stop()
            dead.kill()
    assert EU_WEST not in answer.addresses
