"""`georouter serve` as a process of its own, on free ports and a folder of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dns.exception

from benchmarks.harness.ask import Reply, ask
from benchmarks.harness.wait import free_port, until

PROGRAM = Path(sys.executable).parent / "georouter"
STOP_S = 15.0
FIRST_ANSWER_S = 0.05
"""How long one question to a starting daemon waits: the resolution of start-up times."""


class Daemon:
    """`policy` is YAML without `version` and `server`, which this adds.

    `ready` is a name that is asked until it is answered; after `__enter__` it was, and the admin port
    is open. `addresses` are where it listens, the first is asked; without, it is a free port.
    """

    def __init__(
        self,
        folder: Path,
        policy: str,
        *,
        ready: str = "www.example.com",
        server: str = "",
        addresses: Sequence[tuple[str, int]] = (),
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.addresses = tuple(addresses) or (("127.0.0.1", free_port()),)
        self.address = self.addresses[0]
        self.admin = ("127.0.0.1", free_port())
        self.config = folder / "georouter.yaml"
        self.log = folder / "log"
        self.ready = ready
        self.started_s = 0.0
        self.state_dir = folder / "state"
        self._server = server
        self.before: tuple[str, ...] = ()
        """A command that starts the daemon's command, such as `prlimit --nofile=100`."""
        self.environment: dict[str, str] = {}
        """Variables to start it with, beside our own."""
        self.patience_s = 60.0
        """How long it may take to come up, and six times as long as an answer over HTTP."""
        self.given: tuple[socket.socket, ...] = ()
        """Sockets to start it with, as a supervisor does (sd_listen_fds(3))."""
        self._process: subprocess.Popen[bytes] | None = None
        self.write(policy)

    def write(self, policy: str) -> None:
        """Put a policy in place, atomically, as an operator's tool would."""
        draft = self.config.with_suffix(".draft")
        draft.write_text(self.head() + policy)
        draft.replace(self.config)

    def head(self) -> str:
        """What `write` puts before a policy."""
        listen = ", ".join(
            f'"[{host}]:{port}"' if ":" in host else f'"{host}:{port}"' for host, port in self.addresses
        )
        return (
            f"version: 1\nserver: {{listen: [{listen}], "
            f'admin: "127.0.0.1:{self.admin[1]}", state_dir: {self.state_dir}{self._server}}}\n'
        )

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def launch(self, *flags: str) -> None:
        """Start and return at once."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "NO_COLOR": "1"}
        environment.pop("GEOROUTER_CONFIG", None)
        environment.update(self.environment)
        with self.log.open("ab") as log:
            self.started_s = time.monotonic()
            self._process = subprocess.Popen(
                [*self._giving(), *self.before, PROGRAM, "serve", "--config", str(self.config), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                pass_fds=[sock.fileno() for sock in self.given],
            )

    def _giving(self) -> tuple[str, ...]:
        """A command that moves `given` to where they are looked for, and says so to the process itself."""
        if not self.given:
            return ()
        # by way of high numbers: none must be overwritten before it was moved
        numbers = [(sock.fileno(), 100 + index, 3 + index) for index, sock in enumerate(self.given)]
        moves = [f"{high}<&{old}" for old, high, _ in numbers] + [
            f"{new}<&{high}" for _, high, new in numbers
        ]
        script = "; ".join(f"exec {move}" for move in moves)
        return (
            "bash",
            "-c",
            f'{script}; export LISTEN_PID=$$ LISTEN_FDS={len(self.given)}; exec "$@"',
            "bash",
        )

    def wait_ready(self, timeout_s: float | None = None) -> Reply:
        """The first answer to `ready`; RuntimeError with the log if the daemon ends instead."""
        return until(
            self._first_answer, f"an answer to {self.ready}\n{self.output()}", timeout_s or self.patience_s
        )

    def _first_answer(self) -> Reply | None:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the daemon ended with {self._process.returncode}:\n{self.output()}")
        with contextlib.suppress(OSError, dns.exception.Timeout):
            return self.ask(self.ready, timeout_s=FIRST_ANSWER_S)
        return None

    def start(self, *flags: str) -> Reply:
        """Launch and wait until it answers."""
        self.launch(*flags)
        return self.wait_ready()

    def output(self) -> str:
        """Everything it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ask(self, name: str, type_: str = "A", client: str | None = None, **how: Any) -> Reply:
        """One question to it."""
        return ask(self.address, name, type_, client, **how)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an admin page; status 0 while nobody listens."""
        return self._call(urllib.request.Request(self.url(path)))

    def post(self, path: str, body: object) -> tuple[int, str]:
        """Send JSON to the admin port."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._call(urllib.request.Request(self.url(path), data, headers, method="POST"))

    def url(self, path: str) -> str:
        """Where the admin port serves `path`."""
        return f"http://{self.admin[0]}:{self.admin[1]}{path}"

    def _call(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=self.patience_s / 6) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self) -> Any:
        """What /v1/status says."""
        code, body = self.get("/v1/status")
        assert code == 200, body
        return json.loads(body)

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of `name` that carry `labels`; 0 without any."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            sample, _, value = line.rpartition(" ")
            if sample.partition("{")[0] == name and all(f'{k}="{v}"' in sample for k, v in labels.items()):
                total += float(value)
        return total

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the daemon, and only to it."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """SIGTERM, and the exit code; SIGKILL if that takes too long."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> Self:
        try:
            self.start()
            until(lambda: self.get("/readyz")[0] == 200, "the admin port", self.patience_s)
        except BaseException:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
