"""A query, read with care: every length checked, nothing assumed.

    header ─► question ─► records (skipped; the OPT among them read) ─► end

Rules, and where they come from:

1. Exactly one question, for opcode QUERY (RFC 9619 4); otherwise FORMERR. Only who asks for a cookie
   may ask nothing else (RFC 7873 5.4).
2. The question's name is uncompressed, at most 255 octets (RFC 1035 3.1): there is nothing before it
   that a pointer could mean.
3. Records in the other sections must be well formed, and are otherwise ignored: IXFR carries a SOA
   (RFC 1995 3), a TSIG we hold no key for is the client's affair.
4. At most one OPT, owned by the root, in the additional section (RFC 6891 6.1.1); otherwise FORMERR.
5. Octets after the last record are FORMERR: the counts or a length lie, and no reading of the
   message is better than another. No RFC says so; libknot calls it malformed, NSD does when built
   with strict parsing and cuts the octets off otherwise.
"""

from dataclasses import dataclass

from georouter.wire.codes import OPCODE_QUERY, RCODE_FORMERR, RCODE_NOERROR, RCODE_NOTIMP, TYPE_OPT
from georouter.wire.edns import Opt, parse_opt

HEADER_SIZE = 12
MAX_NAME = 255
MAX_LABEL = 63

FLAG_QR = 0x8000
FLAG_TC = 0x0200
FLAG_RD = 0x0100
FLAG_CD = 0x0010


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is in wire form and in the client's case; `raw` is the whole question section."""

    name: bytes
    type: int
    klass: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A message that wants an answer. `error` is the response code it earned by its form, 0 for none.

    `question` and `opt` are None where they are absent or could not be read. Without question and
    error, `opt` has a cookie.
    """

    id: bytes
    flags: int
    question: Question | None
    opt: Opt | None
    error: int


def parse_query(data: bytes) -> Query | None:
    """Read a message; None when it must not be answered: no full header, or itself a response."""
    if len(data) < HEADER_SIZE or data[2] & 0x80:
        return None
    flags = int.from_bytes(data[2:4])
    other_opcode = flags >> 11 & 0xF != OPCODE_QUERY
    question, opt, error = _sections(data)
    if other_opcode:
        # The sections of other opcodes may mean something else (RFC 6895 2.2): echo what reads well.
        return Query(data[:2], flags, question, opt, RCODE_NOTIMP)
    return Query(data[:2], flags, question, opt, error)


def name_end(data: bytes, at: int) -> int:
    """The offset after an uncompressed name that starts at `at`, or -1 when there is none."""
    start, size = at, len(data)
    while at < size:
        length = data[at]
        if length == 0:
            return at + 1 if at + 1 - start <= MAX_NAME else -1
        if length > MAX_LABEL:
            return -1
        at += 1 + length
    return -1


def skip_name(data: bytes, at: int) -> int:
    """The offset after a name that may end in a compression pointer, or -1 when there is none."""
    start, size = at, len(data)
    while at < size:
        length = data[at]
        if length == 0 or length >= 0xC0:
            stop = at + (2 if length else 1)
            return stop if stop <= size and stop - start <= MAX_NAME else -1
        if length > MAX_LABEL:
            return -1
        at += 1 + length
    return -1


def _sections(data: bytes) -> tuple[Question | None, Opt | None, int]:
    """Question, OPT and the error of a message with a full header."""
    questions, answers, authority, additional = (int.from_bytes(data[at : at + 2]) for at in (4, 6, 8, 10))
    if questions == 0:
        opt, error = _records(data, HEADER_SIZE, answers + authority, additional)
        asks_cookie = opt is not None and opt.cookie is not None
        return None, opt, error or (RCODE_NOERROR if asks_cookie else RCODE_FORMERR)
    if questions != 1:
        return None, None, RCODE_FORMERR
    question = _question(data)
    if question is None:
        return None, None, RCODE_FORMERR
    return question, *_records(data, HEADER_SIZE + len(question.raw), answers + authority, additional)


def _question(data: bytes) -> Question | None:
    end = name_end(data, HEADER_SIZE)
    if end < 0 or end + 4 > len(data):
        return None
    numbers = int.from_bytes(data[end : end + 4])
    return Question(data[HEADER_SIZE:end], numbers >> 16, numbers & 0xFFFF, data[HEADER_SIZE : end + 4])


def _records(data: bytes, at: int, before: int, additional: int) -> tuple[Opt | None, int]:
    """Walk all records; the OPT, and FORMERR when rules 3 to 5 are broken."""
    opt: Opt | None = None
    error = RCODE_NOERROR
    for index in range(before + additional):
        owner = at
        at = skip_name(data, at)
        if at < 0 or at + 10 > len(data):
            return opt, RCODE_FORMERR
        kind = int.from_bytes(data[at : at + 2])
        stop = at + 10 + int.from_bytes(data[at + 8 : at + 10])
        if stop > len(data):
            return opt, RCODE_FORMERR
        if kind == TYPE_OPT:
            payload, ttl = int.from_bytes(data[at + 2 : at + 4]), int.from_bytes(data[at + 4 : at + 8])
            if opt is not None or index < before or data[owner] != 0:
                error = RCODE_FORMERR
            opt = opt or parse_opt(payload, ttl, data[at + 10 : stop])
        at = stop
    if at != len(data):
        error = RCODE_FORMERR
    return opt, error or (opt.error if opt else RCODE_NOERROR)
