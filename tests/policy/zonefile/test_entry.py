"""One entry of a zone file."""

import pytest

from georouter.policy.zonefile.entry import LONGEST_ENTRY, Entry, read_entry, take_word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b\nc", Entry("a b", 4, 1)),
        ("a (b ; x)\n c) ; y\nd", Entry("a  b   c", 18, 2)),
        (" a\n", Entry(" a", 3, 1)),
        ("; only\n", Entry("", 7, 1)),
        ('a "b;(" \\( \\;\n', Entry('a "b;(" \\( \\;', 14, 1)),
        ('a "b\\"c"\n', Entry('a "b\\"c"', 9, 1)),
        ("a", Entry("a", 1, 1)),
        ("\n", Entry("", 1, 1)),
    ],
)
def test_read_entry(text: str, expected: Entry) -> None:
    """On one line, without comments and parentheses."""
    assert read_entry(text, 0) == expected


def test_an_entry_has_an_end() -> None:
    """A missing parenthesis does not make one entry of a large file."""
    with pytest.raises(ValueError, match="has no end"):
        read_entry("a (\n" + "b A 192.0.2.1\n" * LONGEST_ENTRY, 0)


def test_take_word() -> None:
    """Escapes belong to it, quotes do not."""
    assert take_word(r"a\ b\"c  d e") == (r"a\ b\"c", "d e")
    assert take_word('"a" b') == ("", '"a" b')
    assert take_word("") == ("", "")
