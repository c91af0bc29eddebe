"""What is around a process and not its own: standard streams, the log's disk and reader, the clock."""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, EU_WEST, LONDON, SINGAPORE, US_EAST, three_regions
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until
from tests.live.test_state_dir import full_disk

pytestmark = pytest.mark.live

REDIRECT = ("bash", "-c", 'place=$1; shift; exec "$@" {}', "bash")
PACE = "interval: 300ms, timeout: 200ms, confirm_interval: 100ms, fall: 2, rise: 1"
PIPE_BYTES = 4096
"""The least that a pipe holds; a few dozen lines."""
CHANGES = 40
YEARS = ("+10y", "-30y", "+0")
"""What libfaketime makes of the clock, one after the other; the last one is the truth."""
RELOADS = "georouter_config_reloads_total"


def change_often(daemon: Daemon) -> None:
    """Drain, undrain and reload, with a line or more in the log each; answers follow every time."""
    for _ in range(CHANGES):
        assert daemon.post("/v1/drain", {"region": "eu-west", "reason": "a test"})[0] == 200
        assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
        assert daemon.post("/v1/undrain", {"region": "eu-west", "reason": "over"})[0] == 200
        assert daemon.ask("www.example.com", client=LONDON, tcp=True).addresses == (EU_WEST,)
    before = daemon.metric(RELOADS, result="success")
    daemon.signal(SIGHUP)
    until(lambda: daemon.metric(RELOADS, result="success") > before, "a reload")
    assert daemon.get("/livez")[0] == 200


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"], ids=["standard error", "all three"])
def test_standard_streams_are_closed(tmp_path: Path, closed: str) -> None:
    """Nobody hears anything; nothing else is different, and no socket gets what is said."""
    daemon = Daemon(tmp_path, three_regions())
    daemon.before = ("bash", "-c", f'exec "$@" {closed}', "bash")
    with daemon:
        for number in (0, 1, 2):
            assert not str(Path(f"/proc/{daemon.pid}/fd/{number}").readlink()).startswith("socket")
        change_often(daemon)
        assert daemon.stop() == 0


def test_a_log_that_nobody_reads(tmp_path: Path) -> None:
    """Neither answers nor health checks, changes, reloads or the end wait for it; what was lost is said."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    with RegionServer(tmp_path / "region") as region:
        daemon = Daemon(tmp_path / "daemon", three_regions([region.port] * 3, pace=PACE))
        daemon.before = (*(word.format('2>"$place"') for word in REDIRECT), str(fifo))
        with daemon:
            change_often(daemon)
            probes = daemon.metric("georouter_probe_duration_seconds_count")
            until(lambda: daemon.metric("georouter_probe_duration_seconds_count") > probes + 3, "probes")
            assert len(os.read(reader, PIPE_BYTES)) > PIPE_BYTES // 2, "it was full"
            began = time.monotonic()
            assert daemon.stop() == 0
            assert time.monotonic() - began < 8.0
    os.close(reader)


def test_a_log_on_a_full_disk(tmp_path: Path) -> None:
    """Lines are lost; once there is room, the log says how many and goes on."""
    with full_disk(tmp_path / "disk"):
        log = tmp_path / "disk" / "log"
        daemon = Daemon(tmp_path / "daemon", three_regions())
        daemon.before = (*(word.format('2>>"$place"') for word in REDIRECT), str(log))
        with daemon:
            change_often(daemon)
            (tmp_path / "disk" / "ballast").unlink()
            until(lambda: b"log.lost" in _said(daemon, log), "the count of what was lost")
            assert b"region.drained" in _said(daemon, log)
            assert daemon.stop() == 0


def _said(daemon: Daemon, log: Path) -> bytes:
    """What the log holds after another event."""
    daemon.post("/v1/drain", {"region": "eu-west", "reason": "a test"})
    daemon.post("/v1/undrain", {"region": "eu-west", "reason": "over"})
    with suppress(OSError):
        return log.read_bytes()
    return b""


def test_a_clock_that_is_set_by_years(tmp_path: Path, need: Callable[[str], str]) -> None:
    """Ahead, behind, and right: answers, cookies, health checks, a drain with an end, reloads, a restart."""
    need("faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with RegionServer(tmp_path / "a") as first, RegionServer(tmp_path / "b") as second:
        third = RegionServer(tmp_path / "c")
        third.start()
        ports = [first.port, second.port, third.port]
        daemon = Daemon(tmp_path / "daemon", three_regions(ports, pace=PACE))
        daemon.before = (
            "env",
            f"LD_PRELOAD={library}",
            f"FAKETIME_TIMESTAMP_FILE={clock}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        )
        with daemon:
            drain = {"region": "eu-west", "reason": "a test", "for_s": 3600}
            assert daemon.post("/v1/drain", drain)[0] == 200
            for offset in YEARS:
                clock.write_text(offset)
                sets = daemon.output().count("clock.set")
                until(lambda sets=sets: daemon.output().count("clock.set") > sets, "the daemon to notice")
                for tcp in (False, True):
                    assert daemon.ask("www.example.com", client=LONDON, tcp=tcp).addresses == (US_EAST,)
                third.kill()
                until(lambda: singapore(daemon) != AP_SOUTH, "a failover")
                third.start()
                until(lambda: singapore(daemon) == AP_SOUTH, "the way back")
                before = daemon.metric(RELOADS, result="success")
                daemon.signal(SIGHUP)
                until(lambda before=before: daemon.metric(RELOADS, result="success") > before, "a reload")
                (forced,) = daemon.status()["overrides"]
                left_s = forced["expires_at"] - daemon.status()["now"]
                assert 3000 < left_s <= 3600
            clock.write_text("-30y")
        with daemon:
            assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
            clock.write_text("+0")
            until(lambda: "by_s=9" in daemon.output(), "the daemon to notice")
            assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
            assert 2000 < daemon.status()["overrides"][0]["expires_at"] - time.time() <= 3600
        third.kill()
    assert "Traceback" not in daemon.output()


def singapore(daemon: Daemon) -> str:
    """What clients there are answered."""
    return daemon.ask("www.example.com", client=SINGAPORE).addresses[0]
