"""Some thousand packets of the differential run over both paths; `python -m tests.fuzz paths` has more."""

import pytest

from georouter.answers.native import available
from tests.fuzz import paths

PACKETS = 6000


@pytest.mark.skipif(not available(), reason="the native path was not built")
def test_both_paths_say_the_same() -> None:
    """Byte for byte and count for count; and most packets are not left to Python."""
    answered, punted = paths.run(PACKETS, seed=1)
    assert answered > PACKETS / 2
    assert punted < PACKETS / 5


def test_packets_are_the_same_each_time() -> None:
    """What fails here fails everywhere."""
    assert list(paths.packets(200, 3)) == list(paths.packets(200, 3))
    assert list(paths.packets(20, 3)) != list(paths.packets(20, 4))
