"""Inputs made from other inputs: the same ones for the same random numbers."""

import random
import re
from collections.abc import Callable, Sequence

from tests.fuzz.target import About

INTERESTING = (0, 1, 2, 4, 8, 10, 12, 16, 24, 32, 41, 63, 64, 65, 96, 97, 120, 127, 128, 192, 250, 252, 255)
"""Octets that mean something in some format."""
NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"2147483647",
    b"4294967296",
    b"9" * 40,
    b"1e999",
)

_WORD = re.compile(rb"[\w.*-]+")


def mutate(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    """`data` with a few changes, some of them pieces of `pool`."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if about.is_text and chance.random() < 0.8:
            data = chance.choice(_BY_WORDS)(data, about, pool, chance)
        else:
            data = chance.choice(_BY_OCTETS)(data, about, pool, chance)
    return data[: about.longest]


Change = Callable[[bytes, About, Sequence[bytes], random.Random], bytes]


def _overwrite(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    octet = chance.choice((*INTERESTING, chance.randrange(256)))
    return data[:at] + bytes((octet,)) + data[at + 1 :]


def _flip(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes(octet ^ 1 << chance.randrange(8) for octet in data[at : at + 1]) + data[at + 1 :]


def _cut(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _remove(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 1, 2, 4, 16)) :]


def _insert(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes(chance.choices(INTERESTING, k=chance.randrange(1, 6))) + data[at:]


def _insert_word(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((*about.words, b"\0")) + data[at:]


def _repeat(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:stop] + data[start:stop] * chance.choice((1, 1, 2, 20)) + data[stop:]


def _cross(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(pool) if pool else data
    start = chance.randrange(len(other) + 1)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start : start + chance.choice((1, 4, 16, 64, len(other)))] + data[at:]


def _line(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    """A line moved, doubled, dropped, or taken from elsewhere."""
    lines = data.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(to, lines[at])
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case 3:
            lines.insert(to, chance.choice((chance.choice(pool) if pool else data).split(b"\n")))
        case _:
            indent = len(lines[at]) - len(lines[at].lstrip(b" "))
            lines[at] = b" " * max(0, indent + chance.choice((-2, -1, 2, 4))) + lines[at].lstrip(b" ")
    return b"\n".join(lines)


def _word(data: bytes, about: About, pool: Sequence[bytes], chance: random.Random) -> bytes:
    """A word replaced by one that stands elsewhere, means something, or is a number."""
    words = list(_WORD.finditer(data))
    if not words:
        return _insert_word(data, about, pool, chance)
    found = chance.choice(words)
    match chance.randrange(4):
        case 0 if about.words:
            new = chance.choice(about.words)
        case 1:
            new = chance.choice(NUMBERS)
        case 2:
            new = chance.choice(words)[0]
        case _:
            others = _WORD.findall(chance.choice(pool)) if pool else []
            new = chance.choice(others) if others else b""
    return data[: found.start()] + new + data[found.end() :]


_BY_OCTETS: tuple[Change, ...] = (_overwrite, _flip, _cut, _remove, _insert, _insert_word, _repeat, _cross)
_BY_WORDS: tuple[Change, ...] = (
    _line,
    _line,
    _word,
    _word,
    _word,
    _repeat,
    _remove,
    _insert_word,
    _overwrite,
)
