"""The TSIG record of a message (RFC 8945), read with care. `signing` proves and makes signatures.

Rules, and where they come from; `signing` keeps those from 3 on:

1. At most one TSIG record, the last of the additional section, class ANY, TTL 0; otherwise FORMERR
   (RFC 8945 4.2, 5.1, 5.2). `message` reads where it is, `parse_tsig` what it says.
2. An unknown key, or a known one with another algorithm, is BADKEY; a MAC that is not right is BADSIG.
   Both are answered unsigned (RFC 8945 5.2.1, 5.2.2, 5.3.2).
3. A MAC longer than the algorithm's, or shorter than 10 octets or half of it, is FORMERR; one that is
   right as far as it goes but cut is BADTRUNC: we ask for whole ones (RFC 8945 5.2.2.1, 5.2.4).
4. Right, but made at another time than now, give or take the fudge, is BADTIME; the answer is signed and
   tells our time (RFC 8945 5.2.3).
5. Of an answer in several messages every one is signed, each with the MAC before it (RFC 8945 5.3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import pack, unpack_from
from types import MappingProxyType

from georouter.wire.codes import (
    CLASS_ANY,
    TYPE_TSIG,
)
from georouter.wire.names import end_of, lower, name_text, parse_name

ALGORITHMS: Mapping[str, int] = MappingProxyType(
    {
        "hmac-sha1": 20,
        "hmac-sha224": 28,
        "hmac-sha256": 32,
        "hmac-sha256-128": 16,
        "hmac-sha384": 48,
        "hmac-sha384-192": 24,
        "hmac-sha512": 64,
        "hmac-sha512-256": 32,
    }
)
"""Name and octets of a MAC. Those of RFC 8945 6 but hmac-md5, which must not be used."""
FUDGE_S = 300
"""In what we sign first (RFC 8945 10)."""
_LARGEST_ERROR = 0xFFF
"""Response codes have 12 bits (RFC 6891 6.1.3)."""
_FIXED = 16
"""Octets of a TSIG's data besides algorithm, MAC and other data."""


@dataclass(frozen=True, slots=True)
class Key:
    """A shared secret. `name` is in lower-case wire form, `algorithm` one of `ALGORITHMS`."""

    name: bytes
    algorithm: str
    secret: bytes = field(repr=False)

    @property
    def record_size(self) -> int:
        """Octets of a TSIG record made with it, without other data."""
        return len(self.name) + 10 + len(parse_name(self.algorithm)) + _FIXED + ALGORITHMS[self.algorithm]


@dataclass(frozen=True, slots=True)
class Tsig:
    """A TSIG record as it stands in a request: `start` is its offset, names are in lower case."""

    start: int
    key: bytes
    algorithm: bytes
    time_s: int
    fudge_s: int
    mac: bytes
    original_id: int
    error: int
    other: bytes


def parse_tsig(owner: bytes, start: int, head: bytes, rdata: bytes) -> Tsig | None:
    """Read a record. `head` are class and TTL, `owner` its uncompressed name. None when malformed."""
    if head != pack("!HI", CLASS_ANY, 0):
        return None
    stop = _name_end(rdata)
    if stop < 0 or stop + _FIXED > len(rdata):
        return None
    high, low, fudge_s, size = unpack_from("!HIHH", rdata, stop)
    at = stop + 10
    if at + size + 6 > len(rdata):
        return None
    original_id, error, more = unpack_from("!HHH", rdata, at + size)
    if at + size + 6 + more != len(rdata) or error > _LARGEST_ERROR:
        return None
    return Tsig(
        start=start,
        key=lower(owner),
        algorithm=lower(rdata[:stop]),
        time_s=high << 32 | low,
        fudge_s=fudge_s,
        mac=rdata[at : at + size],
        original_id=original_id,
        error=error,
        other=rdata[at + size + 6 :],
    )


def unsigned_error(message: bytes, request: Tsig, error: int) -> bytes:
    """The message with a TSIG record that has no MAC: for BADKEY and BADSIG (RFC 8945 5.3.2)."""
    rdata = b"".join(
        (
            request.algorithm,
            pack("!HIHH", request.time_s >> 32, request.time_s & 0xFFFFFFFF, request.fudge_s, 0),
            pack("!HHH", id_of(message), error, 0),
        )
    )
    return append(message, request.key, rdata)


def parse_algorithm(text: str) -> str:
    """The name of an algorithm in lower case, without final dot. ValueError with what would be right."""
    name = text.lower().removesuffix(".")
    if name in ALGORITHMS:
        return name
    if name.startswith("hmac-md5"):
        raise ValueError("hmac-md5 must not be used any more (RFC 8945 6); use hmac-sha256")
    raise ValueError(f'"{text}" is not an algorithm of TSIG; there are {", ".join(ALGORITHMS)}')


def find(tsig: Tsig, keys: Mapping[bytes, Key]) -> Key | None:
    """The key a request was signed with, if it is one of ours (rule 2)."""
    key = keys.get(tsig.key)
    return key if key is not None and parse_name(key.algorithm) == tsig.algorithm else None


def append(message: bytes, owner: bytes, rdata: bytes) -> bytes:
    """The message with one more record, a TSIG."""
    count = int.from_bytes(message[10:12]) + 1
    head = pack("!HHIH", TYPE_TSIG, CLASS_ANY, 0, len(rdata))
    return b"".join((message[:10], count.to_bytes(2), message[12:], owner, head, rdata))


def id_of(message: bytes) -> int:
    """RFC 1035 4.1.1."""
    return int.from_bytes(message[:2])


def _name_end(data: bytes) -> int:
    """The offset behind the name that data begins with, or -1 when it is none that counts as one."""
    try:
        stop = end_of(data, 0)
        name_text(data[:stop])
    except (IndexError, ValueError):
        return -1
    return stop
