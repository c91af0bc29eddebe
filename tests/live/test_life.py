"""From start to stop: taken ports, reloads, broken files, signals."""

import os
import subprocess
from pathlib import Path
from signal import SIGHUP, SIGTERM, Signals

import pytest

from benchmarks.harness.daemon import PROGRAM, Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, US_EAST, three_regions
from benchmarks.harness.processes import children
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until
from georouter.daemon.signals import HARMLESS

pytestmark = pytest.mark.live
OLD, NEW = "192.0.2.101", "192.0.2.102"
RELOADED = "georouter_config_last_reload_successful"


def policy(marker: str) -> str:
    """Three regions and a record to tell policies apart."""
    return three_regions(records=[f"marker: {{A: {marker}}}"])


def marker(daemon: Daemon) -> str:
    """Which policy is served."""
    return daemon.ask("marker.example.com").addresses[0]


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    """Two daemons on one address would share the queries by chance; the second one says so and ends."""
    with Daemon(tmp_path / "first", policy(OLD)) as first:
        second = Daemon(tmp_path / "second", policy(NEW), addresses=[first.address])
        command = [PROGRAM, "serve", "--config", str(second.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
        assert done.returncode == 1, done.stderr
        message = done.stdout + done.stderr
        assert f"127.0.0.1:{first.address[1]}" in message
        assert "Traceback" not in message
        assert marker(first) == OLD


def test_a_changed_file_is_served(tmp_path: Path) -> None:
    """Without being told: the folder is watched, so that an atomic replace is seen."""
    with Daemon(tmp_path, policy(OLD)) as daemon:
        daemon.write(policy(NEW))
        until(lambda: marker(daemon) == NEW, "the new policy")
        assert daemon.metric(RELOADED) == 1


def test_a_file_changed_during_the_start_is_served(tmp_path: Path) -> None:
    """The first answer may come before the watch stands; the change is not lost."""
    daemon = Daemon(tmp_path, policy(OLD))
    daemon.start()
    try:
        daemon.write(policy(NEW))
        until(lambda: marker(daemon) == NEW, "the new policy")
    finally:
        assert daemon.stop() == 0


def test_sighup_reloads(tmp_path: Path) -> None:
    """The classic signal loads the policy once more, and the daemon lives on."""
    with Daemon(tmp_path, policy(OLD)) as daemon:
        before = daemon.metric("georouter_config_reloads_total", result="success")
        daemon.signal(SIGHUP)
        until(lambda: daemon.metric("georouter_config_reloads_total", result="success") > before, "a reload")
        assert marker(daemon) == OLD


def test_a_broken_file_keeps_the_last_good_policy(tmp_path: Path) -> None:
    """While running and across a restart; `status` and the metric say so, and a repair is taken up."""
    daemon = Daemon(tmp_path, policy(OLD))
    with daemon:
        daemon.write("services: {web: {regions: [nowhere]}}\n")
        until(lambda: daemon.metric(RELOADED) == 0 and daemon.get("/metrics")[0] == 200, "the refusal")
        assert marker(daemon) == OLD
        last = daemon.status()["config"]["last_reload"]
        assert last["ok"] is False
        assert "nowhere" in str(last)
    with daemon:
        assert marker(daemon) == OLD
        assert daemon.metric("georouter_config_serving_last_good") == 1
        daemon.write(policy(NEW))
        until(lambda: marker(daemon) == NEW, "the repaired policy")
        assert daemon.metric("georouter_config_serving_last_good") == 0


def test_anything_in_the_place_of_the_policy(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device, a circle of links: refused, and the next policy is taken."""
    with Daemon(tmp_path, policy(OLD)) as daemon:
        for make in (
            os.mkfifo,
            lambda path: path.symlink_to("/dev/zero"),
            lambda path: path.symlink_to(path),
        ):
            daemon.config.unlink()
            make(daemon.config)
            daemon.signal(SIGHUP)
            until(lambda: daemon.metric(RELOADED) == 0 and daemon.get("/metrics")[0] == 200, "the refusal")
            assert marker(daemon) == OLD
            daemon.write(policy(OLD))
            daemon.signal(SIGHUP)
            until(lambda: daemon.metric(RELOADED) == 1, "the return")
        daemon.config.unlink()
        os.mkfifo(daemon.config)
        daemon.signal(SIGTERM)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.output()


def test_a_strict_start_refuses_a_broken_file(tmp_path: Path) -> None:
    """`--strict-start` ends with 1 and every problem, although a last good policy is there."""
    daemon = Daemon(tmp_path, policy(OLD))
    with daemon:
        pass
    daemon.write("services: {web: {regions: [nowhere]}}\n")
    command = [PROGRAM, "serve", "--config", str(daemon.config), "--strict-start"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "georouter.yaml:" in done.stdout + done.stderr
    assert "nowhere" in done.stdout + done.stderr


def test_sigterm_ends_with_0(tmp_path: Path) -> None:
    """A supervisor sees a clean end, and the log has no traceback."""
    daemon = Daemon(tmp_path, policy(OLD))
    with daemon:
        daemon.signal(SIGTERM)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.output()


def test_signals_that_end_nothing(tmp_path: Path) -> None:
    """Neither during the start, as soon as Python runs our code, nor while answering; the child neither."""
    daemon = Daemon(tmp_path, policy(OLD))
    daemon.launch()
    try:
        until(lambda: ignores(daemon.pid, HARMLESS[-1]), "the first lines of our code")
        for number in HARMLESS:
            daemon.signal(number)
        daemon.wait_ready()
        until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")
        before = daemon.metric("georouter_config_reloads_total")
        for number in HARMLESS:
            daemon.signal(number)
        until(lambda: daemon.metric("georouter_config_reloads_total") > before, "the reload of SIGHUP")
        (child,) = children(daemon.pid)
        for number in HARMLESS:
            os.kill(child, number)
        daemon.write(policy(NEW))
        until(lambda: marker(daemon) == NEW, "the new policy")
        assert children(daemon.pid) == (child,)
    finally:
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.output()


def test_sigterm_during_the_start(tmp_path: Path) -> None:
    """It ends at once, with 0."""
    daemon = Daemon(tmp_path, policy(OLD))
    daemon.launch()
    until(lambda: ignores(daemon.pid, HARMLESS[-1]), "the first lines of our code")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.output()


def ignores(pid: int, number: Signals) -> bool:
    """Whether the process ignores a signal (SigIgn of proc(5))."""
    text = Path(f"/proc/{pid}/status").read_text()
    mask = int(text.partition("SigIgn:")[2].split()[0], 16)
    return bool(mask & 1 << number - 1)


def test_the_admin_port_says_how_it_is(daemon: Daemon) -> None:
    """Live, ready, and a status that names every region."""
    assert daemon.get("/livez")[0] == 200
    assert daemon.get("/readyz")[0] == 200
    assert [region["name"] for region in daemon.status()["regions"]] == ["us-east", "eu-west", "ap-south"]


def test_a_drain_moves_clients_and_survives_a_restart(tmp_path: Path) -> None:
    """From the command to the answer, kept across a restart, and back."""
    daemon = Daemon(tmp_path, three_regions())

    def london() -> str:
        return daemon.ask("www.example.com", client=LONDON).addresses[0]

    def command(*words: str) -> None:
        admin = f"{daemon.admin[0]}:{daemon.admin[1]}"
        run = [PROGRAM, *words, "--config", str(daemon.config)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=30, cwd=tmp_path, check=False)
        assert done.returncode == 0, (admin, done.stdout, done.stderr)

    with daemon:
        assert london() == EU_WEST
        command("drain", "eu-west", "--for", "30m", "--reason", "a test")
        until(lambda: london() == US_EAST, "the drain")
    with daemon:
        assert london() == US_EAST
        assert daemon.metric("georouter_override_active", region="eu-west") == 1
        command("undrain", "eu-west", "--reason", "the test is over")
        until(lambda: london() == EU_WEST, "the end of the drain")


def test_a_region_that_is_down_at_the_start_is_not_in_the_first_answer(tmp_path: Path) -> None:
    """The first answer waits for a first round of health checks."""
    with RegionServer(tmp_path / "a") as first, RegionServer(tmp_path / "c") as third:
        dead = RegionServer(tmp_path / "b")
        ports = [first.port, dead.port, third.port]
        with Daemon(tmp_path / "daemon", three_regions(ports)) as daemon:
            assert daemon.ask("www.example.com", client=LONDON).addresses == (US_EAST,)
