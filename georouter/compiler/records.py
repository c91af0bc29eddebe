"""Record bytes inside bodies, and the pool that keeps one copy of every finished answer."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from georouter.answers.make import make_answer
from georouter.answers.tables import Answer
from georouter.policy.model import RecordSet, Soa, Zone
from georouter.policy.packed import PackedRecords, split
from georouter.wire.codes import RCODE_NOERROR, TYPE_SOA
from georouter.wire.names import parse_name
from georouter.wire.rdata import soa_rdata
from georouter.words.errors import Diagnostic, PolicyError

QUESTION = b"\xc0\x0c"
"""Owner "same as the question": a compression pointer to offset 12 (RFC 1035 4.1.4)."""

MAX_BODY = 65535 - 12 - 259 - 512
"""What fits into the largest message beside header, the longest question and the EDNS options."""


def record(owner: bytes, type: int, ttl_s: int, rdata: bytes) -> bytes:  # noqa: A002 - the record's word
    """One resource record of class IN (RFC 1035 4.1.3)."""
    return owner + struct.pack("!HHIH", type, 1, ttl_s, len(rdata)) + rdata


def record_set(owner: bytes, records: RecordSet) -> bytes:
    """All records of a set, one behind the other."""
    return b"".join(record(owner, records.type, records.ttl_s, rdata) for rdata in records.rdatas)


def packed_set(owner: bytes, packed: PackedRecords, index: int) -> tuple[bytes, int]:
    """As `record_set` for a packed one, and how many records it has."""
    head = owner + struct.pack("!HHI", packed.type(index), 1, packed.ttl_s(index))
    records = packed.records(index)
    if 2 + (records[0] << 8 | records[1]) == len(records):
        return head + records, 1
    parts = [head + len(rdata).to_bytes(2) + rdata for rdata in split(records)]
    return b"".join(parts), len(parts)


def soa_data(soa: Soa, serial: int) -> bytes:
    """The data of a zone's SOA record. Its MINIMUM field is the negative TTL (RFC 2308 4)."""
    return soa_rdata(
        parse_name(soa.mname),
        parse_name(soa.rname),
        serial,
        soa.refresh_s,
        soa.retry_s,
        soa.expire_s,
        soa.negative_ttl_s,
    )


@dataclass(frozen=True, slots=True)
class Authority:
    """What a zone says when there is nothing to say: its SOA, for negative answers.

    `ttl_s` is the lesser of the SOA's own TTL and its MINIMUM (RFC 2308 5).
    """

    apex: bytes
    soa: bytes
    """The SOA's data."""
    ttl_s: int

    def record(self, most_s: int | None = None) -> bytes:
        """The SOA record for an authority section, cached no longer than `most_s` where that is given."""
        ttl_s = self.ttl_s if most_s is None else min(self.ttl_s, most_s)
        return record(self.apex, TYPE_SOA, ttl_s, self.soa)


def authority(zone: Zone, serial: int) -> Authority:
    """The negative authority of `zone`."""
    return Authority(zone.apex, soa_data(zone.soa, serial), min(zone.soa.ttl_s, zone.soa.negative_ttl_s))


@dataclass(slots=True)
class Pool:
    """Finished answers without duplicates; `add` gives the index."""

    answers: list[Answer] = field(default_factory=list)
    _known: dict[tuple[int, bool, int, int, int], dict[bytes, int]] = field(default_factory=dict)
    """By everything but the body, then by body: no key of their own for a million answers."""

    def add(
        self,
        body: bytes,
        *,
        rcode: int = RCODE_NOERROR,
        authoritative: bool = True,
        answers: int = 0,
        authorities: int = 0,
        additional: int = 0,
        least: Answer | None = None,
    ) -> int:
        """Index of the answer with this content. Raises PolicyError when no message can hold it."""
        known = self._known.setdefault((rcode, authoritative, answers, authorities, additional), {})
        index = known.get(body)
        if index is None:
            refuse_oversize((body,))
            index = known[body] = len(self.answers)
            self.answers.append(
                make_answer(
                    rcode=rcode,
                    authoritative=authoritative,
                    answers=answers,
                    authority=authorities,
                    additional=additional,
                    body=body,
                    least=least,
                )
            )
        return index


def refuse_oversize(bodies: Iterable[bytes]) -> None:
    """PolicyError when a body is larger than any DNS message."""
    for body in bodies:
        if len(body) > MAX_BODY:
            raise PolicyError(
                [
                    Diagnostic(
                        "policy",
                        0,
                        0,
                        "",
                        f"{len(body)} octets of records under one name do not fit into a DNS message",
                    )
                ]
            )
