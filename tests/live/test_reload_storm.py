"""Ten reloads a second in every way, each third one broken; benchmarks/reload_storm.py does it for longer."""

from pathlib import Path

import pytest

from benchmarks.reload_storm import growth, measure

pytestmark = [pytest.mark.live, pytest.mark.alone]
SECONDS, RATE, NAMES = 10.0, 2000, 300
GROWTH_MIB = 4.0


def test_a_storm_of_reloads(tmp_path: Path) -> None:
    """No query is lost or answered wrongly, nothing crashes, memory is flat, and compiling stays polite."""
    storm = measure(tmp_path, seconds=SECONDS, rate=RATE, names=NAMES)
    assert storm.sent > 0.9 * SECONDS * RATE
    assert (storm.lost, storm.wrong, storm.drops) == (0, 0, 0)
    assert "Traceback" not in storm.logged
    assert storm.loaded > SECONDS
    assert storm.refused > SECONDS / 2
    assert growth(storm.daemon_mib) < GROWTH_MIB
    assert growth(storm.child_mib) < GROWTH_MIB
    assert storm.nice > 0
