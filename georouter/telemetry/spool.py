"""Log lines on their way to a descriptor, which may take them slowly, not at all, or be gone.

    emit (any thread) ─► lines that wait, `ROOM` at most ─► one thread ─► write(2)

Nobody who logs ever waits: a reader that has stopped, a full disk or a closed terminal cost lines, and
how many is said once there is room again.
"""

import errno
import logging
import os
import select
import threading
from collections import deque

ROOM = 10_000
"""Lines that wait. At some 150 octets each, a megabyte or two."""
AT_ONCE = 256
"""Lines written together."""
PATIENCE_S = 1.0
"""How long the end of the process waits for a reader that does not read."""
LOST = "log.lost"
"""The event that says how many lines could not be written."""


class Spool(logging.Handler):
    """Writes lines to `descriptor` in a thread that begins with the first one."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._lost = 0
        self._counting = threading.Lock()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._news = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as lost. Never raises."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        except Exception:  # noqa: BLE001 - a record that cannot be written down is no reason to stop
            self._lose(1)
            return
        if len(self._lines) >= ROOM:
            self._lose(1)
            return
        self._idle.clear()
        self._lines.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()
        self._news.set()

    def flush(self) -> None:
        """Wait until everything is written, `PATIENCE_S` at most."""
        if self._thread is not None:
            self._idle.wait(PATIENCE_S)

    def close(self) -> None:
        """Write what waits, if that goes quickly, and end the thread."""
        self._closing = True
        self._news.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
        super().close()

    def _lose(self, count: int) -> None:
        with self._counting:
            self._lost += count

    def _run(self) -> None:
        ended = False
        while not ended:
            self._news.wait()
            ended = self._closing
            self._news.clear()
            while self._lines:
                count = min(AT_ONCE, len(self._lines))
                lines = [self._lines.popleft() for _ in range(count)]
                with self._counting:
                    lost, self._lost = self._lost, 0
                if not self._write(self._told(lost) + b"".join(lines)):
                    self._lose(lost + count)
            self._idle.set()
            if self._lines:  # one came after the last look
                self._news.set()

    def _told(self, lost: int) -> bytes:
        """The line that says how many were lost."""
        if not lost:
            return b""
        record = logging.LogRecord("georouter", logging.WARNING, "", 0, LOST, (), None)
        record.__dict__["georouter_fields"] = {"lines": lost}
        return self.format(record).encode() + b"\n"

    def _write(self, data: bytes) -> bool:
        """All of it; False when the descriptor will not take it."""
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody made it so, for everybody who shares it
                select.select([], [self._descriptor], [], PATIENCE_S)
            except OSError as error:
                if error.errno != errno.EINTR:
                    return False
        return True
