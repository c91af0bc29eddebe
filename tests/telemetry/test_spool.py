"""Log lines: nobody waits for who reads them."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from georouter.telemetry import spool
from georouter.telemetry.logs import TextLines, event
from georouter.telemetry.spool import ROOM, Spool

PIPE_BYTES = 1 << 20
"""More than a pipe holds."""


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of its own."""
    found = logging.getLogger("tests.spool")
    found.propagate = False
    found.setLevel(logging.INFO)
    yield found
    for handler in found.handlers[:]:
        found.removeHandler(handler)
        handler.close()


def attach(log: logging.Logger, descriptor: int) -> Spool:
    """Send its lines there."""
    handler = Spool(descriptor)
    handler.setFormatter(TextLines())
    log.addHandler(handler)
    return handler


def test_lines_arrive_in_order(log: logging.Logger, tmp_path: Path) -> None:
    """From many threads, each line whole."""
    with (tmp_path / "log").open("wb") as file:
        handler = attach(log, file.fileno())

        def say(who: int) -> None:
            for number in range(200):
                event(log, "said", who=who, number=number)

        threads = [threading.Thread(target=say, args=(who,)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        handler.close()
    lines = (tmp_path / "log").read_text().splitlines()
    for who in range(8):
        mine = [line.rpartition("=")[2] for line in lines if f"who={who} " in line]
        assert mine == [str(number) for number in range(200)]


@pytest.mark.parametrize("blocking", [True, False])
def test_a_reader_that_stops(log: logging.Logger, blocking: bool) -> None:
    """Who logs does not wait; lines beyond the room are lost, and counted when it reads again."""
    reads, writes = os.pipe()
    os.set_blocking(writes, blocking)
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    handler = attach(log, writes)
    began = time.monotonic()
    count = ROOM + 2000
    for number in range(count):
        event(log, "said", number=number)
    assert time.monotonic() - began < 10
    got = bytearray()
    closing = threading.Thread(target=lambda: (handler.close(), os.close(writes)))
    closing.start()
    while block := os.read(reads, 65536):
        got += block
    closing.join()
    os.close(reads)
    lines = got.decode().splitlines()
    (told,) = [line for line in lines if " log.lost " in line] or ["=0"]
    said = [line for line in lines if " said " in line]
    assert len(said) + int(told.rpartition("=")[2]) >= count - ROOM
    assert [int(line.rpartition("=")[2]) for line in said] == list(range(len(said)))


def test_a_descriptor_that_takes_nothing(log: logging.Logger, tmp_path: Path) -> None:
    """A full disk or a closed descriptor: lines are lost, and that is told once there is a place for it."""
    with Path("/dev/full").open("wb") as full:
        handler = attach(log, os.dup(full.fileno()))
    for _ in range(3):
        event(log, "said")
        handler.flush()
    with (tmp_path / "log").open("wb") as file:
        os.dup2(file.fileno(), handler._descriptor)
        event(log, "heard")
        handler.flush()
    lost, heard = (tmp_path / "log").read_text().splitlines()
    assert lost.endswith("WARNING log.lost lines=3")
    assert "heard" in heard
    os.close(handler._descriptor)
    event(log, "said")
    handler.flush()


def test_a_record_that_cannot_be_written_down(log: logging.Logger, tmp_path: Path) -> None:
    """It is lost; the next one is not."""
    with (tmp_path / "log").open("wb") as file:
        handler = attach(log, file.fileno())
        handler.handle(logging.LogRecord("tests", logging.INFO, "", 0, "%d", ("no number",), None))
        event(log, "said")
        handler.close()
    assert [line.split()[2] for line in (tmp_path / "log").read_text().splitlines()] == ["log.lost", "said"]


def test_the_end_waits_for_a_moment_only(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that never reads does not keep the process."""
    monkeypatch.setattr(spool, "PATIENCE_S", 0.1)
    reads, writes = os.pipe()
    handler = attach(log, writes)
    event(log, "said", text="x" * PIPE_BYTES)
    began = time.monotonic()
    handler.flush()
    handler.close()
    assert time.monotonic() - began < 5
    with suppress(OSError):
        os.close(reads)
    assert handler._thread is not None
    handler._thread.join(5)
    os.close(writes)
