"""A region's server dies under load: nothing is lost, and its clients move within the promised time."""

from pathlib import Path

import pytest

from benchmarks.failover import Death, measure

pytestmark = [pytest.mark.live, pytest.mark.alone, pytest.mark.timeout(90)]
RATE = 500
PACE = "interval: 1s, timeout: 400ms, confirm_interval: 100ms, fall: 3, rise: 2"
"""Faster than the default, so that the test is short; benchmarks/failover.py measures the default."""
SLACK_S = 0.5


@pytest.mark.parametrize(
    ("death", "at_most_s"),
    [
        (Death.REFUSED, 1.0 + 2 * 0.1 + SLACK_S),
        (Death.BLACK_HOLED, 1.0 + 3 * 0.4 + 2 * 0.1 + SLACK_S),
    ],
)
def test_a_dead_region_leaves_the_answers(tmp_path: Path, death: Death, at_most_s: float) -> None:
    """One interval, the confirmations and their timeouts; then no answer names it, and it comes back."""
    measured = measure(death, rate=RATE, pace=PACE, folder=tmp_path)
    assert measured.last_bad_s <= at_most_s
    assert measured.lost == 0
    assert measured.failed == 0
    assert measured.back_s <= 2 * 1.0 + SLACK_S + 0.4
