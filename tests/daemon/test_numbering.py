"""Serials: on disk before they are answered, and written once."""

import asyncio
from pathlib import Path

from georouter.compiler.serials import Numbered
from georouter.daemon.numbering import Numbering
from georouter.sources.serial_file import SERIALS_FILE, load
from georouter.words.ids import ZoneName

ZONE = ZoneName("example.com")
FIRST, SECOND = {ZONE: Numbered("aa", 1)}, {ZONE: Numbered("bb", 2)}


def test_kept_before_it_returns_and_across_restarts(tmp_path: Path) -> None:
    """What was kept is what the next daemon knows; the same serials are not written again."""
    asyncio.run(Numbering(tmp_path, _fail).keep(FIRST))
    assert load(tmp_path) == FIRST
    numbering = Numbering(tmp_path, _fail)
    (tmp_path / SERIALS_FILE).unlink()
    asyncio.run(numbering.keep(dict(FIRST)))
    assert not (tmp_path / SERIALS_FILE).exists()
    asyncio.run(numbering.keep(SECOND))
    assert load(tmp_path) == SECOND


def test_a_disk_that_is_full_is_told_once_per_change(tmp_path: Path) -> None:
    """The answers go on; what could not be written is said."""
    blocked = tmp_path / "state"
    blocked.write_text("not a folder")
    failures: list[str] = []
    numbering = Numbering(blocked, failures.append)
    asyncio.run(numbering.keep(FIRST))
    asyncio.run(numbering.keep(FIRST))
    assert len(failures) == 1
    asyncio.run(numbering.keep(SECOND))
    assert len(failures) == 2


def _fail(problem: str) -> None:
    raise AssertionError(problem)
