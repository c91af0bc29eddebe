"""Failovers in the saved state: nothing lost, junk left out."""

import json
from typing import Any

import pytest

from georouter.facts.failover import Failover, Kind, Notice, Phase, Reply, Sequence
from georouter.sources.failover_state import decode, encode
from georouter.words.ids import RegionName, ServiceName

A, B = RegionName("a"), RegionName("b")
DB = ServiceName("db")
OPEN = Sequence(
    Kind.FAILOVER,
    A,
    "a is down",
    1000.25,
    B,
    confirmed_at=1001.5,
    chosen_at=1001.5,
    promoting_at=1001.5,
    attempt=2,
    asked=3,
    reply=Reply.UNANSWERED,
    said="no answer within 5 s",
)
DONE = Sequence(Kind.FAILBACK, B, "asked", 5.0, A, switched_at=7.0, notice=Notice.SENT, by_hand=True)
STATE = Failover(A, Phase.PROMOTING, 1001.5, "x", OPEN, DONE, {B: 7.0}, {A: 5.0, B: 6.0})


@pytest.mark.parametrize("state", [Failover(A), STATE])
def test_a_failover_survives(state: Failover) -> None:
    """Through JSON and back, the id of the open question included."""
    service, found = decode(json.loads(json.dumps(encode(DB, state))))
    assert (service, found) == (DB, state)
    if found.sequence is not None:
        assert found.sequence.id == OPEN.id


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("service",), 5),
        (("active",), None),
        (("phase",), "dancing"),
        (("since",), float("nan")),
        (("since",), 10**400),
        (("left",), []),
        (("left",), {"a": "x"}),
        (("sequence",), "x"),
        (("sequence", "kind"), "x"),
        (("sequence", "detected_at"), None),
        (("sequence", "target"), 5),
        (("sequence", "asked"), -1),
        (("sequence", "attempt"), True),
        (("sequence", "reply"), "maybe"),
        (("sequence", "by_hand"), 0),
    ],
)
def test_junk_is_refused(path: tuple[str, ...], value: object) -> None:
    """With a reason, never another error."""
    entry: dict[str, Any] = encode(DB, STATE)
    inner = entry
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=r"\w"):
        decode(entry)


def test_what_is_no_entry() -> None:
    """A list is none."""
    with pytest.raises(ValueError, match="not an object"):
        decode([])
