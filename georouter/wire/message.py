"""A query, read with care: every length checked, nothing assumed.

    header ─► question ─► records (skipped; the OPT among them read) ─► end

Rules, and where they come from:

1. Exactly one question, for opcode QUERY (RFC 9619 4), NOTIFY (RFC 1996 3.7) and UPDATE (RFC 2136 2.3);
   otherwise FORMERR. Only who asks for a cookie may ask nothing else (RFC 7873 5.4).
2. The question's name is uncompressed, at most 255 octets (RFC 1035 3.1): there is nothing before it
   that a pointer could mean.
3. Records in the other sections must be well formed, and are otherwise ignored, but for the serial of
   the first SOA in the authority section, which an IXFR carries (RFC 1995 3), and a TSIG, which is the last
   record (RFC 8945 5.1).
4. At most one OPT, owned by the root, in the additional section (RFC 6891 6.1.1); otherwise FORMERR.
5. Octets after the last record are FORMERR: the counts or a length lie, and no reading of the
   message is better than another. No RFC says so; libknot calls it malformed, NSD does when built
   with strict parsing and cuts the octets off otherwise.
"""

from dataclasses import dataclass

from georouter.wire.codes import (
    OPCODE_NOTIFY,
    OPCODE_QUERY,
    OPCODE_UPDATE,
    RCODE_FORMERR,
    RCODE_NOERROR,
    RCODE_NOTIMP,
    TYPE_OPT,
    TYPE_SOA,
    TYPE_TSIG,
)
from georouter.wire.edns import Opt, parse_opt
from georouter.wire.tsig import Tsig, parse_tsig

HEADER_SIZE = 12
MAX_NAME = 255
MAX_LABEL = 63

FLAG_QR = 0x8000
FLAG_TC = 0x0200
FLAG_RD = 0x0100
FLAG_CD = 0x0010

_OPCODES = frozenset({OPCODE_QUERY, OPCODE_NOTIFY, OPCODE_UPDATE})
_LEAST_SOA = 10 + 2 + 20
"""Octets of a SOA record from its type on whose two names are the root (RFC 1035 3.3.13)."""


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
    error, `opt` has a cookie. `tsig` is there only where the whole message could be read. `serial` is
    that of the first SOA record in the authority section.
    """

    id: bytes
    flags: int
    question: Question | None
    opt: Opt | None
    error: int
    tsig: Tsig | None = None
    serial: int | None = None

    @property
    def opcode(self) -> int:
        """RFC 1035 4.1.1."""
        return self.flags >> 11 & 0xF


def parse_query(data: bytes) -> Query | None:
    """Read a message; None when it must not be answered: no full header, or itself a response."""
    if len(data) < HEADER_SIZE or data[2] & 0x80:
        return None
    flags = int.from_bytes(data[2:4])
    opcode = flags >> 11 & 0xF
    question, found, error = _sections(data)
    if opcode not in _OPCODES:
        # The sections of other opcodes may mean something else (RFC 6895 2.2): echo what reads well.
        return Query(data[:2], flags, question, found.opt, RCODE_NOTIMP)
    if opcode != OPCODE_QUERY and question is None:
        error = error or RCODE_FORMERR
    return Query(data[:2], flags, question, found.opt, error, None if error else found.tsig, found.serial)


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


def read_name(data: bytes, at: int) -> bytes:
    """The name at an offset, its compression undone; empty when it is malformed."""
    out, lowest = bytearray(), at
    while at < len(data):
        length = data[at]
        if length >= 0xC0:
            if at + 2 > len(data):
                return b""
            at = (length & 0x3F) << 8 | data[at + 1]
            if at >= lowest:  # only ever back: no loops
                return b""
            lowest = at
        elif length > MAX_LABEL:
            return b""
        else:
            out += data[at : at + 1 + length]
            at += 1 + length
            if len(out) > MAX_NAME:
                return b""
            if length == 0:
                return bytes(out)
    return b""


@dataclass(slots=True)
class _Found:
    """What is remembered of the records."""

    opt: Opt | None = None
    tsig: Tsig | None = None
    serial: int | None = None


def _sections(data: bytes) -> tuple[Question | None, _Found, int]:
    """Question, what the records say, and the error of a message with a full header."""
    questions, *counts = (int.from_bytes(data[at : at + 2]) for at in (4, 6, 8, 10))
    if questions == 0:
        found, error = _records(data, HEADER_SIZE, counts)
        asks_cookie = found.opt is not None and found.opt.cookie is not None
        return None, found, error or (RCODE_NOERROR if asks_cookie else RCODE_FORMERR)
    if questions != 1:
        return None, _Found(), RCODE_FORMERR
    question = _question(data)
    if question is None:
        return None, _Found(), RCODE_FORMERR
    return question, *_records(data, HEADER_SIZE + len(question.raw), counts)


def _question(data: bytes) -> Question | None:
    end = name_end(data, HEADER_SIZE)
    if end < 0 or end + 4 > len(data):
        return None
    numbers = int.from_bytes(data[end : end + 4])
    return Question(data[HEADER_SIZE:end], numbers >> 16, numbers & 0xFFFF, data[HEADER_SIZE : end + 4])


def _records(data: bytes, at: int, counts: list[int]) -> tuple[_Found, int]:
    """Walk the records of the three sections; FORMERR when rules 3 to 5 are broken."""
    answers, authority, additional = counts
    before, total = answers + authority, answers + authority + additional
    found = _Found()
    error = RCODE_NOERROR
    for index in range(total):
        owner = at
        at = skip_name(data, at)
        if at < 0 or at + 10 > len(data):
            return found, RCODE_FORMERR
        kind = int.from_bytes(data[at : at + 2])
        stop = at + 10 + int.from_bytes(data[at + 8 : at + 10])
        if stop > len(data):
            return found, RCODE_FORMERR
        if kind == TYPE_OPT:
            payload, ttl = int.from_bytes(data[at + 2 : at + 4]), int.from_bytes(data[at + 4 : at + 8])
            if found.opt is not None or index < before or data[owner] != 0:
                error = RCODE_FORMERR
            found.opt = found.opt or parse_opt(payload, ttl, data[at + 10 : stop])
        elif kind == TYPE_TSIG:
            name = read_name(data, owner)
            if name and index == total - 1 and index >= before:
                found.tsig = parse_tsig(name, owner, data[at + 2 : at + 8], data[at + 10 : stop])
            if found.tsig is None:
                error = RCODE_FORMERR
        elif kind == TYPE_SOA and answers <= index < before and found.serial is None:
            found.serial = int.from_bytes(data[stop - 20 : stop - 16]) if stop - at >= _LEAST_SOA else None
        at = stop
    if at != len(data):
        error = RCODE_FORMERR
    return found, error or (found.opt.error if found.opt else RCODE_NOERROR)
