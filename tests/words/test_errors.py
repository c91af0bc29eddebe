"""What errors say of files can be shown anywhere."""

import pytest

from georouter.words.errors import Diagnostic, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 \u65e5\u672c", "caf\u00e9 \u65e5\u672c"),
        ("a\tb\nc", r"a\tb\nc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\udcff", r"\udcff"),
        ("\u2028", r"\u2028"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    """Letters of all scripts stay; what moves a cursor or cannot be encoded is escaped."""
    assert printable(text) == shown
    assert printable(text).encode()


def test_a_diagnostic_is_one_line_of_text() -> None:
    """Whatever it quotes of a file."""
    found = Diagnostic("p.yaml", 3, 7, "zones\r", "found '\udcff\n'")
    assert str(found) == r"p.yaml:3:7: zones\r: found '\udcff\n'"
    assert found == Diagnostic("p.yaml", 3, 7, r"zones\r", r"found '\udcff\n'")
