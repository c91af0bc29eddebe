"""Files of every kind, read whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from georouter.sources.policy_files import read_policy
from georouter.sources.reading import MOST_OF_A_SECRET, secret, whole
from georouter.words.errors import SourceError

SOON_S = 0.02


def test_a_file(tmp_path: Path) -> None:
    """All of it, or one octet more than was asked for; with its size, which says when it changed."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    found, status = whole(file, 5)
    assert (found, status.st_size) == (b"12345", 5)
    assert whole(file, 3)[0] == b"1234"
    file.write_bytes(b"")
    assert whole(file, 3)[0] == b""


def test_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    """It is empty, at once."""
    os.mkfifo(tmp_path / "pipe")
    assert whole(tmp_path / "pipe", 9)[0] == b""


def test_a_pipe_is_read_to_its_end() -> None:
    """As of `--config <(make-policy)`: what comes later belongs to it."""
    out, into = os.pipe()
    os.write(into, b"one ")

    def later() -> None:
        os.write(into, b"two")
        os.close(into)

    writer = threading.Timer(SOON_S, later)
    writer.start()
    try:
        assert whole(f"/dev/fd/{out}", 99)[0] == b"one two"
    finally:
        writer.join()
        os.close(out)


def test_a_pipe_without_end() -> None:
    """Given up, whether something came or not."""
    out, into = os.pipe()
    try:
        for data in (b"", b"begun"):
            os.write(into, data)
            with pytest.raises(OSError, match="does not come to an end"):
                whole(f"/dev/fd/{out}", 99, patience_s=SOON_S)
    finally:
        os.close(out)
        os.close(into)


def test_devices() -> None:
    """No more than was asked for."""
    assert whole("/dev/null", 9)[0] == b""
    assert whole("/dev/zero", 9)[0] == bytes(10)


def test_secrets(tmp_path: Path) -> None:
    """A line without its end; nothing that goes on and on."""
    file = tmp_path / "secret"
    file.write_bytes(b" s3cret\n")
    assert secret(file) == b"s3cret"
    file.write_bytes(bytes(MOST_OF_A_SECRET + 1))
    with pytest.raises(OSError, match="too large"):
        secret(file)


def test_what_a_policy_may_turn_into(tmp_path: Path) -> None:
    """A pipe, a circle of links, a folder without files: told, never waited for."""
    place = tmp_path / "policy.yaml"
    os.mkfifo(place)
    assert [file.text for file in read_policy(place)] == [""]
    place.unlink()
    place.symlink_to(place.name)
    with pytest.raises(SourceError, match="cannot be read: Too many levels of symbolic links"):
        read_policy(place)
    place.unlink()
    place.mkdir()
    with pytest.raises(SourceError, match="holds no"):
        read_policy(place)
