"""Lookup: closest enclosers, wildcards, cuts."""

import pytest

from georouter.answers.lookup import NOT_OURS, at_node, below, closest_encloser
from georouter.wire.names import parse_name
from tests.answers.build import example

DIRECTORY = example().directory


def node(name: str) -> int:
    """The node of an existing name."""
    return DIRECTORY.index[parse_name(name)]


@pytest.mark.parametrize(
    ("name", "encloser"),
    [
        ("nope.example.com", "example.com"),
        ("a.b.c.nope.example.com", "example.com"),
        ("x.ent.example.com", "ent.example.com"),
        ("y.x.mail.example.com", "mail.example.com"),
        ("ns1.deep.sub.example.com", "sub.example.com"),
        ("nope.example.org", "example.org"),
    ],
)
def test_closest_enclosers(name: str, encloser: str) -> None:
    """The longest ancestor that exists, empty non-terminals included."""
    assert closest_encloser(DIRECTORY.index, parse_name(name)) == node(encloser)


@pytest.mark.parametrize("name", [".", "com", "example.net", "notexample.com", "www.example.com.net"])
def test_names_outside_are_not_ours(name: str) -> None:
    """Parents of our zones, other zones, and names that only look alike."""
    assert closest_encloser(DIRECTORY.index, parse_name(name)) == NOT_OURS


def test_below_a_cut_the_client_is_referred() -> None:
    """For every type, DS included: only the cut itself has our DS."""
    cut = node("sub.example.com")
    assert below(DIRECTORY, cut, 1) == below(DIRECTORY, cut, 43) == DIRECTORY.other[cut]


def test_a_wildcard_stands_in_for_missing_names() -> None:
    """With the wildcard's own record sets, and its NODATA for types it lacks."""
    parent, star = node("wild.example.com"), node("*.wild.example.com")
    assert below(DIRECTORY, parent, 1) == at_node(DIRECTORY, star, 1) == DIRECTORY.rrsets[star << 16 | 1]
    assert below(DIRECTORY, parent, 16) == DIRECTORY.other[star]


def test_other_missing_names_do_not_exist() -> None:
    """The zone's NXDOMAIN."""
    assert below(DIRECTORY, node("mail.example.com"), 1) == DIRECTORY.zones[0].nxdomain
