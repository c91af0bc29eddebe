"""`serials.json`: kept across restarts, and forgiving."""

import json
from pathlib import Path

import pytest

from georouter.compiler.serials import Numbered
from georouter.sources.serial_file import SERIALS_FILE, load, save
from georouter.words.errors import SourceError
from georouter.words.ids import ZoneName

KNOWN = {ZoneName("example.com"): Numbered("ab12", 2**32 - 1), ZoneName("."): Numbered("", 0)}


def test_it_comes_back(tmp_path: Path) -> None:
    """In a folder that is made where it is missing."""
    save(tmp_path / "state", KNOWN)
    assert load(tmp_path / "state") == KNOWN


@pytest.mark.parametrize(
    "text",
    ["", "junk", "[]", "{}", '{"format": 2, "zones": {}}', '{"format": 1, "zones": []}', "[" * 100_000, "\0"],
)
def test_files_that_make_no_sense(tmp_path: Path, text: str) -> None:
    """They are as good as none."""
    assert load(tmp_path) == {}
    (tmp_path / SERIALS_FILE).write_text(text)
    assert load(tmp_path) == {}


def test_entries_that_make_no_sense(tmp_path: Path) -> None:
    """They are left out."""
    zones = {
        "a": [1, "x"],
        "b": [-1, "x"],
        "c": [2**32, "x"],
        "d": [True, "x"],
        "e": ["1", "x"],
        "f": 1,
        "g": [1],
    }
    (tmp_path / SERIALS_FILE).write_text(json.dumps({"format": 1, "zones": zones}))
    assert load(tmp_path) == {ZoneName("a"): Numbered("x", 1)}


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """SourceError, and what was there stays."""
    save(tmp_path, KNOWN)
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError):
        save(tmp_path / "file", {})
    assert load(tmp_path) == KNOWN
