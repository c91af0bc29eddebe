"""Records with their names compressed (RFC 1035 4.1.4), for answers that do not fit without.

Finished answers are kept with whole names, because a pointer counts from the start of the message and
so depends on the question. Few answers come near a client's limit; those pay for it here.

1. Names in record data are compressed for the types of RFC 1035 only (RFC 3597 4).
2. Names are the same whatever their case (RFC 4343 3): what follows a pointer may come back in the case
   of the question.
"""

from functools import lru_cache

from georouter.wire.codes import TYPE_CNAME, TYPE_MX, TYPE_NS, TYPE_PTR, TYPE_SOA

_HEADER = 12
_POINTER = 0xC0
_QUESTION = b"\xc0\x0c"
_REACH = 0x4000
"""Pointers have 14 bits."""
_AFTER_OWNER = 10
"""Octets of type, class, TTL and data length."""

_LAYOUT: dict[int, tuple[int, int]] = {
    TYPE_NS: (0, 1),
    TYPE_CNAME: (0, 1),
    TYPE_PTR: (0, 1),
    TYPE_MX: (2, 1),
    TYPE_SOA: (0, 2),
    **dict.fromkeys((3, 4, 7, 8, 9), (0, 1)),  # MD, MF, MB, MG, MR
    14: (0, 2),  # MINFO
}
"""Record type -> octets before the names in its data, and how many names there are."""


@lru_cache(maxsize=1024)
def compress(name: bytes, records: bytes, room: int) -> bytes | None:
    """`records`, which follow a question for `name`, in at most `room` octets; None when they are more.

    `name` and `records` are ours: well formed, names whole or a pointer to the question. Cached, since
    what does not fit one client does not fit the next; pass `name` in lower case.
    """
    known: dict[bytes, int] = {}
    start = _HEADER + len(name) + 4
    _remember(name, _HEADER, known)
    out = bytearray()
    at = 0
    while at < len(records):
        at = _put_name(out, records, at, start, known)
        head = records[at : at + _AFTER_OWNER]
        at += _AFTER_OWNER
        stop = at + int.from_bytes(head[8:])
        out += head
        begin = len(out)
        before, names = _LAYOUT.get(int.from_bytes(head[:2]), (0, 0))
        out += records[at : at + before]
        at += before
        for _ in range(names):
            at = _put_name(out, records, at, start, known)
        out += records[at:stop]
        at = stop
        out[begin - 2 : begin] = (len(out) - begin).to_bytes(2)
        if len(out) > room:
            return None
    return bytes(out)


def _put_name(out: bytearray, records: bytes, at: int, start: int, known: dict[bytes, int]) -> int:
    """Write the name at `at`, as little of it as needed; the offset after it."""
    if records[at] >= _POINTER:
        out += _QUESTION
        return at + 2
    stop = at
    while records[stop]:
        stop += 1 + records[stop]
    stop += 1
    name = records[at:stop]
    done = 0
    while name[done] and name[done:].lower() not in known:
        done += 1 + name[done]
    rest = (_POINTER << 8 | known[name[done:].lower()]).to_bytes(2) if name[done] else b"\0"
    _remember(name, start + len(out), known, done)
    out += name[:done] + rest
    return stop


def _remember(name: bytes, offset: int, known: dict[bytes, int], until: int = 255) -> None:
    """That `name` and the names above it, down to octet `until`, stand at `offset` and behind it."""
    at = 0
    while at < until and name[at] and offset + at < _REACH:
        known.setdefault(name[at:].lower(), offset + at)
        at += 1 + name[at]
