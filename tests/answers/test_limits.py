"""Limits: what an operator may set."""

import pytest

from georouter.answers.limits import Limits


def test_the_default_avoids_fragments() -> None:
    """1232 octets, as DNS flag day 2020 agreed."""
    assert Limits().udp_payload == 1232


@pytest.mark.parametrize("payload", [0, 511, 4097, 65535])
def test_payloads_out_of_range_are_refused(payload: int) -> None:
    """Below what every client takes, or above what a worker's buffer holds."""
    with pytest.raises(ValueError, match="udp_payload must be 512 to 4096"):
        Limits(payload)
