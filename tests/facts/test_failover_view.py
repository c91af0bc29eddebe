"""A failover as data, and as a line."""

import json

from georouter.facts.failover import Failover, Kind, Sequence
from georouter.facts.failover_view import moments, view, way
from georouter.facts.world import Standing
from georouter.words.ids import RegionName

A, B = RegionName("a"), RegionName("b")
DONE = Sequence(Kind.FAILOVER, A, "a is down", 100.0, B, 101.25, 101.25, switched_at=104.0)


def test_a_view_is_json_with_every_moment() -> None:
    """Those that have not come are null; the id is there."""
    shown = json.loads(json.dumps(view(Failover(B, last=DONE), Standing(B, (A,), why="because"))))
    assert (shown["active"], shown["phase"], shown["why"], shown["sequence"]) == (
        "b",
        "steady",
        "because",
        None,
    )
    last = shown["last"]
    assert (last["id"], last["detected_at"], last["promoted_at"], last["to"]) == (DONE.id, 100.0, None, "b")


def test_a_sequence_in_a_line() -> None:
    """Seconds after it was detected; steps that were not taken are left out."""
    last = view(Failover(B, last=DONE), Standing(B))["last"]
    assert moments(last) == "confirmed +1.2 s, chosen +1.2 s, switched +4.0 s"
    assert way(last) == "failover a -> b"
    assert way({"kind": "failover", "from": "a", "to": None}) == "failover a -> ?"
