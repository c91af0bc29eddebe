"""A freeze in the saved state: nothing lost, junk left out."""

import json
from typing import Any

import pytest

from georouter.facts.brake import FREE, Brake, Freeze
from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.facts.world import State
from georouter.sources.brake_state import decode, encode
from georouter.words.ids import CheckName, RegionName

EU, US = RegionName("eu"), RegionName("us")
HEALTHS = {EndpointKey(EU, "192.0.2.1", CheckName("web")): Health(State.UP)}
FROZEN = Brake(
    fallen={EU: 1000.5, US: 1000.5}, freeze=Freeze(1000.5, 1300.5, frozenset({EU, US}), 3, HEALTHS)
)


def test_a_freeze_survives() -> None:
    """Through JSON and back; who is free has nothing to keep."""
    assert decode(json.loads(json.dumps(encode(FROZEN))), HEALTHS) == FROZEN
    assert encode(FREE) is None
    assert encode(Brake(fallen={EU: 1.0})) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("since", None),
        ("since", True),
        ("until", float("nan")),
        ("until", 10**400),
        ("of", "three"),
        ("regions", "eu"),
        ("regions", [1]),
        ("down", None),
    ],
)
def test_junk_is_refused(key: str, value: object) -> None:
    """With a reason, never another error."""
    entry: dict[str, Any] = {**(encode(FROZEN) or {}), key: value}
    with pytest.raises(ValueError, match=r"\w"):
        decode(entry, HEALTHS)


def test_what_is_no_entry() -> None:
    """A list is none."""
    with pytest.raises(ValueError, match="not an object"):
        decode([], HEALTHS)
