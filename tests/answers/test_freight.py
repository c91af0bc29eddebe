"""How directories travel: packed, and the same again."""

import pickle

from georouter.answers.freight import (
    pack_answers,
    pack_bodies,
    pack_index,
    pack_numbers,
    unpack_answers,
    unpack_bodies,
    unpack_index,
    unpack_numbers,
)
from georouter.answers.make import make_answer
from georouter.answers.tables import Directory
from tests.answers.build import address_answer, example


def test_index() -> None:
    """Names in order, the longest too."""
    index = {b"\0": 0, b"\1a\0": 1, (b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"y" * 61 + b"\0": 2}
    assert unpack_index(pack_index(index)) == index
    assert unpack_index(pack_index({})) == {}


def test_numbers() -> None:
    """Large keys, negative values, any order."""
    numbers = {1 << 40: -5, 3: 7, 2**64 - 1: -(2**31)}
    unpacked = unpack_numbers(pack_numbers(numbers))
    assert list(unpacked.items()) == list(numbers.items())


def test_answers() -> None:
    """Bodies, options, codes, and what is left when space is short."""
    least = make_answer(answers=1, body=b"one")
    answers = (
        address_answer("192.0.2.1"),
        make_answer(rcode=3, authority=1, body=b""),
        address_answer("192.0.2.2", option=b"\0\x0f\0\2\0\0"),
        make_answer(answers=2, body=b"oneandtwo", least=least),
    )
    unpacked = unpack_answers(pack_answers(answers))
    assert unpacked == answers
    assert unpacked[3].least == least


def test_bodies() -> None:
    """Empty ones between."""
    bodies = (b"", b"one", b"", b"x" * 70000)
    assert unpack_bodies(pack_bodies(bodies)) == bodies
    assert unpack_bodies(pack_bodies(())) == ()


def test_a_directory() -> None:
    """Every field, by way of a pickle."""
    directory = example().directory
    again = pickle.loads(pickle.dumps(directory))
    for name in Directory.__slots__:
        assert getattr(again, name) == getattr(directory, name), name
