"""The audit log: a line per change, appended, private, never fatal."""

import json
import logging
from pathlib import Path

import pytest

from georouter.telemetry.audit import AuditLog


def test_lines_are_appended(tmp_path: Path) -> None:
    """Each change is one JSON line; the file and its folder are made, readable by the owner only."""
    path = tmp_path / "state" / "audit.log"
    audit = AuditLog(path)
    assert audit.record(1770000000.0, "drain", region="eu-west", reason="a\nb", author="ada", for_s=None)
    assert AuditLog(path).record(1770000001.0, "undrain", region="eu-west")
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert first == {
        "at": "2026-02-02T02:40:00.000Z",
        "action": "drain",
        "region": "eu-west",
        "reason": "a\nb",
        "author": "ada",
        "for_s": None,
    }
    assert second["action"] == "undrain"
    assert path.stat().st_mode & 0o777 == 0o600


def test_rotation(tmp_path: Path) -> None:
    """A file that was moved away is made anew."""
    path = tmp_path / "audit.log"
    audit = AuditLog(path)
    audit.record(0.0, "drain")
    path.rename(tmp_path / "audit.log.1")
    audit.record(1.0, "undrain")
    assert json.loads(path.read_text(encoding="utf-8"))["action"] == "undrain"


def test_failure_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing can be written the entry goes to the log, and the caller hears of it."""
    (tmp_path / "file").write_text("")
    audit = AuditLog(tmp_path / "file" / "audit.log")
    with caplog.at_level(logging.ERROR):
        assert not audit.record(0.0, "drain", region="eu-west")
    (record,) = caplog.records
    assert record.getMessage() == "audit.failed"
    assert "eu-west" in record.georouter_fields["entry"]  # type: ignore[attr-defined]


def test_a_full_disk_is_reported() -> None:
    """`/dev/full` accepts the open and refuses the write."""
    assert not AuditLog(Path("/dev/full")).record(0.0, "drain")
