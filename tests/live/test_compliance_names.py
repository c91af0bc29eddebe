"""RFC 8906 section 8 for every kind of zone and name: what a query carries round its question changes
nothing in the answer, and `dig` sees what the RFC's own commands expect.
"""

import itertools
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from georouter.wire.names import parse_name
from tests.live.differential.replies import Reply, exchange, read
from tests.live.test_compliance import (
    AA,
    AD,
    CD,
    DO,
    MAY_ANSWER,
    MBZ,
    PAYLOAD,
    RD,
    SEVERAL,
    TYPE1000,
    UNKNOWN,
    Edns,
    Query,
    Z,
)

pytestmark = pytest.mark.live

RECORDS = (
    "'@': {service: web}",
    "plain: {A: 192.0.2.60, TXT: x}",
    "'*.wild': {A: 192.0.2.61}",
    "'*.steered': {service: web}",
    "alias: {CNAME: plain}",
    "to-web: {CNAME: www}",
    "away: {CNAME: www.elsewhere.test.}",
    "d: {DNAME: wild}",
    "a.ent: {A: 192.0.2.62}",
    "cut: {NS: [ns.cut, ns1], DS: '1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}",
    "ns.cut: {A: 192.0.2.63}",
    "svc: {HTTPS: '1 . alpn=h2', A: 192.0.2.64}",
)
FILE = """\
$TTL 5m
@ SOA ns1.example.com. hostmaster.example.com. 1 3600 900 1209600 60
@ NS ns1.example.com.
$GENERATE 1-3 host$ A 192.0.2.$
*.wild TXT "x"
cut NS ns1.elsewhere.test.
alias CNAME host1
"""
SOA, A, TXT, DS, HTTPS = (dns.rdatatype.from_text(kind) for kind in ("SOA", "A", "TXT", "DS", "HTTPS"))
NAMES = (
    ("example.com", A),
    ("example.com", SOA),
    ("plain.example.com", A),
    ("plain.example.com", DS),
    ("any.wild.example.com", A),
    ("missing.example.com", A),
    ("ent.example.com", A),
    ("www.example.com", A),
    ("any.steered.example.com", A),
    ("alias.example.com", A),
    ("to-web.example.com", A),
    ("away.example.com", A),
    ("x.d.example.com", A),
    ("cut.example.com", A),
    ("cut.example.com", DS),
    ("below.cut.example.com", TXT),
    ("svc.example.com", HTTPS),
    ("file.test", SOA),
    ("host2.file.test", A),
    ("any.wild.file.test", TXT),
    ("below.cut.file.test", A),
    ("alias.file.test", A),
    ("missing.file.test", A),
    ("inner.file.test", SOA),
    ("www.inner.file.test", A),
    ("outside.test", A),
)
"""Static, steered, delegated, redirected, from files, nested, and not ours."""

ZONES = ("example.com", "file.test", "inner.file.test")
EDNS0 = "+nocookie +edns=0 +noad +norec"
EDNS1 = "+nocookie +edns=1 +noednsneg +noad +norec"
PLAIN = "+noedns +noad +norec"


@dataclass(frozen=True)
class Command:
    """One of section 8's, without zone and server. `soa`: is the record in the answer? `never` is not."""

    section: str
    words: str
    never: str
    status: str = "NOERROR"
    soa: bool = True

    def __str__(self) -> str:
        return self.section


COMMANDS = (
    Command("8.1.1", f"{PLAIN} soa", "PSEUDOSECTION"),
    Command("8.1.2", f"{PLAIN} type1000", "PSEUDOSECTION", soa=False),
    Command("8.1.3.1", f"{PLAIN} +cd soa", " cd"),
    Command("8.1.3.2", "+noedns +norec +ad soa", " ad"),
    Command("8.1.3.3", f"{PLAIN} +zflag soa", "MBZ"),
    Command("8.1.3.4", "+noedns +noad +rec soa", " ra"),
    Command("8.1.4", f"{PLAIN} +opcode=15 +header-only", " aa", "NOTIMP", soa=False),
    Command("8.1.5", f"{PLAIN} +tcp soa", "PSEUDOSECTION"),
    Command("8.2.1", f"{EDNS0} soa", "MBZ"),
    Command("8.2.2", f"{EDNS1} soa", " aa", "BADVERS", soa=False),
    Command("8.2.3", f"{EDNS0} +ednsopt=100 soa", "OPT=100"),
    Command("8.2.4", f"{EDNS0} +ednsflags=0x40 soa", "MBZ"),
    Command("8.2.5", f"{EDNS1} +ednsflags=0x40 soa", "MBZ", "BADVERS", soa=False),
    Command("8.2.6", f"{EDNS1} +ednsopt=100 soa", "OPT=100", "BADVERS", soa=False),
    Command("8.2.7", "+norec +dnssec +bufsize=512 +ignore dnskey", " ra", soa=False),
    Command("8.2.8", f"{EDNS0} +dnssec soa", "MBZ"),
    Command("8.2.9", f"{EDNS1} +dnssec soa", " aa", "BADVERS", soa=False),
    Command("8.2.10", "+edns=0 +noad +norec +cookie +nsid +expire +subnet=0.0.0.0/0 soa", "MBZ"),
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Three zones: in the policy, from a file, and inside that one."""
    folder = tmp_path_factory.mktemp("daemon")
    (folder / "file.zone").write_text(FILE)
    inner = "  inner.file.test: {ns: [ns1.example.com], records: {www: {service: web}}}\n"
    policy = three_regions(records=RECORDS) + "  file.test: {file: file.zone}\n" + inner
    with Daemon(folder, policy) as running:
        yield running


def content(reply: Reply) -> tuple[object, ...]:
    """All but the envelope; a steered set is one of several, but the same for one resolver."""
    return reply.rcode, "AA" in reply.flags, reply.answer, reply.authority, reply.additional


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_the_envelope_changes_nothing(daemon: Daemon, tcp: bool) -> None:
    """Header bits, EDNS version, flags and options in all combinations, for names of every kind."""
    envelopes = [
        (flags, opt)
        for flags in (0, RD | Z | AD | CD)
        for opt in (
            None,
            *(
                Edns(version, bits, options)
                for version, bits, options in itertools.product(
                    (0, 1, 255), (0, MBZ, DO, 0xFFFF), (b"", UNKNOWN, SEVERAL)
                )
            ),
        )
    ]
    queries = [
        Query(kind, flags, edns=opt, name=parse_name(name))
        for name, own in NAMES
        for kind in (own, TYPE1000)
        for flags, opt in envelopes
    ]
    (replies,) = exchange([daemon.address], [query.wire() for query in queries], tcp=tcp)
    expected: tuple[object, ...] = ()
    for query, wire in zip(queries, replies, strict=True):
        reply = read(wire)
        (sent,) = struct.unpack("!H", wire[2:4])
        assert not sent & (Z | AD | CD | 0x80), query
        assert sent & RD == query.flags & RD, query
        if query.edns is None:
            assert reply.edns is None, query
            if query.flags == 0:
                expected = content(reply)
        else:
            assert reply.edns == (0, PAYLOAD, bool(query.edns.flags & DO)), query
            assert {option.otype for option in dns.message.from_wire(wire).options} <= MAY_ANSWER, query
        if query.edns is not None and query.edns.version:
            assert content(reply) == ("BADVERS", False, frozenset(), frozenset(), frozenset()), query
        else:
            assert content(reply) == expected, query


def test_unknown_opcodes_of_every_name(daemon: Daemon) -> None:
    """NOTIMP, without AA and records, whatever is asked for."""
    queries = [
        Query(kind, opcode=opcode, edns=opt, name=parse_name(name))
        for name, kind in NAMES
        for opcode in (1, 2, 3, 6, 7, 14, 15)
        for opt in (None, Edns(), Edns(version=1), Edns(options=SEVERAL))
    ]
    (replies,) = exchange([daemon.address], [query.wire() for query in queries], tcp=False)
    for query, reply in zip(queries, replies, strict=True):
        flags, *counts = struct.unpack("!5H", reply[2:12])
        assert flags & 0xF == dns.rcode.NOTIMP, query
        assert flags >> 11 & 0xF == query.opcode, query
        assert not flags & AA, query
        assert counts[1:3] == [0, 0], query
        assert counts[3] == (query.edns is not None), query


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_the_commands(daemon: Daemon, need: Callable[[str], str], zone: str, command: Command) -> None:
    """As they stand there, with `dig`, for every zone."""
    host, port = daemon.address
    words = command.words.split()
    asked = [] if "+header-only" in words else [zone]
    line = [need("dig"), f"@{host}", "-p", str(port), "+tries=1", "+time=5", *words, *asked]
    said = subprocess.run(line, capture_output=True, text=True, check=True, timeout=30).stdout
    flags = next(line for line in said.splitlines() if line.startswith(";; flags:"))
    assert f"status: {command.status}" in said, said
    assert (" aa" in flags) == (command.status == "NOERROR"), said
    assert (" rd" in flags) == ("+rec" in words), said
    assert command.never not in (flags if command.never.startswith(" ") else said), said
    records = [line for line in said.splitlines() if line.startswith(f"{zone}.") and "SOA" in line]
    assert ("ANSWER: 1" in flags) == command.soa, said
    assert bool(records) == (command.status == "NOERROR"), said
    assert ("PSEUDOSECTION" in said) == ("+noedns" not in words), said
    if "+noedns" not in words:
        assert "EDNS: version: 0" in said
        assert (" do;" in said) == ("+dnssec" in words)
