"""Noticing that the wall clock was set."""

import time

import pytest

from georouter.control.clock import NOTICED_S, Jumps, steady_time

YEARS = 40 * 365 * 86400.0


@pytest.mark.parametrize("step_s", [YEARS, -YEARS, NOTICED_S, -NOTICED_S])
def test_a_step_is_noticed_once(step_s: float) -> None:
    """However much time has passed since the last look."""
    now, ahead = [1000.0], [0.0]
    jumps = Jumps(lambda: now[0] + ahead[0], lambda: now[0])
    assert jumps.look() == 0.0
    now[0] += 3600.0
    ahead[0] = step_s
    assert jumps.look() == step_s
    assert jumps.look() == 0.0


def test_drift_is_none() -> None:
    """A clock that is corrected gradually, for a year."""
    now = [0.0]
    jumps = Jumps(lambda: now[0] * 1.0005, lambda: now[0])
    for _ in range(365 * 24 * 60):
        now[0] += 60.0
        assert jumps.look() == 0.0


def test_the_steady_clock_goes_on() -> None:
    """As fast as the monotonic one."""
    began, steady = time.monotonic(), steady_time()
    while time.monotonic() == began:
        pass
    assert 0.0 < steady_time() - steady < 10.0
