"""Whose addresses answers hold."""

from ipaddress import ip_address

from georouter.analysis.reading import Owners, Reader
from georouter.analysis.said import Said
from georouter.answers.make import make_answer
from georouter.answers.tables import Answer
from georouter.compiler.records import record
from georouter.wire.codes import TYPE_A
from tests.compiler.build import policy, region

PARTS = (
    region("eu", "192.0.2.1", "192.0.2.9"),
    region("us", "192.0.2.3", "192.0.2.9"),
    region("ap", "AP.example.net"),
)
OWNERS = Owners(policy([], [], PARTS))


def answer(*addresses: str) -> Answer:
    """A records."""
    body = b"".join(record(b"\xc0\x0c", TYPE_A, 30, ip_address(text).packed) for text in addresses)
    return make_answer(answers=len(addresses), body=body)


def test_owners() -> None:
    """Bits in the order of the policy; both of a shared address; hostnames in any case."""
    said = Said(("192.0.2.1", "192.0.2.9", "203.0.113.1"), ("ap.example.net", "www.example.com"))
    assert OWNERS.of(said) == (("192.0.2.1", 1), ("192.0.2.9", 3), ("ap.example.net", 4))
    assert OWNERS.named(5) == ("eu", "ap")


def test_strangers_are_addresses_that_no_region_leads_to() -> None:
    """Behind a region's hostname nothing is strange."""
    assert OWNERS.strangers(Said(("192.0.2.1", "203.0.113.1"), ())) == ("203.0.113.1",)
    assert OWNERS.strangers(Said(("203.0.113.1",), ("ap.example.net",))) == ()


def test_outside() -> None:
    """Per answer and mask; a shared address is inside where one of its regions is; kept per table."""
    reader = Reader(OWNERS, (1, 2, 4, 0))
    bodies = (
        answer("192.0.2.1"),
        answer("192.0.2.9"),
        answer("192.0.2.9", "192.0.2.3"),
        answer("203.0.113.1"),
    )
    table = reader.outside(bodies)
    assert table.tolist() == [
        [False, True, True, True],
        [False, False, True, True],
        [True, False, True, True],
        [False, False, False, False],
    ]
    assert reader.outside(bodies) is table
    assert list(reader.strangers) == ["203.0.113.1"]
    for _ in range(200):  # tables are forgotten in time, and read again
        reader.outside((answer("192.0.2.1"),))
    assert reader.outside(bodies).tolist() == table.tolist()


def test_notes() -> None:
    """Shared addresses that fences tell apart, and names that lead elsewhere; only of regions in question."""
    assert OWNERS.notes(7, (7, 1)) == (
        "192.0.2.9 is shared by eu, us, which fences tell apart: it counts as inside",
        "ap is answered as ap.example.net: where that name leads is not proved here",
    )
    assert OWNERS.notes(3, (7, 3)) == ()
