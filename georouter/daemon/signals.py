"""Signals that end a process by default and must not end this one."""

import signal
from types import FrameType
from typing import NoReturn

HARMLESS = (
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGPIPE,
    signal.SIGALRM,
    signal.SIGVTALRM,
    signal.SIGPROF,
    signal.SIGIO,
)
"""SIGHUP means a reload once we serve; the others never mean anything here."""


def ignore() -> None:
    """Ignore them, from now on and in processes that we start. What they end is lost for no reason."""
    for number in HARMLESS:
        signal.signal(number, signal.SIG_IGN)


def end_quietly() -> None:
    """Let SIGTERM end a start that is still under way, with 0: nobody is served yet.

    Process 1 of a container would not even hear it otherwise.
    """
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
