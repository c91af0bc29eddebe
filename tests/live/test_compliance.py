"""RFC 8906 section 8: every query that its compliance tests send, and all combinations of what varies."""

import itertools
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from tests.live.differential.replies import exchange

pytestmark = pytest.mark.live

ZONE = b"\7example\3com\0"
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
"""Header flags (RFC 1035 4.1.1, RFC 4035 3)."""
SOA, TXT, TYPE1000 = 6, 16, 1000
NOERROR, NOTIMP, BADVERS = dns.rcode.NOERROR, dns.rcode.NOTIMP, dns.rcode.BADVERS
DO, MBZ = 0x8000, 0x40
"""EDNS flags: the one that is defined, and the one that the RFC tests as undefined."""
PAYLOAD = 1232

UNKNOWN = struct.pack("!HH", 100, 0)
COOKIE = struct.pack("!HH", 10, 8) + bytes(range(8))
NSID, EXPIRE = struct.pack("!HH", 3, 0), struct.pack("!HH", 9, 0)
SUBNET = struct.pack("!HH", 8, 4) + b"\0\1\0\0"
SEVERAL = COOKIE + NSID + EXPIRE + SUBNET
"""dig's +cookie +nsid +expire +subnet=0.0.0.0/0."""
MAY_ANSWER = {3, 8, 9, 10, 15}
"""Options that a response may hold: those asked for here, and extended errors."""


@dataclass(frozen=True)
class Edns:
    """An OPT record."""

    version: int = 0
    flags: int = 0
    options: bytes = b""
    payload: int = PAYLOAD

    def wire(self) -> bytes:
        """Of the additional section."""
        ttl = self.version << 16 | self.flags
        return b"\0" + struct.pack("!HHIH", 41, self.payload, ttl, len(self.options)) + self.options


@dataclass(frozen=True)
class Query:
    """A query for the zone's apex, or for `name`; without a question where `header_only`."""

    type: int = SOA
    flags: int = 0
    opcode: int = 0
    edns: Edns | None = None
    header_only: bool = False
    name: bytes = ZONE

    def wire(self) -> bytes:
        """The whole message."""
        question = b"" if self.header_only else self.name + struct.pack("!HH", self.type, 1)
        opt = self.edns.wire() if self.edns else b""
        head = struct.pack("!6H", 7, self.opcode << 11 | self.flags, not self.header_only, 0, 0, bool(opt))
        return head + question + opt


RECORDS = (
    f"fits: {{TXT: {'x' * 464}}}",
    f"over: {{TXT: {'x' * 465}}}",
    f"room: {{TXT: {'x' * 453}}}",
    f"fits-edns: {{TXT: {'x' * 1165}}}",
    f"over-edns: {{TXT: {'x' * 1166}}}",
    "many: {TXT: [" + ", ".join(f'"{number:02} {"x" * 180}"' for number in range(20)) + "]}",
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """With records whose answers fill what clients can take to the octet, and one octet more."""
    with Daemon(tmp_path_factory.mktemp("daemon"), three_regions(records=RECORDS)) as running:
        yield running


def asked(daemon: Daemon, query: Query, *, tcp: bool = False) -> bytes:
    """The answer's octets."""
    ((reply,),) = exchange([daemon.address], [query.wire()], tcp=tcp)
    return reply


def judge(query: Query, reply: bytes) -> None:
    """What RFC 8906 8 expects of an answer to any of these queries."""
    flags, *counts = struct.unpack("!5H", reply[2:12])
    assert flags >> 11 & 0xF == query.opcode
    assert flags & QR
    assert not flags & (RA | Z | AD | CD | TC), hex(flags)
    assert flags & RD == (0 if query.opcode else query.flags & RD)
    if query.opcode:
        assert flags & 0xF == NOTIMP
        assert not flags & AA
        assert counts[1:3] == [0, 0]
        return
    read = dns.message.from_wire(reply)
    assert (read.edns >= 0) == (query.edns is not None)
    if query.edns is not None:
        assert (read.edns, read.payload) == (0, PAYLOAD)
        assert read.ednsflags & 0xFFFF == query.edns.flags & DO
        assert {option.otype for option in read.options} <= MAY_ANSWER
    if query.edns is not None and query.edns.version:
        assert read.rcode() == BADVERS
        assert not flags & AA
        assert not read.answer
        assert not read.authority
        return
    assert read.rcode() == NOERROR
    assert flags & AA
    held = read.answer if query.type == SOA else read.authority
    assert [rrset.rdtype for rrset in held] == [dns.rdatatype.SOA]
    assert bool(read.answer) == (query.type == SOA)
    subnets = [option for option in read.options if isinstance(option, dns.edns.ECSOption)]
    wanted = query.edns is not None and SUBNET in query.edns.options
    assert [(item.srclen, item.scopelen) for item in subnets] == ([(0, 0)] if wanted else [])


@pytest.mark.parametrize(
    ("query", "tcp"),
    [
        pytest.param(Query(), False, id="8.1.1 is the server configured for the zone"),
        pytest.param(Query(TYPE1000), False, id="8.1.2 unknown types"),
        pytest.param(Query(flags=CD), False, id="8.1.3.1 CD=1"),
        pytest.param(Query(flags=AD), False, id="8.1.3.2 AD=1"),
        pytest.param(Query(flags=Z), False, id="8.1.3.3 the reserved bit"),
        pytest.param(Query(flags=RD), False, id="8.1.3.4 RD=1"),
        pytest.param(Query(opcode=15, header_only=True), False, id="8.1.4 unknown opcodes"),
        pytest.param(Query(), True, id="8.1.5 TCP"),
        pytest.param(Query(edns=Edns()), False, id="8.2.1 minimal EDNS"),
        pytest.param(Query(edns=Edns(version=1)), False, id="8.2.2 version negotiation"),
        pytest.param(Query(edns=Edns(options=UNKNOWN)), False, id="8.2.3 unknown options"),
        pytest.param(Query(edns=Edns(flags=MBZ)), False, id="8.2.4 unknown flags"),
        pytest.param(Query(edns=Edns(version=1, flags=MBZ)), False, id="8.2.5 version 1, unknown flags"),
        pytest.param(
            Query(edns=Edns(version=1, options=UNKNOWN)), False, id="8.2.6 version 1, unknown options"
        ),
        pytest.param(Query(edns=Edns(flags=DO)), False, id="8.2.8 DO=1"),
        pytest.param(Query(edns=Edns(version=1, flags=DO)), False, id="8.2.9 version 1, DO=1"),
        pytest.param(Query(edns=Edns(options=SEVERAL)), False, id="8.2.10 several defined options"),
    ],
)
def test_the_compliance_tests(daemon: Daemon, query: Query, tcp: bool) -> None:
    """RFC 8906 8.1 and 8.2, one by one; 8.2.7 is below."""
    judge(query, asked(daemon, query, tcp=tcp))


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_every_combination(daemon: Daemon, tcp: bool) -> None:
    """Header bits, type, opcode, EDNS version, flags and options, each with each."""
    header = [sum(bits) for bits in itertools.product((0, RD), (0, Z), (0, AD), (0, CD))]
    edns = [
        Edns(version, flags, options)
        for version in (0, 1, 255)
        for flags in (0, MBZ, DO, 0x7FFF, 0xFFFF)
        for options in (b"", UNKNOWN, SEVERAL, UNKNOWN + SEVERAL + UNKNOWN)
    ]
    queries = [
        Query(kind, flags, opcode, opt)
        for kind in (SOA, TYPE1000)
        for flags in header
        for opcode in (0, 15)
        for opt in (None, *edns)
    ]
    (replies,) = exchange([daemon.address], [query.wire() for query in queries], tcp=tcp)
    for query, reply in zip(queries, replies, strict=True):
        judge(query, reply)


@pytest.mark.parametrize("opcode", [1, 2, 3, *range(6, 16)])
@pytest.mark.parametrize("edns", [None, Edns(), Edns(version=1)], ids=["plain", "edns", "edns1"])
def test_opcodes_without_a_meaning(daemon: Daemon, opcode: int, edns: Edns | None) -> None:
    """RFC 8906 3.1.4: NOTIMP, with a question or without."""
    for header_only in (False, True):
        query = Query(opcode=opcode, edns=edns, header_only=header_only)
        judge(query, asked(daemon, query))


@pytest.mark.parametrize(
    ("label", "edns", "size"),
    [
        pytest.param(b"many", Edns(flags=DO, payload=512), None, id="8.2.7 truncated responses"),
        pytest.param(b"many", None, None, id="without EDNS"),
        pytest.param(b"many", Edns(payload=65535), None, id="past our own limit"),
        pytest.param(b"fits", None, 512, id="512 octets"),
        pytest.param(b"over", None, None, id="513 octets"),
        pytest.param(b"over", Edns(payload=524), 524, id="513 octets and OPT, and a client that takes them"),
        pytest.param(b"fits", Edns(payload=511), None, id="OPT takes the room"),
        pytest.param(b"fits-edns", Edns(payload=4096), PAYLOAD, id="1232 octets"),
        pytest.param(b"over-edns", Edns(payload=4096), None, id="1233 octets"),
        pytest.param(b"fits-edns", Edns(payload=1231), None, id="one octet too many for the client"),
    ],
)
def test_truncation(daemon: Daemon, label: bytes, edns: Edns | None, size: int | None) -> None:
    """TC where the answer does not fit, and only there, with the OPT record; everything over TCP."""
    query = Query(TXT, edns=edns, name=bytes((len(label),)) + label + ZONE)
    reply = asked(daemon, query)
    read = dns.message.from_wire(reply)
    assert read.rcode() == NOERROR
    assert read.flags & AA
    assert (read.edns == 0) == (edns is not None)
    assert bool(read.ednsflags & DO) == (edns is not None and edns.flags == DO)
    assert bool(read.flags & TC) == (size is None)
    assert bool(read.answer) == (size is not None)
    assert size is None or len(reply) == size
    assert len(reply) <= max(512, min(edns.payload if edns else 512, PAYLOAD))
    whole = dns.message.from_wire(asked(daemon, query, tcp=True))
    assert not whole.flags & TC
    assert len(whole.answer[0]) == (20 if label == b"many" else 1)


@pytest.mark.parametrize("payload", [0, 1, 511, 512])
def test_small_payloads_count_as_512(daemon: Daemon, payload: int) -> None:
    """RFC 6891 6.2.3: with OPT 512 octets come, and 523 do not."""
    reply = asked(daemon, Query(TXT, edns=Edns(payload=payload), name=b"\4room" + ZONE))
    assert len(reply) == 512
    assert dns.message.from_wire(reply).answer
    reply = asked(daemon, Query(TXT, edns=Edns(payload=payload), name=b"\4fits" + ZONE))
    assert dns.message.from_wire(reply).flags & TC


def test_two_opt_records(daemon: Daemon) -> None:
    """RFC 6891 6.1.1: FORMERR, with an OPT record of ours."""
    wire = bytearray(Query(edns=Edns()).wire() + Edns().wire())
    wire[11] = 2
    ((reply,),) = exchange([daemon.address], [bytes(wire)], tcp=False)
    read = dns.message.from_wire(reply)
    assert (read.rcode(), read.edns) == (dns.rcode.FORMERR, 0)


def test_what_must_not_be_answered(daemon: Daemon) -> None:
    """Responses, and less than a header: silence, or two servers could talk for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(daemon.address)
        client.settimeout(5)
        for octets in (Query(flags=QR).wire(), Query().wire()[:11], b"", Query(opcode=15, flags=QR).wire()):
            client.send(octets)
        last = Query(flags=RD).wire()
        client.send(b"\x12\x34" + last[2:])
        assert client.recv(4096)[:2] == b"\x12\x34"
