"""Messages: the careful reading of a query."""

import struct

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.codes import RCODE_FORMERR, RCODE_NOTIMP
from georouter.wire.message import Question, name_end, parse_query, skip_name

NAME = b"\4mail\7example\3com\0"
QUESTION = NAME + b"\0\1\0\1"
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def message(*parts: bytes, flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    """A header and what follows it."""
    return struct.pack("!6H", 0xBEEF, flags, *counts) + b"".join(parts)


def test_a_plain_query() -> None:
    """All of its parts, the name in the client's case."""
    query = parse_query(message(b"\4MaIl\0\0\x1c\0\1"))
    assert query is not None
    assert (query.id, query.flags, query.opt, query.error) == (b"\xbe\xef", 0x0100, None, 0)
    assert query.question == Question(b"\4MaIl\0", 28, 1, b"\4MaIl\0\0\x1c\0\1")


@pytest.mark.parametrize("data", [b"", bytes(11), message(QUESTION, flags=0x8000)])
def test_what_is_not_answered(data: bytes) -> None:
    """Less than a header, and responses."""
    assert parse_query(data) is None


@pytest.mark.parametrize("position", range(4))
def test_the_opt_stands_anywhere_among_the_additional_records(position: int) -> None:
    """RFC 6891 6.1.1."""
    records = [NAME + struct.pack("!HHIH", 249, 255, 0, 3) + b"abc", b"\xc0\x0c" + bytes(10), bytes(11)]
    records.insert(position, OPT)
    query = parse_query(message(QUESTION, *records, counts=(1, 0, 0, 4)))
    assert query is not None
    assert query.opt is not None
    assert query.error == 0


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        ((QUESTION,), (0, 0, 0, 0)),
        ((QUESTION, QUESTION), (2, 0, 0, 0)),
        ((QUESTION[:-1],), (1, 0, 0, 0)),
        ((b"\xc0\x0c\0\1\0\1",), (1, 0, 0, 0)),
    ],
)
def test_questions_that_cannot_be_read(parts: tuple[bytes, ...], counts: tuple[int, int, int, int]) -> None:
    """FORMERR, and nothing to echo."""
    query = parse_query(message(*parts, counts=counts))
    assert query is not None
    assert (query.question, query.opt, query.error) == (None, None, RCODE_FORMERR)


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        ((OPT, OPT), (1, 0, 0, 2)),
        ((b"\1x" + OPT,), (1, 0, 0, 1)),
        ((OPT,), (1, 0, 1, 0)),
        ((OPT, b"\0"), (1, 0, 0, 1)),
        ((OPT, b"\0"), (1, 0, 0, 2)),
    ],
)
def test_faults_after_the_question(parts: tuple[bytes, ...], counts: tuple[int, int, int, int]) -> None:
    """FORMERR, with question and OPT known."""
    query = parse_query(message(QUESTION, *parts, counts=counts))
    assert query is not None
    assert query.question is not None
    assert query.opt is not None
    assert query.error == RCODE_FORMERR


def test_other_opcodes_come_before_everything() -> None:
    """NOTIMP even where the sections make no sense."""
    query = parse_query(message(b"junk", flags=3 << 11))
    assert query is not None
    assert (query.error, query.question) == (RCODE_NOTIMP, None)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"\0", 1),
        (NAME, len(NAME)),
        (NAME + b"more", len(NAME)),
        (b"\1a" * 127 + b"\0", 255),
        (b"\1a" * 127 + b"\1a\0", -1),
        (b"\x3f" + b"a" * 63 + b"\0", 65),
        (b"\x40" + b"a" * 64 + b"\0", -1),
        (b"\3ab", -1),
        (b"\1a", -1),
        (b"", -1),
        (b"\xc0\x0c", -1),
    ],
)
def test_where_a_name_ends(data: bytes, end: int) -> None:
    """After its root label, if it is well formed and holds no pointer."""
    assert name_end(data, 0) == end
    if end >= 0:
        assert skip_name(data, 0) == end


@pytest.mark.parametrize(
    ("data", "end"), [(b"\xc0\x0c", 2), (b"\1a\xff\xff", 4), (b"\xc0", -1), (b"\1a\xc0", -1), (b"\x80\0", -1)]
)
def test_where_a_compressed_name_ends(data: bytes, end: int) -> None:
    """After the pointer, wherever it leads."""
    assert skip_name(data, 0) == end


@given(st.binary(max_size=120), st.integers(0, 3), st.integers(0, 3))
def test_whatever_comes_is_read_or_refused(data: bytes, records: int, questions: int) -> None:
    """Never an exception; what we accept dnspython can read too, unless the data of a record is bad."""
    raw = message(data, counts=(questions, records, 0, 0))
    query = parse_query(raw)
    assert query is not None
    if query.error == 0 and records == 0:
        assert query.question is not None
        assert dns.message.from_wire(raw).question[0].name.to_wire() == query.question.name
