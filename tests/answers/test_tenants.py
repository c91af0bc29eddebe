"""From names to tenants' labels, and homes by hash."""

from array import array

import pytest

from georouter.answers.choice import UNIT_SCALE, region_key, settle
from georouter.answers.tables import Homes
from georouter.answers.tenants import label_of
from georouter.wire.names import parse_name

PARENT = len(parse_name("app.example.com"))


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("acme", 1, b"acme"),
        ("www.acme", 1, b"acme"),
        ("a.b.c.acme", 1, b"acme"),
        ("acme", 2, b""),
        ("www.acme", 2, b"www"),
        ("a.b.c.acme", 4, b"a"),
        ("a.b.c.acme", 5, b""),
    ],
)
def test_labels_count_leftwards_from_the_parent(name: str, label: int, expected: bytes) -> None:
    """The first is the one next to it."""
    assert label_of(parse_name(f"{name}.app.example.com"), PARENT, label) == expected


def homes(*regions: str) -> Homes:
    """Regions of equal weight, whose kinds are their places in the alphabet."""
    return Homes(
        key=array("Q", map(region_key, regions)),
        scale=array("Q", [UNIT_SCALE] * len(regions)),
        kind=array("I", map(ord, regions)),
    )


def test_a_hash_home_depends_on_label_and_regions_alone() -> None:
    """Their order does not matter; one region more or less moves only its own tenants, and evenly."""
    labels = [b"tenant-%d" % number for number in range(3000)]
    three, turned = homes("a", "b", "c"), homes("c", "a", "b")
    before = [settle(three, label) for label in labels]
    assert before == [settle(turned, label) for label in labels]
    after = [settle(homes("a", "b"), label) for label in labels]
    assert all(new == old for old, new in zip(before, after, strict=True) if old != ord("c"))
    assert all(abs(before.count(ord(region)) - 1000) < 120 for region in "abc")
