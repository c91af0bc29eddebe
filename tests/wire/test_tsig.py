"""TSIG records as they are read."""

import struct

import pytest

from georouter.wire.codes import RCODE_BADKEY, RCODE_FORMERR, RCODE_NOERROR
from georouter.wire.message import parse_query
from georouter.wire.names import parse_name
from georouter.wire.tsig import ALGORITHMS, Key, find, parse_algorithm, unsigned_error

NAME = parse_name("Key.example")
RDATA = (
    parse_name("HMAC-SHA256")
    + struct.pack("!HIHH", 1, 2, 300, 4)
    + b"mac!"
    + struct.pack("!HHH", 9, 0, 2)
    + b"ot"
)
OPT = b"\0\0\x29\4\xd0\0\0\0\0\0\0"


def record(rdata: bytes = RDATA, head: bytes = b"\0\xff\0\0\0\0", owner: bytes = NAME) -> bytes:
    """A TSIG record."""
    return owner + b"\0\xfa" + head + len(rdata).to_bytes(2) + rdata


def message(*records: bytes, sections: tuple[int, int, int] | None = None) -> bytes:
    """A query for `key.example A` with these records, all additional."""
    counts = sections or (0, 0, len(records))
    return struct.pack("!6H", 7, 0, 1, *counts) + b"\3key\7example\0\0\1\0\1" + b"".join(records)


@pytest.mark.parametrize("before", [(), (OPT,)])
@pytest.mark.parametrize("owner", [NAME, b"\xc0\x0c", b"\3KEY\xc0\x10"])
def test_a_record(before: tuple[bytes, ...], owner: bytes) -> None:
    """Its fields; names in lower case, their compression undone."""
    wire = message(*before, record(owner=owner))
    asked = parse_query(wire)
    assert asked is not None
    assert asked.error == RCODE_NOERROR
    tsig = asked.tsig
    assert tsig is not None
    assert wire[tsig.start :] == record(owner=owner)
    assert (tsig.key, tsig.algorithm) == (NAME.lower(), parse_name("hmac-sha256"))
    assert (tsig.time_s, tsig.fudge_s, tsig.mac) == ((1 << 32) + 2, 300, b"mac!")
    assert (tsig.original_id, tsig.error, tsig.other) == (9, 0, b"ot")


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(message(record(), OPT), id="not last"),
        pytest.param(message(record(), record()), id="two"),
        pytest.param(message(record(), sections=(1, 0, 0)), id="an answer"),
        pytest.param(message(record(), sections=(0, 1, 0)), id="authority"),
        pytest.param(message(record(head=b"\0\1\0\0\0\0")), id="class IN"),
        pytest.param(message(record(head=b"\0\xff\0\0\0\1")), id="with a TTL"),
        pytest.param(message(record(owner=b"\xc0\x40")), id="owner ahead of it"),
        pytest.param(message(record(owner=b"\xc0\x21")), id="owner is itself"),
        pytest.param(message(record(b"")), id="empty"),
        pytest.param(message(record(RDATA[:-1])), id="too short"),
        pytest.param(message(record(RDATA + b"x")), id="too long"),
        pytest.param(message(record(b"\x40" + RDATA[1:])), id="bad algorithm name"),
        pytest.param(message(record(b"\xc0\x0c" + RDATA[13:])), id="compressed algorithm"),
        *(pytest.param(message(record(RDATA[:size])), id=f"cut {size}") for size in range(1, len(RDATA))),
    ],
)
def test_malformed_records(wire: bytes) -> None:
    """FORMERR, and no TSIG to go by."""
    asked = parse_query(wire)
    assert asked is not None
    assert (asked.error, asked.tsig) == (RCODE_FORMERR, None)


def test_finding_a_key() -> None:
    """By its name without case, and its algorithm."""
    asked = parse_query(message(record()))
    assert asked is not None
    assert asked.tsig is not None
    ours, other = (Key(parse_name("key.example"), name, b"s") for name in ("hmac-sha256", "hmac-sha512"))
    assert find(asked.tsig, {ours.name: ours}) is ours
    assert find(asked.tsig, {other.name: other}) is None
    assert find(asked.tsig, {}) is None


def test_an_unsigned_error() -> None:
    """The request's key and time, no MAC, the response's id."""
    asked = parse_query(message(record()))
    assert asked is not None
    assert asked.tsig is not None
    plain = message()
    told = unsigned_error(plain, asked.tsig, RCODE_BADKEY)
    rdata = parse_name("hmac-sha256") + struct.pack("!HIHH", 1, 2, 300, 0) + struct.pack("!HHH", 7, 17, 0)
    assert told == plain[:10] + b"\0\1" + plain[12:] + record(rdata, owner=NAME.lower())


def test_algorithms() -> None:
    """In any case, with or without final dot; md5 and what does not exist are refused with words."""
    assert [parse_algorithm(name.upper() + ".") for name in ALGORITHMS] == list(ALGORITHMS)
    for text, said in (
        ("hmac-md5", "must not be used"),
        ("HMAC-MD5.SIG-ALG.REG.INT.", "must not"),
        ("sha256", "hmac-sha256"),
    ):
        with pytest.raises(ValueError, match=said):
            parse_algorithm(text)
