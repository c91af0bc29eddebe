"""One entry of a zone file, whatever it looks like: parentheses, quotes, comments, escapes (RFC 1035 5.1)."""

import re
from dataclasses import dataclass

LONGEST_ENTRY = 200_000
"""Characters; the largest record has 65,535 octets, two characters each in hexadecimal form. A
parenthesis that is never closed would make one entry of the rest of the file."""

_PIECE = re.compile(
    r"""[^\s;"()\\]+|[ \t\r\f\v]+|"(?:[^"\\\n]|\\[^\n])*"|\\[^\n]|\n|[()]|;[^\n]*|.""", re.DOTALL
)
_WORD = re.compile(r"""((?:[^\s"\\]|\\.)+)(?:\s+|\Z)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """`text` is on one line, without comments and parentheses; a blank at its start stays.

    `stop` is where the next entry begins, `lines` how many lines this one took.
    """

    text: str
    stop: int
    lines: int


def read_entry(text: str, start: int) -> Entry:
    """The entry at `start`. Raises ValueError with a reason when it has no end."""
    pieces: list[str] = []
    depth = lines = 0
    at, size = start, len(text)
    while at < size:
        found = _PIECE.match(text, at)
        if found is None:  # never: the last alternative takes anything
            break
        piece, at = found[0], found.end()
        if at - start > LONGEST_ENTRY:
            raise ValueError("this record has no end; is a parenthesis or a quotation mark missing?")
        if piece == "\n":
            lines += 1
            if depth == 0:
                return Entry("".join(pieces).rstrip(), at, lines)
            piece = " "
        elif piece == "(":
            depth, piece = depth + 1, " "
        elif piece == ")":
            if depth == 0:
                raise ValueError("this parenthesis was never opened")
            depth, piece = depth - 1, " "
        elif piece == '"':
            raise ValueError("this quotation mark has no partner on its line")
        elif piece == "\\":
            raise ValueError("a backslash ends the line")
        elif piece[0] == ";":
            continue
        pieces.append(piece)
    if depth:
        raise ValueError("this record has no end; a parenthesis is not closed")
    return Entry("".join(pieces).rstrip(), at, lines + 1)


def take_word(text: str) -> tuple[str, str]:
    """The first word of `text` and the rest; no word where a quoted string or nothing comes first."""
    found = _WORD.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)
