"""Signatures of messages (TSIG, RFC 8945), by dnspython's HMACs. See `tsig` for the rules.

Apart from `tsig` because dnspython takes a while to load, and a server without keys never needs this.
"""

from hmac import compare_digest

import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from georouter.wire.codes import (
    RCODE_BADSIG,
    RCODE_BADTIME,
    RCODE_BADTRUNC,
    RCODE_FORMERR,
    RCODE_NOERROR,
)
from georouter.wire.names import parse_name
from georouter.wire.tsig import ALGORITHMS, FUDGE_S, Key, Tsig, append, id_of

LEAST_MAC = 10
"""Octets of a MAC that was cut (RFC 8945 5.2.2.1)."""
_TIME_LIMIT = 1 << 48


def verify(message: bytes, tsig: Tsig, key: Key, now: float) -> int:
    """The error of a signed request: 0, BADSIG, BADTIME, BADTRUNC, or FORMERR for its MAC's size."""
    whole = ALGORITHMS[key.algorithm]
    if not max(LEAST_MAC, whole // 2) <= len(tsig.mac) <= whole:
        return RCODE_FORMERR
    unsigned = message[:10] + (int.from_bytes(message[10:12]) - 1).to_bytes(2) + message[12 : tsig.start]
    given = _rdata(key, tsig.time_s, tsig.fudge_s, tsig.original_id, tsig.error, tsig.other)
    right, _ = dns.tsig.sign(unsigned, made(key), given, tsig.time_s)  # type: ignore[no-untyped-call]
    if not compare_digest(right.mac[: len(tsig.mac)], tsig.mac):
        return RCODE_BADSIG
    if abs(int(now) - tsig.time_s) > tsig.fudge_s:
        return RCODE_BADTIME
    return RCODE_BADTRUNC if len(tsig.mac) < whole else RCODE_NOERROR


class Signer:
    """Signs the messages that answer one request, or a request of ours (`mac` is empty then)."""

    __slots__ = ("_context", "_key", "_mac", "_made", "_several")

    def __init__(self, key: Key, mac: bytes = b"", *, several: bool = False) -> None:
        """`several`: more than one message will be signed, in order."""
        self._key = key
        self._made = made(key)
        self._mac = mac
        self._several = several
        self._context: dns.tsig.HMACTSig | dns.tsig.GSSTSig | None = None

    @property
    def room(self) -> int:
        """Octets by which `sign` makes a message grow."""
        return self._key.record_size

    @property
    def key(self) -> bytes:
        """The key's name."""
        return self._key.name

    def sign(self, message: bytes, now: float) -> bytes:
        """The message with its TSIG record."""
        return self._sign(message, _rdata(self._key, int(now) % _TIME_LIMIT, FUDGE_S, id_of(message)))

    def too_late(self, message: bytes, request: Tsig, now: float) -> bytes:
        """A BADTIME answer: the request's time, and ours beside it (RFC 8945 5.2.3)."""
        ours = (int(now) % _TIME_LIMIT).to_bytes(6)
        times = (request.time_s, request.fudge_s, id_of(message), RCODE_BADTIME, ours)
        return self._sign(message, _rdata(self._key, *times))

    def cut_short(self, message: bytes, now: float) -> bytes:
        """A BADTRUNC answer."""
        times = (int(now) % _TIME_LIMIT, FUDGE_S, id_of(message), RCODE_BADTRUNC)
        return self._sign(message, _rdata(self._key, *times))

    def _sign(self, message: bytes, record: TSIG) -> bytes:
        signed, self._context = dns.tsig.sign(  # type: ignore[no-untyped-call]
            message, self._made, record, record.time_signed, self._mac, self._context, self._several
        )
        return append(message, self._key.name, signed.to_wire() or b"")


def made(key: Key) -> dns.tsig.Key:
    """The key as dnspython has it."""
    return dns.tsig.Key(_name(key.name), key.secret, _name(parse_name(key.algorithm)))


def _rdata(  # noqa: PLR0917 - the fields in wire order
    key: Key, time_s: int, fudge_s: int, original_id: int, error: int = 0, other: bytes = b""
) -> TSIG:
    algorithm = _name(parse_name(key.algorithm))
    fields = (algorithm, time_s, fudge_s, b"", original_id, error, other)
    return TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, *fields)  # type: ignore[no-untyped-call]


def _name(wire: bytes) -> dns.name.Name:
    return dns.name.from_wire(wire, 0)[0]
