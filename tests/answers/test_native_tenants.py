"""The native path's table of tenants: whatever is in a directory, it says what Python says."""

import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.native import NativeResponder, available
from georouter.answers.respond import Responder
from georouter.answers.tables import UNKNOWN_NXDOMAIN, Homes, Pin, Snapshot
from georouter.policy.tenants import pack
from tests.answers.ask import NOW, query
from tests.answers.build import Builder, address_answer
from tests.answers.compiled import give_up

if not available():
    give_up()

from georouter.answers.native import use_huge_pages

LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"
MASK = (1 << 64) - 1
MOST_ROWS = 8
"""Rows of a bucket that are compared; one with more is bisected."""
SMAPS, HUGE = Path("/proc/self/smaps"), Path("/sys/kernel/mm/transparent_hugepage")


def stir(value: int) -> int:
    """As `_names.stir`."""
    value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 & MASK
    return value ^ value >> 32


def bucket(label: bytes, bits: int) -> int:
    """Where the native table has a label; so that it can be filled on purpose."""
    octets, value = bytes([len(label)]) + label, 0x9E3779B9
    for at in range(0, len(octets), 8):
        value = stir(value ^ int.from_bytes(octets[at : at + 8], "little"))
    return value >> (64 - bits)


def served(labels: Sequence[bytes]) -> Snapshot:
    """Tenants below app.example.com, each third of which has another answer; others do not exist."""
    made = Builder()
    zone = made.zone("example.com")
    made.static("app.example.com", zone, "TXT", address_answer("192.0.2.9"))
    made.static("*.app.example.com", zone, "A", address_answer("192.0.2.1"))
    snapshot = made.snapshot()
    directory = snapshot.directory
    node = next(node for node, below in enumerate(directory.wildcard) if below >= 0)
    pin = Pin(
        tenants=0,
        label=1,
        parent=len(b"\3app\7example\3com\0"),
        unknown=UNKNOWN_NXDOMAIN,
        homes=Homes(array("Q"), array("Q"), array("I")),
        known=3,
        nxdomain=directory.zones[zone].nxdomain,
        nodata=directory.other[node],
        counter=0,
    )
    packed = pack(labels, [at % 3 for at in range(len(labels))]).tenants
    return replace(snapshot, directory=replace(directory, pins={node: pin}, tenants=(packed,)))


def native(snapshot: Snapshot) -> NativeResponder:
    """A responder that counts for itself."""
    counters = array("q", bytes(8 * snapshot.directory.layout.size))
    return NativeResponder(snapshot, counters, Limits(), Conduct())


def agree(snapshot: Snapshot, labels: Sequence[bytes]) -> tuple[NativeResponder, int]:
    """Both answer the same to each label, whether the worker looked ahead or not; the labels that exist."""
    reference = Responder(snapshot, [0] * snapshot.directory.layout.size, Limits())
    responder = native(snapshot)
    known = 0
    for at, label in enumerate(labels):
        message = query(f"{label.decode()}.app.example.com", edns=at % 2 == 0)
        if at % 3:
            responder.expect(message, at, 4)
        reply = reference.respond(message, at, 4, Proto.UDP, NOW)
        assert reply is not None
        assert responder.respond(message, at, 4, Proto.UDP, NOW) == reply
        known += reply[3] & 0xF == 0
    assert responder.faults == 0
    return responder, known


@cache
def random_labels(count: int) -> list[bytes]:
    """Different ones of all lengths."""
    chance = random.Random(count)
    made: dict[bytes, None] = {}
    while len(made) < count:
        size = chance.choice((1, 2, 6, 7, 8, 9, 15, 16, 17, 31, 62, 63, chance.randrange(1, 64)))
        made[bytes(chance.choices(LETTERS[:36], k=size))] = None
    return list(made)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 5000])
def test_labels_of_all_lengths(count: int) -> None:
    """Each that is there is found, none that is not: nor one that is an octet shorter, longer or other."""
    labels = random_labels(count) if count else []
    few = labels[:700]
    near = [label[:-1] for label in few] + [label + b"x" for label in few if len(label) < 63]
    near += [label[:-1] + b"_" for label in few] + [b"_" + label[1:] for label in few]
    responder, known = agree(served(labels), [*few, *(label for label in near if label), b"stranger"])
    assert known >= len(few)
    assert responder.tables.directory.crowded == 0


@pytest.mark.parametrize(("rows", "crowded"), [(MOST_ROWS, 0), (MOST_ROWS + 1, 1), (60, 1)])
def test_a_bucket_that_somebody_filled(rows: int, crowded: int) -> None:
    """It costs its own labels a bisection, and nobody else anything."""
    bits = 9
    labels = (b"tenant-%d" % number for number in range(300_000))
    filled = list(islice((label for label in labels if bucket(label, bits) == 77), rows + 10))
    inside, outside = filled[:rows], filled[rows:]
    others = [label for label in random_labels(1000) if bucket(label, bits) != 77][: (1 << bits) - rows]
    responder, known = agree(served(inside + others), [*inside, *outside, *others])
    assert known == len(inside) + len(others)
    assert responder.tables.directory.crowded == crowded


def test_what_is_no_label_is_nobodys() -> None:
    """A directory is checked before; what nobody can ask for does no harm."""
    snapshot = served([b"acme", b"globex"])
    (tenants,) = snapshot.directory.tenants
    odd = replace(
        tenants,
        shift=31,
        first=array("I", [0, 3, 3]),
        start=array("I", [0, 0, 4, 104]),
        labels=b"acme" + b"x" * 100,
        kind=array("I", [1, 1, 1]),
    )
    responder = native(replace(snapshot, directory=replace(snapshot.directory, tenants=(odd,))))
    for label, rcode in (("acme", 0), ("x" * 63, 3)):
        reply = responder.respond(query(f"{label}.app.example.com"), 1, 4, Proto.UDP, NOW)
        assert isinstance(reply, bytes)
        assert reply[3] & 0xF == rcode


@pytest.mark.parametrize("start", [[0, 4], [4, 0, 4], [0, 4, 11]])
def test_tenants_that_do_not_fit_together(start: list[int]) -> None:
    """Refused before anybody reads them."""
    snapshot = served([b"acme", b"globex"])
    (tenants,) = snapshot.directory.tenants
    odd = replace(tenants, start=array("I", start))
    with pytest.raises(ValueError, match="tenants"):
        native(replace(snapshot, directory=replace(snapshot.directory, tenants=(odd,))))


# -- huge pages --------------------------------------------------------------------------------


def advised_kib() -> int:
    """Memory of this process that asks for huge pages (proc(5))."""
    total = size = 0
    for line in SMAPS.read_text().splitlines():
        if line.startswith("Size:"):
            size = int(line.split()[1])
        elif line.startswith("VmFlags:") and " hg" in line:
            total += size
    return total


@pytest.fixture
def _as_before() -> Iterator[None]:
    yield
    use_huge_pages(True)


@pytest.mark.skipif(not HUGE.exists(), reason="this kernel has no huge pages to ask for")
@pytest.mark.usefixtures("_as_before")
def test_large_tables_ask_for_huge_pages_unless_told_not_to() -> None:
    """The answers are the same, and the memory is given back."""
    labels = [b"%x" % number for number in range(270_000)]
    snapshot = served(labels)
    asked = [*labels[::900], *(b"%xy" % number for number in range(300))]
    before = advised_kib()
    use_huge_pages(False)
    responder, plain = agree(snapshot, asked)
    assert advised_kib() == before
    use_huge_pages(True)
    responder, huge = agree(snapshot, asked)
    assert plain == huge == 300
    assert advised_kib() - before >= 4096
    assert responder.tables.size >= 4 << 20
    del responder
    assert advised_kib() == before
