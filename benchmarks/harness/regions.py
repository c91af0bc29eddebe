"""Servers that stand in for regions, as processes of their own, so that they can really die."""

import http.client
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from benchmarks.harness.wait import free_port, until

ASKED_WITHIN_S = 30.0
ANSWERING_S = 0.1
"""From the server's log line, which it writes first, to the end of its answer."""


class RegionServer:
    """An HTTP server on 127.0.0.1 that answers 200 to /healthz.

    `kill` makes connections refused; `freeze` black-holes them (the kernel accepts, nobody answers).
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.say("ok\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = threading.Semaphore(0)

    def start(self) -> None:
        """Listen, and return when it does."""
        command = [sys.executable, "-u", "-m", "http.server", str(self.port), "--bind", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "--directory", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert self._process.stderr is not None
        threading.Thread(target=self._count, args=(self._process.stderr,), daemon=True).start()
        until(self._answers, f"the region server on port {self.port}")

    def _count(self, lines: IO[bytes]) -> None:
        with lines:
            for _ in lines:
                self._asked.release()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def say(self, body: str) -> None:
        """What a health check is answered from now on. Replaced whole: no answer is half of each."""
        fresh = self._folder / "healthz.new"
        fresh.write_text(body)
        fresh.replace(self._folder / "healthz")

    def wait_asked(self) -> None:
        """Return right after the next answer: the worst moment to die for whoever probes."""
        while self._asked.acquire(blocking=False):
            pass
        if not self._asked.acquire(timeout=ASKED_WITHIN_S):
            raise TimeoutError(f"nobody asked the region server on port {self.port}")
        time.sleep(ANSWERING_S)

    def kill(self) -> None:
        """Die at once, without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep the socket, answer nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
