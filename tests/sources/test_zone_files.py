"""Zone files on disk."""

import os
import time
from pathlib import Path

import pytest

from georouter.policy.files import PolicyFile
from georouter.sources import policy_files, zone_files
from georouter.sources.zone_files import QUIET_S, gather, settle, stamps, stamps_now

POLICY = "version: 1\nzones:\n  example.com: {file: zones/a.zone}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy that names one zone file."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "zones" / "a.zone").write_bytes(b"; caf\xe9\n@ NS ns.example.net.\n")
    return tmp_path


def names(found: tuple[PolicyFile, ...], folder: Path) -> dict[str, str]:
    """File names below the folder, and their problems."""
    return {file.name.removeprefix(f"{folder}/"): file.problem for file in found}


def test_zone_files_come_with_the_policy(folder: Path) -> None:
    """Octets that are not UTF-8 are kept."""
    policy, zone = policy_files.read(folder / "p.yaml")
    assert (policy.zone, zone.zone, zone.problem) == (False, True, "")
    assert zone.name == str(folder / "zones" / "a.zone")
    assert zone.text.encode("utf-8", "surrogateescape") == b"; caf\xe9\n@ NS ns.example.net.\n"
    assert policy_files.read_policy(folder) == (policy,)
    assert policy_files.read_settled(folder) == (policy, zone)


def test_included_files(folder: Path) -> None:
    """All of them, once, circles included; relative to the file that names them."""
    (folder / "zones" / "a.zone").write_text("$INCLUDE sub/b\n$INCLUDE c\n$INCLUDE sub/b\n")
    (folder / "zones" / "sub").mkdir()
    (folder / "zones" / "sub" / "b").write_text("$INCLUDE ../c\n$INCLUDE ../../d\n$INCLUDE b\n")
    (folder / "zones" / "c").write_text("$INCLUDE nowhere\n")
    (folder / "d").write_text("")
    found = gather(policy_files.read_policy(folder))
    assert names(found, folder) == {
        "zones/a.zone": "",
        "zones/sub/b": "",
        "zones/c": "",
        "zones/nowhere": "No such file or directory",
        "d": "",
    }


def test_nothing_outside_is_read(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Not by a path, not by a link; the policy itself may name any file."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("secret")
    (folder / "link").symlink_to(outside / "secret")
    text = f"$INCLUDE {outside}/secret\n$INCLUDE ../../{outside.name}/secret\n$INCLUDE ../link\n"
    (folder / "zones" / "a.zone").write_text(text)
    found = gather(policy_files.read_policy(folder))
    assert names(found, folder) == {"zones/a.zone": "", "link": "it is a link that leads out of the folder"}
    (folder / "p.yaml").write_text(POLICY.replace("zones/a.zone", str(outside / "secret")))
    assert [file.text for file in gather(policy_files.read_policy(folder))] == ["secret"]


def test_links_inside_are_followed(folder: Path) -> None:
    """A mounted ConfigMap is a folder of links into a folder beside them."""
    (folder / "..data").mkdir()
    (folder / "..data" / "b").write_text("b A 192.0.2.1\n")
    (folder / "zones" / "b").symlink_to(folder / "..data" / "b")
    (folder / "zones" / "a.zone").write_text("$INCLUDE b\n")
    assert names(gather(policy_files.read_policy(folder)), folder) == {"zones/a.zone": "", "zones/b": ""}


def test_what_is_no_file(folder: Path) -> None:
    """A folder, a pipe that nobody writes to, and nothing at all are problems, not exceptions."""
    zone = folder / "zones" / "a.zone"
    zone.unlink()
    assert names(gather(policy_files.read_policy(folder)), folder) == {
        "zones/a.zone": "No such file or directory"
    }
    os.mkfifo(zone)
    assert names(gather(policy_files.read_policy(folder)), folder) == {"zones/a.zone": "not a regular file"}
    zone.unlink()
    zone.mkdir()
    (problem,) = names(gather(policy_files.read_policy(folder)), folder).values()
    assert problem in {"Is a directory", "not a regular file"}


def test_too_much(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Octets of all files together, and files."""
    (folder / "zones" / "a.zone").write_text("$INCLUDE b\n$INCLUDE c\n")
    (folder / "zones" / "b").write_text("; 12345678\n")
    (folder / "zones" / "c").write_text("; 12345678\n")
    policy = policy_files.read_policy(folder)
    monkeypatch.setattr(zone_files, "LARGEST_BYTES", 35)
    assert sorted(names(gather(policy), folder).values()) == [
        "",
        "",
        "the zone files have more than 0 MiB together",
    ]
    monkeypatch.setattr(zone_files, "MOST_FILES", 2)
    assert sorted(names(gather(policy), folder).values()) == ["", "", "more than 2 zone files"]


def test_stamps(folder: Path) -> None:
    """They change with the file, and do not make the content another one."""
    before = policy_files.read(folder)
    known = stamps(before)
    assert stamps_now(known) == known
    os.utime(folder / "zones" / "a.zone", (1, 1))
    after = policy_files.read(folder)
    assert after == before
    assert stamps_now(known) == stamps(after) != known
    (folder / "zones" / "a.zone").unlink()
    assert stamps_now(known) == ((str(folder / "zones" / "a.zone"), ()),)


def test_a_zone_that_is_being_written_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is quiet, or patience ends."""
    files = policy_files.read(folder)
    zone = folder / "zones" / "a.zone"
    for age_s in (QUIET_S, -3600.0):
        os.utime(zone, (time.time() - age_s,) * 2)
        assert not settle(files)
    assert not settle(())
    zone.write_text("")
    began = time.monotonic()
    assert settle(files)
    assert 0.5 * QUIET_S < time.monotonic() - began < 10 * QUIET_S
    monkeypatch.setattr(zone_files, "PATIENCE_S", 0.3)
    monkeypatch.setattr(zone_files, "_written", lambda _: time.time())
    began = time.monotonic()
    assert settle(files)
    assert 0.3 <= time.monotonic() - began < 3.0
