"""A policy folder while people and their editors work in it."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions, zone
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

LOADED = "georouter_config_last_reload_successful"
RELOADS = "georouter_config_reloads_total"
OLD, NEW = "192.0.2.101", "192.0.2.102"
EXTRA = ("one.example", "two.example", "three.example")
"""Zones with a file each."""
BETWEEN_S = 0.02
"""Between two files that a tool writes: less than what counts as quiet."""
LITTER = (
    ".20-one.example.yaml.swp",
    ".20-one.example.yaml.swx",
    ".#20-one.example.yaml",
    "#20-one.example.yaml#",
    "20-one.example.yaml~",
    "20-one.example.yaml.tmp",
    "20-one.example.yaml.bak",
    "20-one.example.yaml.rpmnew",
    "20-one.example.yaml.dpkg-dist",
    ".hidden.yaml",
    "4913",
    "README.md",
)
"""What vim, Emacs, sed, package managers and people leave lying about."""


def extra(name: str, marker: str) -> str:
    """The file of a zone that tells by a record which version of it is served."""
    return zone([f"marker: {{A: {marker}}}"], name)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose policy is a folder of five files."""
    folder = tmp_path / "policy"
    folder.mkdir()
    daemon = Daemon(tmp_path / "daemon", "")
    daemon.config = folder
    (folder / "00-server.yaml").write_text(daemon.head())
    (folder / "10-base.yaml").write_text(three_regions())
    for name in EXTRA:
        (folder / f"20-{name}.yaml").write_text(extra(name, OLD))
    with daemon:
        yield daemon
        assert "Traceback" not in daemon.output()
        assert "task.ended" not in daemon.output()


def served(daemon: Daemon) -> list[str]:
    """The versions of the extra zones; the response code for one that is not served."""
    replies = [daemon.ask(f"marker.{name}") for name in EXTRA]
    return [reply.addresses[0] if reply.addresses else reply.rcode for reply in replies]


@pytest.mark.parametrize(
    "remove_first", [False, True], ids=["over the old ones", "after removing the old ones"]
)
def test_rewritten_file_by_file(daemon: Daemon, remove_first: bool) -> None:
    """While a tool writes one file after the other, no zone is ever missing; then all are new."""
    if remove_first:
        for name in EXTRA:
            (daemon.config / f"20-{name}.yaml").unlink()
    for name in EXTRA:
        with (daemon.config / f"20-{name}.yaml").open("w") as file:
            for line in extra(name, NEW).splitlines(keepends=True):
                file.write(line)
                file.flush()
                time.sleep(BETWEEN_S / 10)
        assert not set(served(daemon)) - {OLD, NEW}
        time.sleep(BETWEEN_S)
    end = time.monotonic() + 20
    while (now := served(daemon)) != [NEW] * 3 and time.monotonic() < end:
        assert not set(now) - {OLD, NEW}
    assert now == [NEW] * 3
    assert daemon.metric(LOADED) == 1


def test_a_reload_in_the_middle_of_writing(daemon: Daemon) -> None:
    """SIGHUP while a file is half written: half a file that is a whole policy is not taken for one."""
    path = daemon.config / f"20-{EXTRA[0]}.yaml"
    text = extra(EXTRA[0], NEW)
    at = text.index("      marker")
    with path.open("w") as file:
        file.write(text[:at])  # a good zone, without its marker
        file.flush()
        daemon.signal(SIGHUP)
        time.sleep(BETWEEN_S)
        file.write(text[at:])
    end = time.monotonic() + 20
    while (now := served(daemon)) != [NEW, OLD, OLD] and time.monotonic() < end:
        assert now == [OLD] * 3
    assert now == [NEW, OLD, OLD]


def test_litter_is_not_policy(daemon: Daemon) -> None:
    """Swap files, backups and half-installed packages are not read, and no reason to reload."""
    before = daemon.metric(RELOADS)
    for name in LITTER:
        (daemon.config / name).write_bytes(b"\xff not: [yaml")
    (daemon.config / "folder.yaml").mkdir()
    time.sleep(1.0)
    assert daemon.metric(RELOADS) == before
    daemon.signal(SIGHUP)
    until(lambda: daemon.metric(RELOADS) > before, "the reload")
    assert daemon.metric(LOADED) == 1
    assert served(daemon) == [OLD] * 3


def test_an_editors_way_of_saving(daemon: Daemon) -> None:
    """vim's: a probe file, the old file renamed to a backup, a new one written, the backup removed."""
    path = daemon.config / f"20-{EXTRA[0]}.yaml"
    (daemon.config / "4913").write_text("")
    (daemon.config / "4913").unlink()
    path.rename(path.with_name(path.name + "~"))
    path.write_text(extra(EXTRA[0], NEW))
    path.with_name(path.name + "~").unlink()
    until(lambda: served(daemon) == [NEW, OLD, OLD], "the new zone")


def test_an_empty_folder(daemon: Daemon) -> None:
    """Nothing is a mistake, not a wish: the old policy stays until files come back."""
    away = daemon.config.with_name("away")
    away.mkdir()
    for path in daemon.config.iterdir():
        path.rename(away / path.name)
    until(lambda: daemon.metric(LOADED) == 0, "the refusal")
    assert "holds no *.yaml" in daemon.status()["config"]["last_reload"]["error"]
    assert served(daemon) == [OLD] * 3
    for path in away.iterdir():
        path.rename(daemon.config / path.name)
    until(lambda: daemon.metric(LOADED) == 1, "the return")
    assert served(daemon) == [OLD] * 3


def test_the_folder_itself_is_replaced(daemon: Daemon) -> None:
    """By rename, as `rsync --delay-updates` or a deployment does it; the new one is watched then."""
    new = daemon.config.with_name("new")
    new.mkdir()
    for path in daemon.config.iterdir():
        (new / path.name).write_text(path.read_text().replace(OLD, NEW))
    daemon.config.rename(daemon.config.with_name("old"))
    new.rename(daemon.config)
    until(lambda: served(daemon) == [NEW] * 3, "the new folder")
    (daemon.config / f"20-{EXTRA[0]}.yaml").write_text(extra(EXTRA[0], OLD))
    until(lambda: served(daemon) == [OLD, NEW, NEW], "a change in the new folder")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# caf\xe9\n", "is not UTF-8"),
        (b"a: \0\n", "20-one.example.yaml"),
        (random.Random(1).randbytes(4096), "UTF-8"),
    ],
    ids=["latin-1", "a zero octet", "noise"],
)
def test_unreadable_bytes(daemon: Daemon, content: bytes, words: str) -> None:
    """Refused with the file's name, and watching goes on: the repair is taken without being told."""
    path = daemon.config / f"20-{EXTRA[0]}.yaml"
    path.write_bytes(content)
    until(lambda: daemon.metric(LOADED) == 0, "the refusal")
    problem = str(daemon.status()["config"]["last_reload"])
    assert path.name in problem
    assert words in problem
    assert served(daemon) == [OLD] * 3
    path.write_text(extra(EXTRA[0], NEW))
    until(lambda: served(daemon) == [NEW, OLD, OLD], "the repair")


def test_a_link_to_nowhere(daemon: Daemon) -> None:
    """A policy without one of its files would be another policy: it is refused."""
    path = daemon.config / f"20-{EXTRA[0]}.yaml"
    path.unlink()
    path.symlink_to("gone.yaml")
    until(lambda: daemon.metric(LOADED) == 0, "the refusal")
    assert served(daemon) == [OLD] * 3
