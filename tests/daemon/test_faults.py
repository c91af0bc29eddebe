"""Reports from the event loop."""

import asyncio
import errno
import logging

import pytest

from georouter.daemon.faults import QUIET_S, Faults


def report(faults: Faults, message: str, error: Exception | None = None) -> None:
    """As asyncio does it."""
    loop = asyncio.new_event_loop()
    try:
        loop.set_exception_handler(faults)
        loop.call_exception_handler({"message": message} | ({"exception": error} if error else {}))
    finally:
        loop.close()


def test_a_shortage_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """Without a traceback: there is nothing to find in one."""
    now = 0.0
    faults = Faults(lambda: now)
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            report(faults, "socket.accept() out of system resource", OSError(errno.EMFILE, "Too many"))
        assert len(caplog.records) == 1
        assert caplog.records[0].levelname == "WARNING"
        assert not caplog.records[0].exc_info
        now = QUIET_S
        report(faults, "socket.accept() out of system resource", OSError(errno.EMFILE, "Too many"))
    assert len(caplog.records) == 2


def test_a_fault_comes_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """One shortage or fault does not hide another."""
    faults = Faults(lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        report(faults, "socket.accept() out of system resource", OSError(errno.EMFILE, "Too many"))
        report(faults, "Task exception was never retrieved", ValueError("odd"))
        report(faults, "something without an exception")
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "ERROR"]
    assert caplog.records[1].exc_info
    assert not caplog.records[2].exc_info
