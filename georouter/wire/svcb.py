"""Data of SVCB and HTTPS records (RFC 9460 2.2): priority, target, parameters in the order of their keys."""

import struct
from collections.abc import Iterable

from georouter.wire.names import end_of

OWNER = b"\0"
"""The TargetName "." of a record in ServiceMode: its own owner (RFC 9460 2.5.2)."""

KEY_IPV4HINT, KEY_IPV6HINT = 4, 6
HINTS = frozenset({KEY_IPV4HINT, KEY_IPV6HINT})
"""SvcParamKeys with addresses (RFC 9460 7.3)."""
HINT_NAMES = frozenset({"ipv4hint", "ipv6hint", "key4", "key6"})


def parts(rdata: bytes) -> tuple[int, bytes, tuple[tuple[int, bytes], ...]]:
    """Priority, target (wire), parameters. `rdata` must be well-formed."""
    at = end_of(rdata, 2)
    target = rdata[2:at]
    params = []
    while at < len(rdata):
        key, length = struct.unpack_from("!HH", rdata, at)
        params.append((key, rdata[at + 4 : at + 4 + length]))
        at += 4 + length
    return int.from_bytes(rdata[:2]), target, tuple(params)


def service_rdata(priority: int, target: bytes, params: Iterable[tuple[int, bytes]]) -> bytes:
    """The data of a record with these parameters, in any order; keys must differ."""
    values = b"".join(struct.pack("!HH", key, len(value)) + value for key, value in sorted(params))
    return priority.to_bytes(2) + target + values


def hints(ipv4: Iterable[bytes], ipv6: Iterable[bytes]) -> tuple[tuple[int, bytes], ...]:
    """Address hints as parameters, none for a family without addresses: an empty one is malformed."""
    both = ((KEY_IPV4HINT, b"".join(ipv4)), (KEY_IPV6HINT, b"".join(ipv6)))
    return tuple((key, value) for key, value in both if value)
