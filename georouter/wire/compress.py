"""Records with their names compressed (RFC 1035 4.1.4), for answers that do not fit without.

Finished answers are kept with whole names, because a pointer counts from the start of the message and
so depends on the question. Few answers come near a client's limit; those pay for it here.

1. Names in record data are compressed for the types of RFC 1035 only (RFC 3597 4).
2. Names are the same whatever their case (RFC 4343 3): what follows a pointer may come back in the case
   of the question.
"""

from collections.abc import Iterator
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


def compress(name: bytes, records: bytes, room: int) -> bytes | None:
    """`records`, which follow a question for `name`, in at most `room` octets; None when they are more.

    `name` is in lower case; it and `records` are ours: well formed, names whole or a pointer to the
    question. All that matters of `name` is its length and how much of its end the records mention, so a
    flood of random names costs little more than one question.
    """
    mentioned = _mentioned(records)
    at = 0
    while name[at] and name[at:] not in mentioned:
        at += 1 + name[at]
    return _compress(name[at:], len(name), records, room)


@lru_cache(maxsize=1024)
def _mentioned(records: bytes) -> frozenset[bytes]:
    """Every name in owners and compressible data, and every name above those."""
    found: set[bytes] = set()
    for _, names, _ in _read(records):
        for name in names:
            at = 0
            while at < len(name) and name[0] < _POINTER:
                found.add(name[at:].lower())
                at += 1 + name[at]
    return frozenset(found)


@lru_cache(maxsize=4096)
def _compress(shared: bytes, length: int, records: bytes, room: int) -> bytes | None:
    """`compress` behind a name of `length` octets that ends with `shared`."""
    known: dict[bytes, int] = {}
    _remember(shared, _HEADER + length - len(shared), known)
    start = _HEADER + length + 4
    out = bytearray()
    for head, names, plain in _read(records):
        _put(out, names[0], start, known)
        out += head
        begin = len(out)
        before = _LAYOUT.get(int.from_bytes(head[:2]), (0, 0))[0]
        out += plain[:before]
        for name in names[1:]:
            _put(out, name, start, known)
        out += plain[before:]
        out[begin - 2 : begin] = (len(out) - begin).to_bytes(2)
        if len(out) > room:
            return None
    return bytes(out)


def _read(records: bytes) -> Iterator[tuple[bytes, list[bytes], bytes]]:
    """Per record: type to data length, the owner and the names in the data, the data without these."""
    at = 0
    while at < len(records):
        stop = _end(records, at)
        names = [records[at:stop]]
        at = stop + _AFTER_OWNER
        head = records[stop:at]
        end = at + int.from_bytes(head[8:])
        before, count = _LAYOUT.get(int.from_bytes(head[:2]), (0, 0))
        plain = records[at : at + before]
        at += before
        for _ in range(count):
            stop = _end(records, at)
            names.append(records[at:stop])
            at = stop
        yield head, names, plain + records[at:end]
        at = end


def _end(records: bytes, at: int) -> int:
    """The offset after the name at `at`."""
    if records[at] >= _POINTER:
        return at + 2
    while records[at]:
        at += 1 + records[at]
    return at + 1


def _put(out: bytearray, name: bytes, start: int, known: dict[bytes, int]) -> None:
    """Write as little of a name as needed."""
    if name == _QUESTION:
        out += name
        return
    done = 0
    while name[done] and name[done:].lower() not in known:
        done += 1 + name[done]
    rest = (_POINTER << 8 | known[name[done:].lower()]).to_bytes(2) if name[done] else b"\0"
    _remember(name, start + len(out), known, done)
    out += name[:done] + rest


def _remember(name: bytes, offset: int, known: dict[bytes, int], until: int = 255) -> None:
    """That `name` and the names above it, down to octet `until`, stand at `offset` and behind it."""
    at = 0
    while at < until and name[at] and offset + at < _REACH:
        known.setdefault(name[at:].lower(), offset + at)
        at += 1 + name[at]
