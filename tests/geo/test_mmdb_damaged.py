import random
from contextlib import suppress
from typing import Any

import pytest

from georouter.geo.asn import AsnMap
from georouter.geo.map import GeoMap
from georouter.geo.mmdb import METADATA_MARKER, read, read_asn
from tests.geo.records import LONDON, WORLD
from tests.geo.writer import ALIASES, encode, write

SOUND = write(WORLD, aliases=ALIASES)

METADATA: dict[str, Any] = {
    "binary_format_major_version": 2,
    "binary_format_minor_version": 0,
    "build_epoch": 1,
    "database_type": "x",
    "description": {},
    "ip_version": 4,
    "languages": [],
    "node_count": 1,
    "record_size": 24,
}


def assemble(table: bytes, data: bytes, **metadata: object) -> bytes:
    """A file from its parts."""
    return table + bytes(16) + data + METADATA_MARKER + encode(METADATA | metadata)


def node(left: int, right: int) -> bytes:
    """A node of 24-bit records."""
    return left.to_bytes(3, "big") + right.to_bytes(3, "big")


@pytest.mark.parametrize("fiftieth", range(50))
def test_truncated_anywhere(fiftieth: int) -> None:
    """A file that is cut off is refused, wherever it was cut."""
    with pytest.raises(ValueError, match="metadata"):
        read([SOUND[: len(SOUND) * fiftieth // 50]])


@pytest.mark.parametrize("fiftieth", range(1, 50))
def test_a_hole_anywhere(fiftieth: int) -> None:
    """A file whose middle is missing is refused or read, never a crash."""
    cut = len(SOUND) * fiftieth // 50
    accepted_or_refused(SOUND[:cut] + SOUND[cut + 40 :])


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes(seed: int) -> None:
    """Any bytes give a map or a ValueError: nothing else, and no warnings from numpy."""
    dice = random.Random(seed)
    for _ in range(50):
        content = bytearray(SOUND)
        for _ in range(dice.choice((1, 1, 2, 8))):
            content[dice.randrange(len(content))] = dice.choice((0, 0x20, 0xE0, 0xFF, dice.getrandbits(8)))
        accepted_or_refused(bytes(content))


@pytest.mark.parametrize("seed", range(20))
def test_junk(seed: int) -> None:
    """Random bytes, with and without something that looks like metadata."""
    dice = random.Random(seed)
    junk = dice.randbytes(dice.randrange(4000))
    for content in (junk, junk + METADATA_MARKER + dice.randbytes(80), junk + METADATA_MARKER):
        with pytest.raises(ValueError, match="metadata"):
            read([content])


def accepted_or_refused(content: bytes) -> None:
    """Both readers keep to their contract."""
    with suppress(ValueError):
        assert isinstance(read([content]), GeoMap)
    with suppress(ValueError):
        assert isinstance(read_asn([content]), AsnMap)


def test_loops_are_found() -> None:
    """A node that leads to itself would go on for ever, or double at every level."""
    with pytest.raises(ValueError, match="loops"):
        read([assemble(node(0, 0), b"")])


def test_a_tree_deeper_than_an_address_is_refused() -> None:
    """A chain of 40 nodes is no tree of IPv4 addresses."""
    table = b"".join(node(index + 1 if index < 39 else 40, 40) for index in range(40))
    with pytest.raises(ValueError, match="deeper than an IPv4 address"):
        read([assemble(table, b"", node_count=40)])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (2, "between tree and data"),
        (16, "between tree and data"),
        (500, "behind the end"),
        (17 + 8, "behind"),
    ],
)
def test_pointers_out_of_the_data_section(record: int, message: str) -> None:
    """Every record of every node is checked, used or not."""
    with pytest.raises(ValueError, match=message):
        read([assemble(node(record, 1), encode({"a": 1})[:8] + b"")])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"binary_format_major_version": 3}, "format 3 is not supported"),
        ({"ip_version": 5}, "IP version 5"),
        ({"record_size": 20}, "cannot be read"),
        ({"node_count": 0}, "0 nodes"),
        ({"node_count": 1 << 31}, "cannot be read"),
        ({"node_count": "many"}, "cannot be read"),
        ({"database_type": 7}, "wrong type"),
        ({"build_epoch": "yesterday"}, "wrong type"),
        ({"unheard_of": 1}, "cannot be read"),
    ],
)
def test_metadata_that_makes_no_sense(changes: dict[str, object], message: str) -> None:
    """Each is named in the message."""
    data = encode({"country_code": "FR"})
    with pytest.raises(ValueError, match=message):
        read([assemble(node(17, 1), data, **changes)])


def test_the_sound_twin_of_these_files_is_accepted() -> None:
    """So that the tests above fail for the reason they name."""
    assert len(read([assemble(node(17, 1), encode({"country_code": "FR"}))]).starts4) == 2


def test_a_tree_that_ends_elsewhere() -> None:
    """The 16 zeros behind the tree are where the metadata says, or the metadata is wrong."""
    content = assemble(node(17, 1) + b"\x01", encode({"country_code": "FR"}))
    with pytest.raises(ValueError, match="does not end where"):
        read([content])


def test_a_record_that_is_no_record() -> None:
    """A text where a map should be is a record that says nothing."""
    with pytest.raises(ValueError, match="no locations"):
        read([assemble(node(17, 1), encode("hello"))])


def test_junk_behind_a_sound_file_is_refused() -> None:
    """The metadata is at the end, or it is not this file's."""
    with pytest.raises(ValueError, match="metadata"):
        read([write({"1.0.0.0/8": LONDON}) + bytes(200_000)])
