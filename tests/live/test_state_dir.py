"""A state directory that cannot be written or holds rubbish: answers come all the same, and it is said."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import PROGRAM, Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, US_EAST, three_regions
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

FAILURES = "georouter_state_save_failures_total"
GARBAGE = {
    "empty": b"",
    "not text": b"\xff\xfe\x00" * 100,
    "of another kind": b'{"format": 99}',
    "half nonsense": b'{"format": 1, "saved_at": 1e999, "healths": 7, "overrides": [{}]}',
}
"""A few; tests/sources/test_state_files.py has many more."""


def london(daemon: Daemon) -> tuple[str, ...]:
    """What London is answered."""
    return daemon.ask("www.example.com", client=LONDON).addresses


@contextlib.contextmanager
def full_disk(mount: Path) -> Iterator[None]:
    """A file system of one page, and that is taken."""
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(mount)]
    try:
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    try:
        (mount / "ballast").write_bytes(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def assert_serves_without_state(daemon: Daemon) -> None:
    """Answers, changes and reloads work; log and metric tell what could not be written."""
    with daemon:
        assert london(daemon) == (EU_WEST,)
        until(lambda: daemon.metric(FAILURES, file="state") > 0, "a failure to be counted")
        assert "state.unsaved" in daemon.output()
        code, body = daemon.post("/v1/drain", {"region": "eu-west", "reason": "a test"})
        assert code == 200, body
        assert london(daemon) == (US_EAST,)
        assert daemon.metric(FAILURES, file="audit") == 1
        assert "audit.failed" in daemon.output()
        code, body = daemon.post("/v1/reload", {})
        assert (code, '"ok": true' in body) == (200, True), body
        assert daemon.metric("georouter_config_last_reload_successful") == 1
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.output()
    assert "task.ended" not in daemon.output()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    """Somebody's `touch state`."""
    daemon = Daemon(tmp_path, three_regions())
    (tmp_path / "state").write_text("not a folder")
    assert_serves_without_state(daemon)
    assert (tmp_path / "state").read_text() == "not a folder"


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """Below a file; for whoever is not root a read-only folder is the same."""
    (tmp_path / "file").write_text("")
    daemon = Daemon(tmp_path, three_regions())
    daemon.state_dir = tmp_path / "file" / "state"
    daemon.write(three_regions())
    assert_serves_without_state(daemon)


def test_a_full_disk(tmp_path: Path) -> None:
    """Not even a temporary file fits, and none is left behind."""
    with full_disk(tmp_path / "disk"):
        daemon = Daemon(tmp_path / "daemon", three_regions())
        daemon.state_dir = tmp_path / "disk"
        daemon.write(three_regions())
        assert_serves_without_state(daemon)
        assert not [path.name for path in (tmp_path / "disk").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_state_that_makes_no_sense(tmp_path: Path, garbage: bytes) -> None:
    """It is as good as none, it is said, and a good one takes its place."""
    state = tmp_path / "state" / "state.json"
    daemon = Daemon(tmp_path, three_regions())
    state.parent.mkdir()
    state.write_bytes(garbage)
    with daemon:
        assert london(daemon) == (EU_WEST,)
        assert "state.unreadable" in daemon.output()
        assert daemon.post("/v1/drain", {"region": "eu-west", "reason": "a test"})[0] == 200
        until(lambda: b"a test" in state.read_bytes(), "a good state")
    assert "Traceback" not in daemon.output()


@pytest.mark.parametrize("garbage", list(GARBAGE.values())[1:3], ids=list(GARBAGE)[1:3])
def test_a_last_good_policy_that_makes_no_sense(tmp_path: Path, garbage: bytes) -> None:
    """Beside a good policy it does not matter; beside a broken one, the broken one's problems are told."""
    daemon = Daemon(tmp_path, three_regions())
    kept = tmp_path / "state" / "last-good-policy.json"
    kept.parent.mkdir()
    kept.write_bytes(garbage)
    with daemon:
        assert london(daemon) == (EU_WEST,)
        until(lambda: b"eu-west" in kept.read_bytes(), "a good one")
    kept.write_bytes(garbage)
    daemon.write("services: {web: {regions: [nowhere]}}\n")
    done = subprocess.run(
        [PROGRAM, "serve", "--config", str(daemon.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
