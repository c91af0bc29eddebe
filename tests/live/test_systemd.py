"""The unit: read by systemd's own tools, and started by a systemd of our own in a machine of namespaces."""

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.load import Load
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.wait import until
from georouter.server.channel import BATCH
from tests.live.installed import Installed
from tests.live.machine import Machine

pytestmark = [pytest.mark.live, pytest.mark.timeout(420)]  # the first builds the image
EXPOSED_AT_MOST = 20
RATE = 1000
"""Of 100, by `systemd-analyze security`; an unprotected service has about 96."""
HEAD = 'version: 1\nserver: {listen: ["127.0.0.1:53"], limits: {receive_buffer: 100KiB}}\n'
BOOT = """
[Unit]
Wants=systemd-journald.socket dbus.socket
"""
DROP_IN = "/run/systemd/system/georouter.service.d"
ADDED = "[Service]\\nWatchdogSec=2s\\nLoadCredential=admin-token:/etc/georouter/admin-token\\n"
TOKEN = "/run/credentials/georouter.service/admin-token"
SYSTEMD = "exec /lib/systemd/systemd --unit=boot.target --show-status=no"
PREPARE = """
mount --make-rshared / # as a system has it; credentials are mounted from inside
rm -rf /etc/systemd/system/* /var/lib/georouter
cp /unit/boot.target /unit/georouter.service /unit/georouter.socket /etc/systemd/system/
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
"""


@pytest.fixture
def unit(repository: Path) -> Path:
    """The unit as it is shipped."""
    return repository / "deploy/systemd/georouter.service"


def test_systemd_verifies_the_unit(need: Callable[[str], str], unit: Path, tmp_path: Path) -> None:
    """Every setting is known and makes sense; only the program stands elsewhere here."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/georouter/bin/georouter", shutil.which("true") or ""))
    sockets = shutil.copy(unit.with_name("georouter.socket"), tmp_path)
    done = subprocess.run(
        [need("systemd-analyze"), "verify", str(copy), str(sockets)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardly_exposed(need: Callable[[str], str], unit: Path) -> None:
    """The rating of systemd itself, without a running systemd."""
    command = [need("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={EXPOSED_AT_MOST}", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level for georouter.service" in done.stdout


@pytest.fixture
def booted(unit: Path, installed: Installed) -> Iterator[tuple[Machine, Path]]:
    """A machine that systemd has booted, with the unit, the program, and a policy of ours."""
    if not Path("/lib/systemd/systemd").exists():
        pytest.skip("there is no systemd here to boot")
    folder = Path(tempfile.mkdtemp(prefix="georouter-systemd-"))
    folder.chmod(0o755)
    for name in ("unit", "config"):
        (folder / name).mkdir()
    shutil.copy(unit, folder / "unit")
    shutil.copy(unit.with_name("georouter.socket"), folder / "unit")
    (folder / "unit/boot.target").write_text(BOOT)
    (folder / "config/georouter.yaml").write_text(HEAD + three_regions())
    binds = {
        "/opt/georouter": installed.binds["/opt/georouter"],
        "/etc/georouter": folder / "config",
        "/unit": folder / "unit",
    }
    try:
        with Machine(
            folder / "machine",
            SYSTEMD,
            prepare=installed.base + PREPARE,
            binds=binds,
            environment={"container": "unshare"},
        ) as machine:
            until(lambda: machine.run("systemctl", "is-system-running").stdout == "running\n", "a boot", 30)
            yield machine, folder / "config/georouter.yaml"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_systemd_runs_the_unit(booted: tuple[Machine, Path], need: Callable[[str], str]) -> None:
    """Start, port 53, reload, a broken one, a hang, a stop, under every restriction of the unit."""
    machine, policy = booted
    good = policy.read_text()

    def shown(name: str) -> str:
        return machine.run("systemctl", "show", "--value", f"--property={name}", "georouter").stdout.strip()

    def journal() -> str:
        return machine.run("journalctl", "--unit=georouter", "--output=cat", "--no-pager").stdout

    start = machine.run("systemctl", "start", "georouter", timeout_s=60)
    assert start.returncode == 0, start.stderr + journal()
    assert shown("ActiveState") == "active"
    assert shown("StatusText") == "regions: 3 up; snapshot 1"
    status = machine.run("cat", f"/proc/{shown('MainPID')}/status").stdout
    user = re.search(r"^Uid:\t(\d+)", status, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 60000, "a dynamic user"
    assert re.search(r"^CapEff:\t0{13}400$", status, re.MULTILINE), "CAP_NET_BIND_SERVICE and no other"
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)

    program = "/opt/georouter/bin/georouter"
    healthy = machine.run(program, "healthcheck", "--server", "127.0.0.1:53", "--name", "example.com")
    assert healthy.returncode == 0, healthy.stderr
    dig = [need("dig"), "@127.0.0.1", "www.example.com", "+short", "+norec", f"+subnet={LONDON}"]
    assert machine.run(*dig).stdout == f"{EU_WEST}\n"

    assert machine.run("systemctl", "reload", "georouter").returncode == 0
    until(lambda: "policy.loaded cause=SIGHUP" in journal(), "the reload")
    policy.write_text(good + "nonsense: 1\n")
    assert machine.run("systemctl", "reload", "georouter").returncode == 0
    until(lambda: "the last reload failed" in shown("StatusText"), "a status that says so")
    assert shown("ActiveState") == "active"
    policy.write_text(good)
    until(lambda: "failed" not in shown("StatusText"), "the repair")
    drain = machine.run(program, "drain", "eu-west", "--reason", "a test", "--config", "/etc/georouter")
    assert drain.returncode == 0, drain.stderr
    until(lambda: "1 drained" in shown("StatusText"), "the drain to be shown")

    # a drop-in as docs/deploy.md has it; and for the hang, less patience than the unit's 30 s
    machine.run("sh", "-c", f"mkdir -p {DROP_IN}; printf '{ADDED}' >{DROP_IN}/override.conf")
    (policy.parent / "admin-token").write_text("secret\n")
    (policy.parent / "admin-token").chmod(0o600)
    policy.write_text(good.replace("server: {", f"server: {{admin_token_file: {TOKEN}, "))
    machine.run("systemctl", "daemon-reload")
    restart = machine.run("systemctl", "restart", "georouter", timeout_s=60)
    assert restart.returncode == 0, restart.stderr + journal()
    assert shown("WatchdogUSec") == "2s"
    assert machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "georouter").returncode == 0
    until(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active", "a restart", 30)
    assert "1 drained" in shown("StatusText"), "overrides survive"

    assert machine.run("systemctl", "stop", "georouter").returncode == 0
    assert (shown("ActiveState"), shown("Result"), shown("ExecMainStatus")) == ("inactive", "success", "0")
    written = journal()
    assert "server.stopped" in written
    assert "Traceback" not in written
    assert machine.run("ls", "/var/lib/private/georouter").stdout.split() == [
        "audit.log",
        "cache",
        "cookie_secret",
        "last-good-policy.json",
        "serials.json",
        "state.json",
    ]


def test_systemd_keeps_the_sockets(booted: tuple[Machine, Path]) -> None:
    """A restart and a kill under load: no query is lost by the one, a batch at most by the other."""
    machine, policy = booted
    policy.write_text(policy.read_text().replace('["127.0.0.1:53"]', '["0.0.0.0:53", "[::]:53"]'))
    start = machine.run("systemctl", "start", "georouter.socket")
    assert start.returncode == 0, start.stderr

    def shown(name: str) -> str:
        return machine.run("systemctl", "show", "--value", f"--property={name}", "georouter").stdout.strip()

    def load() -> Load:
        sock = machine.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return Load(("127.0.0.1", 53), [("www.example.com", LONDON)], RATE, sock)

    assert shown("ActiveState") == "inactive"
    with load() as first:
        until(lambda: shown("ActiveState") == "active", "the start that the first query asks for", 30)
        for _ in range(2):
            restart = machine.run("systemctl", "restart", "georouter", timeout_s=60)
            assert restart.returncode == 0, restart.stderr
    assert first.lost == 0
    assert {(outcome.rcode, outcome.address) for outcome in first.outcomes()} == {(0, EU_WEST)}
    pid = shown("MainPID")
    with load() as second:
        assert (
            machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "georouter").returncode == 0
        )
        until(lambda: shown("MainPID") != pid and shown("ActiveState") == "active", "another start", 30)
    assert second.lost <= BATCH
    assert machine.run("systemctl", "stop", "georouter.socket", "georouter").returncode == 0
    written = machine.run("journalctl", "--unit=georouter", "--output=cat", "--no-pager").stdout
    assert "given=4" in written
    assert "server.small_receive_buffer" not in written, "the socket unit asks for enough"
    assert "Traceback" not in written
