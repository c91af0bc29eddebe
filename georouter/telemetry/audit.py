"""The audit log: one JSON line for every change that a person made through the admin door."""

import logging
import os
from pathlib import Path

from georouter.telemetry.logs import event, json_line, utc_text

_log = logging.getLogger("georouter.audit")


class AuditLog:
    """Appends to one file, readable by its owner only. The file may be rotated at any moment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, at: float, action: str, **fields: object) -> bool:
        """Append what was done at `at` (Unix time). False when it could not be written: logged, not fatal.

        The line is on disk when this returns True.
        """
        line = json_line({"at": utc_text(at), "action": action, **fields}) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write_all(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            event(_log, "audit.failed", level=logging.ERROR, path=self._path, error=error, entry=line.strip())
            return False
        return True


def _write_all(handle: int, data: bytes) -> None:
    """A full disk may take part of a line; the next write then says why."""
    while data:
        data = data[os.write(handle, data) :]
