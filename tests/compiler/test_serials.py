"""Serials that rise with the content."""

import pytest

from georouter.compiler.serials import MOST_GONE, Numbered, Serials
from georouter.wire.serials import WRAP, is_newer
from georouter.words.ids import ZoneName

ZONE = ZoneName("example.com")


@pytest.mark.parametrize(
    ("before", "at", "written", "expected"),
    [
        pytest.param(None, 1000, None, 1000, id="a first serial is the policy's time"),
        pytest.param(None, 0, None, 1, id="never 0"),
        pytest.param(None, 1000, 5, 5, id="the operator's"),
        pytest.param(("same", 700), 1000, None, 700, id="the same content keeps its serial"),
        pytest.param(("same", 700), 1000, 5, 5, id="the operator's, whatever it was"),
        pytest.param(("old", 700), 1000, None, 1000, id="new content, a newer time"),
        pytest.param(("old", 1000), 1000, None, 1001, id="new content in the same second"),
        pytest.param(("old", 1500), 1000, None, 1501, id="older files"),
        pytest.param(("old", 2026050401), 1_770_000_000, None, 2026050402, id="ahead of the time"),
        pytest.param(("old", WRAP - 1), WRAP - 1, None, 1, id="round the end"),
        pytest.param(("old", WRAP - 5), WRAP + 7, None, 7, id="times wrap too"),
    ],
)
def test_numbering(before: tuple[str, int] | None, at: int, written: int | None, expected: int) -> None:
    """RFC 1982: a new content's serial is newer than the one before, an old content's is that."""
    known = {} if before is None else {ZONE: Numbered(*before)}
    found = Serials(known, at).number(ZONE, "same", written)
    assert found == Numbered("same", expected)
    if before is not None and before[0] == "old":
        assert is_newer(found.serial, before[1])


def test_zones_that_are_gone() -> None:
    """They are remembered, in case they return, and let go when they are too many."""
    one = Numbered("a", 1)
    serials = Serials({ZoneName(f"z{number}"): one for number in range(MOST_GONE + 5)})
    then = serials.then({ZoneName("z0"): Numbered("b", 2)})
    assert len(then) == MOST_GONE + 1
    assert then[ZoneName("z0")] == Numbered("b", 2)
    assert ZoneName("z1") not in then
    assert then[ZoneName(f"z{MOST_GONE + 4}")] == one
