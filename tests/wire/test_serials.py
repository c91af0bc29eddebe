"""Serial number arithmetic."""

import dns.serial
import pytest

from georouter.wire.serials import HALF, WRAP, after, is_newer

NUMBERS = (0, 1, 2, 2026050401, HALF - 1, HALF, HALF + 1, WRAP - 2, WRAP - 1)


@pytest.mark.parametrize("one", NUMBERS)
@pytest.mark.parametrize("other", NUMBERS)
def test_as_dnspython_compares(one: int, other: int) -> None:
    """RFC 1982 3.2; numbers half a circle apart are in no order."""
    assert is_newer(one, other) == (dns.serial.Serial(one) > dns.serial.Serial(other))


@pytest.mark.parametrize("serial", NUMBERS)
def test_the_next_is_newer(serial: int) -> None:
    """Over the end, too; and it is never 0."""
    assert is_newer(after(serial), serial)
    assert 0 < after(serial) < WRAP
