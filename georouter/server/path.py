"""The packet path: who answers what comes to the UDP sockets.

`NativePath` answers without the interpreter, on as many cores as there are, and leaves what is rare to
Python; `PythonPath` needs nothing but Python. Both give the same bytes. All methods belong to the control
thread.
"""

import os
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from socket import socket
from typing import Protocol

from georouter.answers import native
from georouter.answers.conduct import Conduct
from georouter.answers.limits import Limits
from georouter.answers.tables import Snapshot
from georouter.server.books import Books
from georouter.server.channel import Take
from georouter.telemetry.source import Durations
from georouter.words.errors import SourceError

AUTO, NATIVE, PYTHON = "auto", "native", "python"
VARIABLE = "GEOROUTER_PATH"
"""Of the environment; what it says counts more than what the policy says."""
HUGE_PAGES, OFF = "GEOROUTER_HUGE_PAGES", "off"
"""Of the environment, too: whether large tables of the native path ask the kernel for huge pages."""

Ports = Sequence[Sequence[tuple[socket, bool]]]
"""For each worker its sockets, and whether they listen on every address of the machine."""


@dataclass(frozen=True, slots=True)
class Punted:
    """Queries that were left to Python, and those that found too many others waiting."""

    taken: int = 0
    overflowed: int = 0


class PacketPath(Protocol):
    """The UDP side of a server."""

    @property
    def name(self) -> str:
        """`native` or `python`."""
        ...

    @property
    def workers(self) -> int:
        """How many of them share each address."""
        ...

    @property
    def responders(self) -> int:
        """How many responders in Python it needs: one conduct each."""
        ...

    def open(self, ports: Ports, take: Take | None) -> None:
        """Take up sockets. `take` is asked about queries that a responder is silent to."""
        ...

    def publish(self, snapshot: Snapshot, limits: Limits, conducts: Sequence[Conduct]) -> None:
        """Answer from this: every worker from its next batch on."""
        ...

    def start(self) -> None:
        """Begin to answer. Something must be published."""
        ...

    def stop(self, grace_s: float) -> None:
        """Ask for the end: what has come in is answered first, for so long at most."""
        ...

    def join(self) -> None:
        """Wait for the end after `stop`. May be called in another thread."""
        ...

    def adopt(self, waiting: int) -> None:
        """Let at most so many queries wait for Python."""
        ...

    def settle(self) -> Sequence[Books[MutableSequence[int]]]:
        """Every writer's books, folded as far as the writers have moved on."""
        ...

    def dead(self) -> Sequence[str]:
        """Workers that have ended without being asked to, or stand still."""
        ...

    def living(self) -> int:
        """Workers that run."""
        ...

    def failed(self) -> int:
        """Queries that were answered with SERVFAIL because of a fault of ours."""
        ...

    def unsent(self) -> int:
        """Answers that the kernel would not take."""
        ...

    def rate_limited(self) -> tuple[int, int]:
        """Responses that rate limiting made small, and those it dropped, counted outside of Python."""
        ...

    def punted(self) -> Punted:
        """What was left to Python."""
        ...

    def durations(self) -> Durations:
        """From receive to send, per query of the timed batches."""
        ...


def chosen(wanted: str, environ: Mapping[str, str] = os.environ) -> str:
    """`native` or `python`. SourceError when `native` is asked for and cannot be had."""
    asked = environ.get(VARIABLE) or wanted
    if asked not in {AUTO, NATIVE, PYTHON}:
        raise SourceError(f"${VARIABLE} is {asked!r}: expected {AUTO}, {NATIVE} or {PYTHON}")
    if asked == NATIVE and not available():
        raise SourceError(
            "the native packet path was asked for (server.path), but this installation has none: install "
            "georouter again with a C compiler and the Python headers at hand, or take the Python path"
        )
    return NATIVE if asked != PYTHON and available() else PYTHON


def huge_pages(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether large tables are to ask for huge pages. SourceError for what is neither `auto` nor `off`."""
    asked = environ.get(HUGE_PAGES) or AUTO
    if asked not in {AUTO, OFF}:
        raise SourceError(f"${HUGE_PAGES} is {asked!r}: expected {AUTO} or {OFF}")
    return asked == AUTO


def available() -> bool:
    """Whether the native path was built for this Python."""
    try:
        from georouter.server import _loop  # noqa: F401, PLC0415 - to see whether it is there
    except ImportError:
        return False
    return native.available()
