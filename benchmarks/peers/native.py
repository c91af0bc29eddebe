"""The two small C programs of the bench, compiled when they are needed: the bare echo and the asker."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.processors import asker_prefix

FOLDER = Path(__file__).parent
COMPILERS = ("cc", "gcc", "clang")
WINDOW, SOCKETS = 192, 8
"""Queries under way where no rate is given, over so many sockets: full batches for who takes batches, and
fewer than any server's receive buffer holds."""


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def program(name: str) -> Path:
    """`name`.c compiled, once per content. RuntimeError without a compiler or with what it says."""
    source = FOLDER / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    made = Path(tempfile.gettempdir()) / f"georouter-bench-{os.getuid()}" / f"{name}-{digest}"
    if made.exists():
        return made
    command = compiler()
    if command is None:
        raise RuntimeError(f"no C compiler for {source.name} (apt-get install gcc libc6-dev)")
    made.parent.mkdir(mode=0o700, exist_ok=True)
    draft = made.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [command, "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", draft, source],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{source.name} does not compile:\n{done.stderr}")
    draft.replace(made)
    return made


@dataclass(frozen=True, slots=True)
class Asked:
    """What one run of load.c saw; microseconds.

    `lag_p999_us` is how late it was itself at sending: with a large one, latencies are of this machine.
    """

    seconds: float
    sent: int
    answered: int
    lost: int
    p50_us: float
    p99_us: float
    p999_us: float
    most_us: float
    lag_p999_us: float
    missing: int
    """Answers that say NXDOMAIN."""
    failed: int
    """Answers that say neither that nor NOERROR."""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


class Asking:
    """load.c under way: `rate` queries per second, or as many as are answered when it is 0.

    With `pause_us` it sleeps for so long when it has nothing to do, and leaves its processor to others.
    """

    def __init__(
        self,
        port: int,
        queries: Path,
        seconds: float,
        rate: float = 0.0,
        *,
        pause_us: int = 0,
        window: int = WINDOW,
        sockets: int = SOCKETS,
        prefix: list[str] | None = None,
    ) -> None:
        bound = asker_prefix() if prefix is None else prefix
        command = [*bound, program("load"), str(port), queries, str(seconds), f"{rate:.0f}"]
        self._limit_s = seconds + 10.0
        self._process = subprocess.Popen(
            [*command, str(window), str(sockets), str(pause_us)], stdout=subprocess.PIPE, text=True
        )

    def wait(self) -> Asked:
        """Its end."""
        try:
            output, _ = self._process.communicate(timeout=self._limit_s)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        if self._process.returncode:
            raise RuntimeError(f"load ended with {self._process.returncode}")
        return _read(json.loads(output))


def ask_for(port: int, queries: Path, seconds: float, rate: float = 0.0, **how: Any) -> Asked:
    """Start, wait, tell."""
    return Asking(port, queries, seconds, rate, **how).wait()


def _read(seen: dict[str, Any]) -> Asked:
    latency, rcodes = seen["latency_us"], seen["rcodes"]
    return Asked(
        seconds=seen["seconds"],
        sent=seen["sent"],
        answered=seen["answered"],
        lost=seen["lost"],
        p50_us=latency["p50"],
        p99_us=latency["p99"],
        p999_us=latency["p999"],
        most_us=latency["most"],
        lag_p999_us=seen["lag_us"]["p999"],
        missing=rcodes[3],
        failed=sum(rcodes) - rcodes[0] - rcodes[3],
    )
