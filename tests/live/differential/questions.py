"""Questions about the names of a policy: what exists, what is near to it, what is not there."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import dns.flags
import dns.message
import dns.name
import dns.rdatatype

from georouter.policy.model import Policy
from georouter.wire.codes import TYPE_ANY, TYPE_CNAME, TYPE_DNAME, TYPE_NS, TYPE_OPT
from georouter.wire.names import join, labels, parent
from georouter.wire.rdata import name_in_rdata

DATA = (
    *(number for number in range(1, 128) if number != TYPE_OPT),
    *range(256, 263),
    731,
    1234,
    65280,
    65281,
)
"""Types that a zone may hold (RFC 6895 3.1), known to anybody or not."""
TYPES = tuple(dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number)) for number in (*DATA, TYPE_ANY))
FREQUENT = ("A", "A", "AAAA", "HTTPS", "TXT", "MX", "NS", "SOA", "DS", "CNAME", "ANY", "TYPE65280")
LABELS = (b"*", b"a", b"b", b"www", b"mail", b"ns1", b"no.such", b"\0", b"_tcp", b"x" * 63)
PAYLOADS = (None, None, 512, 1232, 1232, 4096, 300)
"""EDNS payload sizes; None is a question without EDNS."""
META = (
    "AXFR",
    "IXFR",
    "MAILA",
    "MAILB",
    "NXNAME",
    "TYPE129",
    "TYPE254",
    "TYPE0",
    "OPT",
    "TKEY",
    "TSIG",
    "TYPE65535",
)
"""What is no data of any zone (RFC 6895 3.1), and the last type there is."""
CLASSES = ("CH", "HS", "ANY", "NONE", "CLASS65280")
BULKY = 180
"""Octets of record data from which on different sizes are tried."""
SIZES = 4
MAX_NAME = 255
WILDCARD = b"\1*"


@dataclass(frozen=True, slots=True)
class Question:
    """One question and how it is put."""

    name: str
    type: str
    payload: int | None
    dnssec: bool
    tcp: bool
    klass: str = "IN"

    def wire(self) -> bytes:
        """As dnspython writes it."""
        message = dns.message.make_query(
            self.name,
            self.type,
            self.klass,
            use_edns=False if self.payload is None else 0,
            payload=self.payload or 0,
            want_dnssec=self.dnssec and self.payload is not None,
        )
        message.flags = 0
        return message.to_wire()

    def __str__(self) -> str:
        how = "" if self.payload is None else f" +bufsize={self.payload}{' +dnssec' if self.dnssec else ''}"
        klass = "" if self.klass == "IN" else f" {self.klass}"
        return f"{self.name}{klass} {self.type}{how}{' +tcp' if self.tcp else ''}"


def questions(policy: Policy, seed: int, count: int) -> Iterator[Question]:
    """First every name with every type that it has, then at random."""
    chance = random.Random(seed)
    names = sorted(known(policy))
    for zone in policy.zones.values():
        yield put(zone.apex, "DS", chance)
        for records in zone.records:
            yield put(records.owner, dns.rdatatype.to_text(records.type), chance)
            yield put(records.owner, "ANY", chance)
            if records.owner[:2] == WILDCARD:
                yield put(b"\1x" + parent(records.owner), "A", chance)
            if records.type == TYPE_DNAME:
                for first in (b"\4host", b"\1a", b"\1x\1y", b"\3www", b"\1*", b"\x3f" + b"y" * 63):
                    yield from (
                        put(first + records.owner, kind, chance) for kind in ("A", "TXT", "DS", "ANY")
                    )
            if records.type == TYPE_CNAME:
                yield from (put(records.owner, kind, chance) for kind in ("A", "NSEC", "NSEC3"))
            if sum(map(len, records.rdatas)) > BULKY:
                yield from sizes(records.owner, records.type, chance)
        for steered in zone.steered:
            for kind in ("A", "AAAA", "HTTPS", "SVCB", "ANY", "MX"):
                yield put(steered.owner, kind, chance)
        for kind in META:
            yield put(zone.apex, kind, chance)
        for klass in CLASSES:
            yield from (
                replace(put(zone.apex, kind, chance), klass=klass) for kind in ("A", "SOA", "ANY", "TXT")
            )
    for _ in range(count):
        name = near(chance.choice(names), names, chance)
        yield put(name, chance.choice(FREQUENT if chance.random() < 0.7 else TYPES), chance)


def sizes(owner: bytes, kind: int, chance: random.Random) -> Iterator[Question]:
    """Answers that may not fit, to clients that can take this and that much."""
    name = b"\1x" + parent(owner) if owner[:2] == WILDCARD else owner
    for payload in (None, 512, *(chance.randrange(512, 4097) for _ in range(SIZES))):
        asked = put(name, dns.rdatatype.to_text(dns.rdatatype.RdataType.make(kind)), chance)
        yield replace(asked, payload=payload, tcp=False)
        below = put(b"\3www" + name, "A", chance)
        if kind == TYPE_NS and payload is not None:
            yield replace(below, payload=payload, tcp=False)


def known(policy: Policy) -> set[bytes]:
    """All names that the policy mentions, those that its records lead to among them."""
    found: set[bytes] = {b"\3org\0", b"\0"}
    for zone in policy.zones.values():
        found.add(zone.apex)
        for records in zone.records:
            found.add(records.owner)
            found.update(name for rdata in records.rdatas if (name := name_in_rdata(records.type, rdata)))
        found.update(steered.owner for steered in zone.steered)
    return found


def near(name: bytes, names: Sequence[bytes], chance: random.Random) -> bytes:
    """The name itself, one above, below or beside it."""
    match chance.randrange(8):
        case 0 if name != b"\0":
            near_by = parent(name)
        case 1:
            near_by = join((label(names, chance), *labels(name)))
        case 2:
            near_by = join((label(names, chance), label(names, chance), *labels(name)))
        case 3 if name != b"\0":
            near_by = join((label(names, chance), *labels(parent(name))))
        case 4 if name[:2] == WILDCARD:
            near_by = join((label(names, chance), *labels(parent(name))))
        case _:
            near_by = name
    return near_by if len(near_by) <= MAX_NAME else name


def label(names: Sequence[bytes], chance: random.Random) -> bytes:
    """A common label, one that is in use somewhere, or noise.

    In noise there is no zero octet: Knot 3.2 takes one for the border between two labels.
    """
    match chance.randrange(3):
        case 0:
            return chance.choice(LABELS)
        case 1:
            return chance.choice(labels(chance.choice(names)) or (b"com",))
        case _:
            return bytes(chance.choices(b"abc-_*.\\ 0\xff\x01AZ", k=chance.randrange(1, 5)))


def put(name: bytes, kind: str, chance: random.Random) -> Question:
    """In some mix of upper and lower case, over some transport, with or without EDNS."""
    text = dns.name.from_wire(mixed(name, chance), 0)[0].to_text()
    return Question(text, kind, chance.choice(PAYLOADS), chance.random() < 0.3, chance.random() < 0.25)


def mixed(name: bytes, chance: random.Random) -> bytes:
    """Some letters of a wire name in the other case. Length octets are no letters: all are below 64."""
    if chance.random() < 0.3:
        return name
    return bytes(
        octet ^ 0x20 if chr(octet).isalpha() and octet < 128 and chance.random() < 0.5 else octet
        for octet in name
    )
