"""Policy files on disk."""

import os
import time
from pathlib import Path

import pytest

from georouter.policy.load import PolicyFile
from georouter.sources.policy_files import (
    PATIENCE_S,
    QUIET_S,
    VARIABLE,
    find_config,
    read,
    read_policy,
    settle,
    written_at,
)
from georouter.words.errors import PolicyError, SourceError


def test_one_file(tmp_path: Path) -> None:
    """A file is read whatever its name ends with."""
    file = tmp_path / "policy"
    file.write_bytes("a: é\r\n".encode())
    assert read(file) == (PolicyFile(str(file), "a: é\r\n"),)


def test_names_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths inside a file must not depend on who reads it."""
    (tmp_path / "p.yaml").write_text("a: 1")
    monkeypatch.chdir(tmp_path)
    assert read(Path("p.yaml")) == (PolicyFile(str(tmp_path / "p.yaml"), "a: 1"),)


def test_a_folder(tmp_path: Path) -> None:
    """Every *.yaml and *.yml in order of name; nothing hidden, nothing below."""
    for name in ("20.yml", "10.yaml", ".hidden.yaml", "notes.txt", "30.yaml~"):
        (tmp_path / name).write_text(name)
    (tmp_path / "folder.yaml").mkdir()
    assert [Path(file.name).name for file in read(tmp_path)] == ["10.yaml", "20.yml"]


def test_linked_files_keep_their_names(tmp_path: Path) -> None:
    """A mounted ConfigMap is a folder of links; the operator knows the links."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "p.yaml").write_text("a: 1")
    (tmp_path / "p.yaml").symlink_to(tmp_path / "..data" / "p.yaml")
    assert [file.name for file in read(tmp_path)] == [str(tmp_path / "p.yaml")]


def test_nothing_to_read(tmp_path: Path) -> None:
    """A missing file and an empty folder are the environment's errors."""
    with pytest.raises(SourceError, match="No such file"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(SourceError, match=r"no \*\.yaml"):
        read(tmp_path)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that no policy could be is not read to its end."""
    monkeypatch.setattr("georouter.sources.policy_files.LARGEST_FILE_BYTES", 5)
    (tmp_path / "p.yaml").write_text("123456")
    with pytest.raises(SourceError, match="larger than"):
        read(tmp_path / "p.yaml")


def test_not_utf8(tmp_path: Path) -> None:
    """Every file that is not UTF-8 is named with the place of its first bad byte."""
    (tmp_path / "a.yaml").write_bytes("é: 1\né: caf".encode() + b"\xe9\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.yaml").write_bytes(b"fine: 1")
    with pytest.raises(PolicyError) as caught:
        read(tmp_path)
    assert [str(item).removeprefix(f"{tmp_path}/") for item in caught.value.diagnostics] == [
        "a.yaml:2:7: the byte 0xE9 is not UTF-8; save the file as UTF-8",
        "b.yaml:1:1: the byte 0xFF is not UTF-8; save the file as UTF-8",
    ]


def test_find_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, then the variable, then ./georouter.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("georouter.sources.policy_files.STANDARD_PLACES", (Path("georouter.yaml"),))
    assert find_config("a", {VARIABLE: "b"}) == Path("a")
    assert find_config(None, {VARIABLE: "b"}) == Path("b")
    with pytest.raises(SourceError, match=r"give --config, set GEOROUTER_CONFIG, or create one of \./"):
        find_config(None, {})
    (tmp_path / "georouter.yaml").write_text("")
    assert find_config(None, {}) == Path("georouter.yaml")


def test_a_link_to_nowhere_is_not_left_out(tmp_path: Path) -> None:
    """Without it the policy would be another one, with fewer names."""
    (tmp_path / "a.yaml").write_text("a: 1")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "gone.yaml")
    with pytest.raises(SourceError, match=r"cannot be read: No such file"):
        read(tmp_path)


def test_what_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """Until it is quiet; what is quiet, missing, or from the future is not waited for."""
    file = tmp_path / "a.yaml"
    for path in (file, tmp_path):
        file.write_text("a: 1")
        began = time.monotonic()
        settle(path)
        assert 0.5 * QUIET_S < time.monotonic() - began < PATIENCE_S
    for age_s in (QUIET_S, -3600.0):
        os.utime(file, (time.time() - age_s,) * 2)
        began = time.monotonic()
        settle(file)
        settle(tmp_path / "missing.yaml")
        assert time.monotonic() - began < QUIET_S


def test_what_is_never_quiet_is_read_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written all the time does not hold up a reload for ever."""
    monkeypatch.setattr("georouter.sources.policy_files._written", lambda _: time.time())
    monkeypatch.setattr("georouter.sources.policy_files.PATIENCE_S", 0.2)
    began = time.monotonic()
    settle(tmp_path)
    assert 0.2 <= time.monotonic() - began < 1.0


def test_the_policys_own_time(tmp_path: Path) -> None:
    """When its youngest file was written, zone files too; not later than now."""
    (tmp_path / "a.yaml").write_text("zones: {example.com: {file: example.com.zone}}")
    (tmp_path / "b.yaml").write_text("x: 1")
    (tmp_path / "example.com.zone").write_text("")
    for name, at in (("a.yaml", 1000), ("b.yaml", 2000), ("example.com.zone", 3000)):
        os.utime(tmp_path / name, (at, at))
    assert written_at(read(tmp_path), 9e9) == 3000
    assert written_at(read_policy(tmp_path), 9e9) == 2000
    assert written_at(read(tmp_path), 2500.5) == 2500
    assert written_at((PolicyFile("kept", ""),), 7.9) == 7
