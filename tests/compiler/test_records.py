import pytest

from georouter.compiler.records import MAX_BODY, Pool, authority, record, record_set
from georouter.policy.model import RecordSet
from georouter.words.errors import PolicyError
from tests.compiler.build import zone


def test_record_bytes() -> None:
    """RFC 1035 4.1.3: owner, type, class IN, TTL, length, data."""
    assert record(b"\0", 1, 60, b"\x01\x02\x03\x04") == b"\0\0\x01\0\x01\0\0\0\x3c\0\x04\x01\x02\x03\x04"
    both = record_set(b"\0", RecordSet(b"\0", 16, 1, (b"\x01a", b"\x01b")))
    assert both == record(b"\0", 16, 1, b"\x01a") + record(b"\0", 16, 1, b"\x01b")


def test_authority_may_be_cached_shorter_never_longer() -> None:
    """A limit lowers the TTL of a negative answer, and never raises it."""
    held = authority(zone("example.com"), 1)
    assert held.ttl_s == 60
    assert held.record(30) == record(held.apex, 6, 30, held.soa)
    assert held.record(90) == held.record() == record(held.apex, 6, 60, held.soa)


def test_pool_keeps_one_of_each() -> None:
    """Equal content has one index; another rcode or section count is another answer."""
    pool = Pool()
    first = pool.add(b"x", answers=1)
    assert pool.add(b"x", answers=1) == first
    assert pool.add(b"x", authorities=1) != first
    assert pool.add(b"x", answers=1, rcode=3) != first
    assert len(pool.answers) == 3


def test_what_no_message_holds_is_refused() -> None:
    """More records than 64 KiB is the operator's problem, said at compile time."""
    with pytest.raises(PolicyError, match="do not fit into a DNS message"):
        Pool().add(bytes(MAX_BODY + 1))
