"""What is said of alias targets, and when answers have to change."""

from typing import Any

import pytest

from georouter.control.aliases import addresses, follow, take_in
from georouter.control.beliefs import Beliefs
from georouter.control.events import AliasAsked
from georouter.facts.aliases import Addresses, Reply, Target
from georouter.telemetry.metrics import Metrics
from tests.telemetry.scrapes import value

LB, NAME = b"\2lb\4test\0", "lb.test"
ONE, TWO = b"\xc0\0\2\1", b"\xc0\0\2\2"
NOTHING = Reply(ttl_s=60, failure="no addresses", denied=True)
LOST = dict.fromkeys((4, 6), Reply(failure="timeout after 2 s"))


def told(*packed: bytes, ttl_s: int = 60) -> dict[int, Reply]:
    """Addresses of IPv4, none of IPv6."""
    return {4: Reply(packed, ttl_s), 6: NOTHING}


class Desk:
    """One target, what was said of it, and the metrics."""

    def __init__(self, *outside: bytes) -> None:
        self.beliefs = Beliefs(outside=frozenset(outside))
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.metrics = Metrics()

    def take_in(self, replies: dict[int, Reply], now: float = 1000.0) -> bool:
        """A round came back."""
        return take_in(AliasAsked(LB, replies), self.beliefs, now, self.tell, self.metrics)

    def tell(self, event: str, **fields: Any) -> None:
        """Write it down."""
        self.said.append((event, fields))

    def heard(self) -> list[str]:
        """The events since it was asked last."""
        events = [event for event, _ in self.said]
        self.said.clear()
        return events


def test_said_once_per_change() -> None:
    """Found, changed, lost (once, however often it is tried), found again."""
    desk = Desk(LB)
    for replies, moved, events in (
        (LOST, False, ["alias.failing"]),
        (LOST, False, []),
        (told(ONE), True, ["alias.recovered", "alias.resolved"]),
        (told(ONE), False, []),
        (told(TWO, ONE), True, ["alias.changed"]),
        (told(ONE, TWO, ttl_s=50), False, []),
        (LOST, True, ["alias.failing"]),
        (LOST, False, []),
        (told(ONE, TWO), True, ["alias.recovered"]),
    ):
        assert desk.take_in(replies) is moved
        assert desk.heard() == events


def test_what_is_said() -> None:
    """The name, the addresses before and after, why not."""
    desk = Desk(LB)
    desk.take_in(told(ONE))
    desk.take_in(told(TWO))
    desk.take_in(LOST)
    assert desk.said == [
        ("alias.resolved", {"target": NAME, "now": ["192.0.2.1"]}),
        ("alias.changed", {"target": NAME, "was": ["192.0.2.1"], "now": ["192.0.2.2"]}),
        ("alias.failing", {"target": NAME, "state": "stale", "reason": "timeout after 2 s"}),
    ]


def test_metrics() -> None:
    """The state, when it was confirmed, and look-ups by result."""
    desk = Desk(LB)
    desk.take_in(told(ONE), 1000.0)
    desk.take_in(LOST, 1060.0)
    assert value(desk.metrics, "alias_state", target=NAME, state="stale") == 1
    assert value(desk.metrics, "alias_state", target=NAME, state="fresh") == 0
    assert value(desk.metrics, "alias_confirmed_timestamp_seconds", target=NAME) == 1000.0
    assert value(desk.metrics, "alias_lookups_total", result="success") == 1
    assert value(desk.metrics, "alias_lookups_total", result="failure") == 1


def test_what_no_alias_needs_yet() -> None:
    """Is believed, for the policy that comes, and neither said nor a reason to publish."""
    desk = Desk()
    assert not desk.take_in(told(ONE))
    assert desk.said == []
    assert addresses(desk.beliefs.aliases[LB]) == ["192.0.2.1"]
    assert value(desk.metrics, "alias_state", target=NAME, state="fresh") is None


def test_a_new_policy() -> None:
    """What is known of its targets is shown, what it no longer has is not."""
    desk = Desk(LB)
    desk.take_in(told(ONE))
    follow(desk.beliefs, [b"\5other\4test\0"], desk.metrics)
    assert value(desk.metrics, "alias_state", target=NAME, state="fresh") is None
    assert value(desk.metrics, "alias_state", target="other.test", state="unknown") == 1


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({6: Addresses((b"\x20\1" + b"\0" * 14,), 60), 4: Addresses((ONE,), 60)}, ["192.0.2.1", "2001::"]),
    ],
)
def test_addresses_for_people(known: dict[int, Addresses], expected: list[str]) -> None:
    """IPv4 first."""
    assert addresses(Target(known)) == expected
