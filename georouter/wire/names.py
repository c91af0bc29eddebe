"""Domain names between presentation text and uncompressed wire bytes (RFC 1035 2.3.4, 3.1, 5.1).

Wire names are plain `bytes`: length-prefixed labels ending with the root label. Case is kept; use
`lower` to compare (RFC 4343: only ASCII letters fold).
"""

import re

MAX_LABEL = 63
MAX_NAME = 255
"""Octets of a name on the wire, length octets and root included."""

_LOWER = bytes(byte + 32 if 0x41 <= byte <= 0x5A else byte for byte in range(256))
_SPECIAL = frozenset(b'."\\;()@$')
"""Octets that presentation text escapes with a backslash (RFC 1035 5.1)."""

_SUSPECT = re.compile(rb'[\x00-\x20"();\x7f]')
"""Octets that end a name in a zone file, or that nobody can see: only escaped ones are meant."""


def parse_name(text: str) -> bytes:
    """Absolute name in presentation form (final dot optional) to wire; `.` is the root.

    Raises ValueError with a reason that quotes the text.
    """
    wire, _ = _parse(text)
    return _bounded(wire + b"\0", text)


def parse_relative(text: str, origin: bytes) -> bytes:
    """A name as zone files write it: `@` is `origin` (wire), names without final dot lie below it."""
    if text == "@":
        return origin
    wire, absolute = _parse(text)
    return _bounded(wire + (b"\0" if absolute else origin), text)


def name_text(wire: bytes) -> str:
    """Presentation form without the final dot; the root is `.`. Raises ValueError for bad wire."""
    parts = labels(wire)
    return ".".join(_label_text(label) for label in parts) if parts else "."


def lower(wire: bytes) -> bytes:
    """The same name with ASCII letters in lower case. Length octets are below 64 and never fold."""
    return wire.translate(_LOWER)


def labels(wire: bytes) -> tuple[bytes, ...]:
    """The labels from left to right, the root left out. Raises ValueError for anything but one name."""
    found: list[bytes] = []
    at = 0
    while at < len(wire):
        length = wire[at]
        if length == 0:
            if at + 1 != len(wire) or len(wire) > MAX_NAME:
                break
            return tuple(found)
        if length > MAX_LABEL:
            break
        found.append(wire[at + 1 : at + 1 + length])
        at += 1 + length
    raise ValueError(f"{wire!r} is not an uncompressed domain name")


def end_of(data: bytes, start: int) -> int:
    """The offset behind the uncompressed name that begins at `start` of well-formed data."""
    while length := data[start]:
        start += 1 + length
    return start + 1


def join(parts: tuple[bytes, ...]) -> bytes:
    """Labels to a wire name; the inverse of `labels`."""
    return b"".join(bytes((len(label),)) + label for label in parts) + b"\0"


def parent(wire: bytes) -> bytes:
    """The name without its first label. The root has no parent: ValueError."""
    if wire == b"\0":
        raise ValueError("the root has no parent")
    return wire[1 + wire[0] :]


def is_below(wire: bytes, apex: bytes) -> bool:
    """True when `wire` is `apex` or lies below it. Both in the same case."""
    if not wire.endswith(apex):
        return False
    rest = len(wire) - len(apex)
    at = 0
    while at < rest:
        at += 1 + wire[at]
    return at == rest


def _parse(text: str) -> tuple[bytes, bool]:
    """Labels without the root, and whether the text ended with a dot."""
    if text == ".":
        return b"", True
    if not text:
        raise ValueError("a name is empty")
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError(f"'{text}' is not ASCII; write internationalized names in their xn-- form") from None
    if b"\\" in raw:
        found, absolute = _unescape(raw, text)
    else:
        found = raw.split(b".")
        absolute = found[-1] == b""
        if absolute:
            found.pop()
    wire = bytearray()
    for label in found:
        if not label:
            raise ValueError(f"'{text}' has an empty label")
        if len(label) > MAX_LABEL:
            raise ValueError(f"'{text}' has a label of {len(label)} octets; {MAX_LABEL} is the limit")
        wire.append(len(label))
        wire += label
    if _SUSPECT.search(raw):
        _refuse_suspects(raw, text)
    return bytes(wire), absolute


def _unescape(raw: bytes, text: str) -> tuple[list[bytes], bool]:
    r"""Split at dots that are not escaped; `\DDD` is a decimal octet, `\X` is X itself."""
    found: list[bytes] = []
    label = bytearray()
    at = 0
    ended = False
    while at < len(raw):
        octet = raw[at]
        ended = False
        if octet == 0x2E:
            found.append(bytes(label))
            label.clear()
            ended = True
        elif octet == 0x5C:
            digits = raw[at + 1 : at + 4]
            if digits[:1].isdigit():
                if len(digits) < 3 or not digits.isdigit() or int(digits) > 255:
                    raise ValueError(rf"'{text}' has a bad escape; \DDD takes three digits up to 255")
                label.append(int(digits))
                at += 3
            elif digits:
                label.append(digits[0])
                at += 1
            else:
                raise ValueError(f"'{text}' ends inside an escape")
        else:
            label.append(octet)
        at += 1
    if not ended:
        found.append(bytes(label))
    return found, ended


def _refuse_suspects(raw: bytes, text: str) -> None:
    r"""What is not escaped (`\032` or `\ `) is a typing mistake, not a name: a blank, a quotation mark."""
    escaped = False
    for octet in raw:
        if not escaped and _SUSPECT.match(bytes((octet,))):
            if octet in b" \t":
                raise ValueError(f"'{text}' has a blank in it")
            raise ValueError(rf"'{text}' has the octet {octet} in it; write \{octet:03d} if it is meant")
        escaped = octet == 0x5C and not escaped


def _bounded(wire: bytes, text: str) -> bytes:
    if len(wire) > MAX_NAME:
        raise ValueError(f"'{text}' is {len(wire)} octets long; {MAX_NAME} is the limit")
    return wire


def _label_text(label: bytes) -> str:
    if label.isalnum():
        return label.decode("ascii")
    out: list[str] = []
    for octet in label:
        if octet in _SPECIAL:
            out.append("\\" + chr(octet))
        elif 0x21 <= octet <= 0x7E:
            out.append(chr(octet))
        else:
            out.append(f"\\{octet:03d}")
    return "".join(out)
