"""How a directory travels between processes: a few blocks of bytes in place of a million objects.

Unpickling runs without interruption in the interpreter, and with it everything else in the process
waits: a second for a million names. Blocks load at once; the tables are then made of them in plain
loops, which let other threads in.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from georouter.answers.tables import Answer


@dataclass(frozen=True, slots=True)
class Index:
    """Names in the order of their numbers; a name on the wire has at most 255 octets."""

    names: bytes
    lengths: bytes


@dataclass(frozen=True, slots=True)
class Numbers:
    """A mapping of unsigned 64-bit to signed 32-bit numbers."""

    keys: "array[int]"
    values: "array[int]"


@dataclass(frozen=True, slots=True)
class Answers:
    """`heads` are the distinct (head, option, rcode); `least` the few answers that have one, by position."""

    bodies: bytes
    lengths: "array[int]"
    head: "array[int]"
    heads: tuple[tuple[tuple[bytes, ...], bytes, int], ...]
    least: Mapping[int, Answer]


@dataclass(frozen=True, slots=True)
class Bodies:
    """One behind the other."""

    octets: bytes
    lengths: "array[int]"


def pack_index(index: Mapping[bytes, int]) -> Index:
    """Of names that are numbered in order."""
    return Index(b"".join(index), bytes(map(len, index)))


def unpack_index(packed: Index) -> dict[bytes, int]:
    """The inverse of `pack_index`."""
    names, index, at = packed.names, {}, 0
    for number, length in enumerate(packed.lengths):
        stop = at + length
        index[names[at:stop]] = number
        at = stop
    return index


def pack_numbers(numbers: Mapping[int, int]) -> Numbers:
    """Any order stays."""
    return Numbers(array("Q", numbers.keys()), array("i", numbers.values()))


def unpack_numbers(packed: Numbers) -> dict[int, int]:
    """The inverse of `pack_numbers`."""
    return {key: value for key, value in zip(packed.keys, packed.values, strict=True)}  # noqa: C416 - see above


def pack_answers(answers: Sequence[Answer]) -> Answers:
    """Bodies in one block."""
    heads: dict[tuple[tuple[bytes, ...], bytes, int], int] = {}
    return Answers(
        bodies=b"".join(answer.body for answer in answers),
        lengths=array("I", (len(answer.body) for answer in answers)),
        head=array("I", (heads.setdefault((a.head, a.option, a.rcode), len(heads)) for a in answers)),
        heads=tuple(heads),
        least={at: answer.least for at, answer in enumerate(answers) if answer.least is not None},
    )


def unpack_answers(packed: Answers) -> tuple[Answer, ...]:
    """The inverse of `pack_answers`."""
    bodies, at = packed.bodies, 0
    answers: list[Answer] = []
    for length, number in zip(packed.lengths, packed.head, strict=True):
        head, option, rcode = packed.heads[number]
        stop = at + length
        answers.append(Answer(head, bodies[at:stop], option, rcode))
        at = stop
    for place, least in packed.least.items():
        whole = answers[place]
        answers[place] = Answer(whole.head, whole.body, whole.option, whole.rcode, least)
    return tuple(answers)


def pack_bodies(bodies: Sequence[bytes]) -> Bodies:
    """In one block."""
    return Bodies(b"".join(bodies), array("I", map(len, bodies)))


def unpack_bodies(packed: Bodies) -> tuple[bytes, ...]:
    """The inverse of `pack_bodies`."""
    octets, at = packed.octets, 0
    bodies: list[bytes] = []
    for length in packed.lengths:
        stop = at + length
        bodies.append(octets[at:stop])
        at = stop
    return tuple(bodies)
