"""Making `Answer`s: the one place where flags and counts become header bytes."""

import struct
from functools import lru_cache

from georouter.answers.tables import Answer

QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100
"""Header flag bits (RFC 1035 4.1.1)."""


def head_index(flags: int, has_opt: bool) -> int:
    """Which entry of `Answer.head` fits a query with these header flags."""
    return (2 if flags & RD else 0) | (1 if has_opt else 0)


@lru_cache(maxsize=65536)
def heads(flags: int, answers: int, authority: int, additional: int) -> tuple[bytes, ...]:
    """Bytes 2..11 of a response for each `head_index`: RD is copied, CD is cleared (RFC 4035 3.1.6)."""
    return tuple(
        struct.pack(
            "!HHHHH",
            QR | flags | (RD if index & 2 else 0),
            1,
            answers,
            authority,
            additional + (index & 1),
        )
        for index in range(4)
    )


def make_answer(
    *,
    rcode: int = 0,
    authoritative: bool = True,
    answers: int = 0,
    authority: int = 0,
    additional: int = 0,
    body: bytes = b"",
    option: bytes = b"",
    least: Answer | None = None,
) -> Answer:
    """An answer whose sections hold this many records in `body`; `option` is a finished EDNS option,
    `least` what is left when space is short.
    """
    flags = (AA if authoritative else 0) | (rcode & 0xF)
    return Answer(heads(flags, answers, authority, additional), body, option, rcode, least)
