"""Failures in words, and whose fault they are."""

import errno
import socket

import h11
import pytest

from georouter.probes.reasons import LENGTH_LIMIT, bounded, describe, is_local


@pytest.mark.parametrize(
    ("error", "reason", "local"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused", False),
        (ConnectionResetError(errno.ECONNRESET, "x"), "connection reset", False),
        (BrokenPipeError(errno.EPIPE, "x"), "connection reset", False),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to host", False),
        (OSError(errno.ENETUNREACH, "x"), "network is unreachable", False),
        (TimeoutError(errno.ETIMEDOUT, "x"), "connection timed out", False),
        (OSError(errno.EMFILE, "x"), "too many open files", True),
        (OSError(errno.EADDRNOTAVAIL, "x"), "cannot assign requested address", True),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "name not resolved: Name or service not known",
            False,
        ),
        (
            h11.RemoteProtocolError("illegal status line"),
            "not a good HTTP answer: illegal status line",
            False,
        ),
        (h11.LocalProtocolError("illegal target"), "cannot be asked: illegal target", False),
        (ValueError("no such name"), "cannot be asked: no such name", False),
        (AssertionError("oops"), "internal error: AssertionError: oops", True),
    ],
)
def test_each_failure_has_its_words(error: Exception, reason: str, local: bool) -> None:
    """What the operator reads, and whether it says anything about the endpoint."""
    assert describe(error) == reason
    assert is_local(error) is local


def test_reasons_fit_a_table() -> None:
    """One line, printable, of bounded length, whatever the other side sent."""
    text = bounded("a\r\n\x1b[31m" + "x" * 1000)
    assert text.isprintable()
    assert text.endswith("...")
    assert len(text) == LENGTH_LIMIT
