"""Signals that must not end the daemon."""

import os
import signal
from collections.abc import Iterator

import pytest

from georouter.daemon import signals


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Whatever a test sets is set back."""
    numbers = (*signals.HARMLESS, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", signals.HARMLESS)
def test_ignored(number: signal.Signals) -> None:
    """We are still here."""
    signals.ignore()
    os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_start_ends_with_0() -> None:
    """A supervisor that changes its mind sees no failure."""
    signals.end_quietly()
    with pytest.raises(SystemExit) as end:
        os.kill(os.getpid(), signal.SIGTERM)
    assert end.value.code == 0
