"""Signed messages, and transfers.

The first octet says what is done: the rest is the data of a TSIG record, or a message, which is signed here
as the next six octets say (time, fudge, how much of the MAC), with a key of ours or another one, or not at
all. What must hold: never an exception; the error that RFC 8945 5.2 has for each signature, and an answer
that is signed as it says; both ways give the same octets; transfers are messages that dnspython reads.
"""

import hmac
import struct
from collections.abc import Iterator

import dns.exception
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from georouter.answers.layout import Proto
from georouter.answers.outgoing import MESSAGE_SIZE
from georouter.server.source import source_of
from georouter.wire.message import parse_query
from georouter.wire.names import parse_name
from georouter.wire.tsig import parse_tsig
from tests.answers.copying import FRIEND, KEY, ROWS, STRANGER, Primary, transferable
from tests.fuzz.target import About

ABOUT = About(
    longest=500,
    words=(
        b"\0\xfc\0\1",
        b"\0\xfb\0\1",
        b"\7example\3com\0",
        b"\0\6\0\1\0\0\0\0\0\x16\0\0\0\0\0\5" + bytes(16),
        b"\3key\7example\0\0\xfa\0\xff\0\0\0\0\0",
        b"\x0bhmac-sha256\0",
        b"\0\0\x29\x04\xd0\0\0\0\0\0\0",
    ),
    mutations=1500,
)
NOW = 1_760_000_000
MAC, LEAST = 32, 16
FORMERR, NOTAUTH = 1, 9
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22
SIGNED, TCP, ALLOWED, SECRET, NAME, ALGORITHM, UPPER, DATA = (1 << bit for bit in range(8))
"""Bits of the first octet. `SECRET`, `NAME` and `ALGORITHM` are not the key's."""

_ZONE = transferable(serial=7, www="web")
_PRIMARY = Primary(
    _ZONE, versions=[transferable(serial=5, rows=ROWS[:9]), transferable(serial=6, rows=ROWS[3:])]
)
_SHA256 = parse_name("hmac-sha256")


def run(data: bytes) -> None:
    """As the first octet says."""
    how, times, message = data[0] if data else 0, data[1:7].ljust(6, b"\0"), data[7:]
    if how & DATA:
        record(data[1:])
        return
    family, source = source_of(FRIEND if how & ALLOWED else STRANGER)
    proto = Proto.TCP if how & TCP else Proto.UDP
    if not how & SIGNED or len(message) < 12 or message[10:12] == b"\xff\xff":
        reply(message, source, family, proto)
        transfer(message, source, family, b"")
        return
    late, fudge, size = struct.unpack("!hHH", times)
    request, mac = signed(message, how, NOW + late, fudge, size % (MAC + 4))
    answer = reply(request, source, family, proto)
    expected = error_of(how, late, fudge, len(mac))
    asked = parse_query(request)
    if answer is None or asked is None or asked.tsig is None or asked.tsig.start != len(message):
        return  # malformed, perhaps so that the signature is not seen where it begins
    if expected == 0 and not asked.error:
        check_signature(answer, mac)
        transfer(request, source, family, mac)
        return
    if asked.error or asked.opcode or expected == FORMERR:
        return
    assert answer[3] & 0xF == NOTAUTH, (expected, answer)
    assert answer[6:10] == bytes(4)
    tail = answer[answer.rindex(b"\0\xfa\0\xff") :]
    read = parse_tsig(b"\0", 0, tail[2:8], tail[10:])
    assert read is not None
    assert read.error == expected
    assert bool(read.mac) == (expected in (BADTIME, BADTRUNC))


def signed(message: bytes, how: int, time: int, fudge: int, size: int) -> tuple[bytes, bytes]:
    """The message with a TSIG record made by RFC 8945 4.3.3 and 5.1, and its MAC."""
    name = b"\5other\0" if how & NAME else KEY.name
    algorithm = parse_name("hmac-sha512") if how & ALGORITHM else _SHA256
    secret = b"another" if how & SECRET else KEY.secret
    variables = tsig_variables(name, algorithm, time, fudge, 0, b"")
    mac = hmac.digest(secret, message + variables, "sha256")[:size].ljust(min(size, MAC + 3), b"\0")
    if how & UPPER:
        name, algorithm = name.upper(), algorithm.upper()
    rdata = algorithm + struct.pack("!HIHH", time >> 32, time & 0xFFFFFFFF, fudge, len(mac)) + mac
    rdata += message[:2] + bytes(4)
    count = (int.from_bytes(message[10:12]) + 1).to_bytes(2)
    head = struct.pack("!HHIH", 250, 255, 0, len(rdata))
    return message[:10] + count + message[12:] + name + head + rdata, mac


def tsig_variables(  # noqa: PLR0917 - the fields in wire order
    name: bytes, algorithm: bytes, time: int, fudge: int, error: int, other: bytes
) -> bytes:
    """RFC 8945 4.3.3."""
    head = name.lower() + struct.pack("!HI", 255, 0) + algorithm.lower()
    return head + struct.pack("!HIHHH", time >> 32, time & 0xFFFFFFFF, fudge, error, len(other)) + other


def error_of(how: int, late: int, fudge: int, size: int) -> int:
    """What is wrong with a signature, in the order of RFC 8945 5.2."""
    if how & (NAME | ALGORITHM):
        return BADKEY
    if not LEAST <= size <= MAC:
        return FORMERR
    if how & SECRET:
        return BADSIG
    if abs(late) > fudge:
        return BADTIME
    return BADTRUNC if size < MAC else 0


def check_signature(answer: bytes, mac: bytes, before: bytes = b"") -> bytes:
    """That the last record is a TSIG of ours over the rest and the request's MAC; its MAC."""
    assert int.from_bytes(answer[10:12]) > 0
    start = len(answer) - KEY.record_size
    tail = answer[start:]
    assert tail.startswith(KEY.name)
    read = parse_tsig(
        KEY.name, start, tail[len(KEY.name) + 2 : len(KEY.name) + 8], tail[len(KEY.name) + 10 :]
    )
    assert read is not None
    assert (read.error, read.time_s, read.original_id) == (0, NOW, int.from_bytes(answer[:2]))
    bare = answer[:10] + (int.from_bytes(answer[10:12]) - 1).to_bytes(2) + answer[12:start]
    if before:
        timers = struct.pack("!HIH", NOW >> 32, NOW & 0xFFFFFFFF, read.fudge_s)
        told = len(before).to_bytes(2) + before + bare + timers
    else:
        variables = tsig_variables(KEY.name, _SHA256, NOW, read.fudge_s, 0, b"")
        told = len(mac).to_bytes(2) + mac + bare + variables
    assert hmac.digest(KEY.secret, told, "sha256") == read.mac
    return read.mac


def reply(message: bytes, source: int, family: int, proto: Proto) -> bytes | None:
    """The answer, the same both ways."""
    quick = _PRIMARY.responder.respond(message, source, family, proto, NOW)
    careful = _PRIMARY.responder.respond_carefully(message, source, family, proto, NOW)
    assert quick == careful
    if quick is None:
        assert len(message) < 12 or message[2] & 0x80
        return None
    assert quick[:2] == message[:2]
    assert len(quick) <= (65535 if proto is Proto.TCP else 1232)
    return quick


def transfer(message: bytes, source: int, family: int, mac: bytes) -> None:
    """Every message of a transfer, if there is one."""
    outgoing = _PRIMARY.responder.transfer(message, source, family, NOW)
    before = b""
    count = 0
    while outgoing is not None and (sent := outgoing.next(NOW)) is not None:
        count += 1
        assert count < 20
        assert len(sent) <= MESSAGE_SIZE
        assert sent[:2] == message[:2]
        dns.message.from_wire(sent, keyring=False, xfr=True, one_rr_per_rrset=True)
        if mac:
            before = check_signature(sent, mac, before)


def record(rdata: bytes) -> None:
    """The data of a record, read by us and by dnspython."""
    found = parse_tsig(b"\1k\0", 12, b"\0\xff\0\0\0\0", rdata)
    try:
        other = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, rdata, 0, len(rdata))
    except (dns.exception.DNSException, ValueError):
        assert found is None or found.error
        return
    if (
        found is None
    ):  # what dnspython takes beyond us: pointers within the data, response codes there are none of
        return
    assert isinstance(other, dns.rdata.Rdata)
    read = (
        found.algorithm,
        found.time_s,
        found.fudge_s,
        found.mac,
        found.original_id,
        found.error,
        found.other,
    )
    assert read == (
        other.algorithm.to_wire().lower(),  # type: ignore[attr-defined]
        other.time_signed,  # type: ignore[attr-defined]
        other.fudge,  # type: ignore[attr-defined]
        other.mac,  # type: ignore[attr-defined]
        other.original_id,  # type: ignore[attr-defined]
        other.error,  # type: ignore[attr-defined]
        other.other,  # type: ignore[attr-defined]
    )


def seeds() -> Iterator[bytes]:
    """Questions and transfers, signed in every way that is right or wrong."""
    now = struct.pack("!hHH", 0, 300, MAC)
    zone = b"\7example\3com\0"
    head = struct.pack("!6H", 0x1234, 0, 1, 0, 0, 0)
    old = struct.pack("!6H", 0x1234, 0x0100, 1, 0, 1, 0)
    axfr, ixfr = head + zone + b"\0\xfc\0\1", old + zone + b"\0\xfb\0\1" + ABOUT.words[2] + ABOUT.words[3]
    opt = struct.pack("!6H", 0x1234, 0, 1, 0, 0, 1) + b"\1a" + zone + b"\0\1\0\1" + ABOUT.words[6]
    notify = struct.pack("!6H", 1, 0x2400, 1, 0, 0, 0) + zone + b"\0\6\0\1"
    update = struct.pack("!6H", 1, 0x2800, 1, 0, 0, 0) + zone + b"\0\6\0\1"
    for message in (
        axfr,
        ixfr,
        opt,
        notify,
        update,
        head + b"\3www" + zone + b"\0\1\0\1",
        head + b"\0\0\1\0\1",
    ):
        for how in (0, SIGNED, SIGNED | TCP, SIGNED | TCP | ALLOWED | UPPER, ALLOWED | TCP, ALLOWED):
            yield bytes((how,)) + now + message
    for how in (SECRET, NAME, ALGORITHM):
        yield bytes((SIGNED | how,)) + now + opt
    for late, fudge, size in (
        (301, 300, 32),
        (-301, 300, 32),
        (0, 0, 32),
        (0, 300, 16),
        (0, 300, 9),
        (0, 300, 33),
    ):
        yield bytes((SIGNED,)) + struct.pack("!hHH", late, fudge, size) + opt
    data = _SHA256 + struct.pack("!HIHH", 0, NOW, 300, 32) + bytes(32) + bytes(6)
    yield bytes((DATA,)) + data
    yield bytes((DATA,)) + data[:-2] + b"\0\6" + bytes(6)
