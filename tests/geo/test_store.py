import json
import random
import zlib

import numpy as np
import pytest

from georouter.geo.map import GeoMap
from georouter.geo.overlay import NetworkOverride, overlay
from georouter.geo.store import MAGIC, decode, encode
from tests.geo.test_build import ROWS, random_map
from tests.geo.worlds import make_map

COLUMNS = ("country", "continent", "subdivision", "city", "lat", "lon", "asn", "network_set")


def assert_equal(one: GeoMap, other: GeoMap) -> None:
    """The same arrays, of the same types, and the same words."""
    for name in ("starts4", "place4", "starts6", "place6"):
        assert getattr(one, name).dtype == getattr(other, name).dtype
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one.places, name), getattr(other.places, name))
        assert getattr(one.places, name).dtype == getattr(other.places, name).dtype
    assert one.places.cities == other.places.cities
    assert one.info == other.info


@pytest.mark.parametrize("seed", range(5))
def test_round_trip(seed: int) -> None:
    """A map comes back as it was, and the same map gives the same bytes."""
    map_ = random_map(seed)
    assert_equal(map_, decode(encode(map_)))
    assert encode(map_) == encode(map_)


def test_an_overlay_is_not_stored() -> None:
    """It belongs to a policy, not to a database."""
    from ipaddress import ip_network

    map_ = overlay(make_map(ROWS, {0: 1}), overrides=[NetworkOverride(ip_network("10.0.0.0/8"), asn=64500)])
    with pytest.raises(ValueError, match="overlay"):
        encode(map_)


def test_damage_is_found() -> None:
    """Any cut and any changed byte is refused with a ValueError."""
    content = encode(random_map(1))
    dice = random.Random(1)
    for length in range(0, len(content), 97):
        with pytest.raises(ValueError, match="map"):
            decode(content[:length])
    for _ in range(300):
        changed = bytearray(content)
        changed[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        with pytest.raises(ValueError, match=r"map|Unknown|not"):
            decode(bytes(changed))


def forge(change: str) -> bytes:
    """A file that is whole, but whose content breaks a promise."""
    raw = zlib.decompress(encode(make_map(ROWS, {0: 1, 256: 2}))[len(MAGIC) :])
    length = int.from_bytes(raw[:4], "big")
    header, body = json.loads(raw[4 : 4 + length]), raw[4 + length :]
    match change:
        case "cities":
            header["cities"] = []
        case "kinds":
            header["info"]["kinds"] = "all"
        case "unknown kind":
            header["info"]["kinds"] = ["smell"]
        case "column":
            header["arrays"] = [["altitude", 3], *header["arrays"]]
        case "missing":
            header["arrays"] = header["arrays"][:-1]
        case "length":
            header["arrays"][0][1] = 100_000
        case "negative":
            header["arrays"][0][1] = -5
        case "not an object":
            header = [header]
        case "order":
            body = bytes(len(body))
    text = json.dumps(header).encode()
    return MAGIC + zlib.compress(len(text).to_bytes(4, "big") + text + body)


@pytest.mark.parametrize(
    "change",
    ["cities", "kinds", "unknown kind", "column", "missing", "length", "negative", "not an object", "order"],
)
def test_whole_files_that_break_a_promise(change: str) -> None:
    """A file is not trusted because its checksum is right."""
    with pytest.raises(ValueError, match=r"."):
        decode(forge(change))


def test_the_sound_twin_is_accepted() -> None:
    """So that the forgeries fail for what was changed."""
    assert len(decode(forge("nothing")).starts4) == 2
