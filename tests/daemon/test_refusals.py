"""Refusals by residency in the audit log: counted, summed up, seldom, and all of them in the end."""

import asyncio
from collections.abc import Sequence

import pytest

from georouter.answers.layout import REASONS, Layout, Reason, lay_out
from georouter.daemon import refusals
from georouter.daemon.refusals import LOOK_S, QUIET_S, Refusals

MIDNIGHT = 1770249600.0
"""2026-02-05T00:00:00Z."""


class Packets:
    """A packet path with counters that tests turn, a clock, and the lines that are written."""

    def __init__(self, *services: str) -> None:
        self.now = MIDNIGHT
        self.lines: list[tuple[object, ...]] = []
        self.adopt(*services)
        self.refusals = Refusals(self.counters, self.record, lambda: self.now)

    def adopt(self, *services: str) -> None:
        """A policy with these services; counters begin at 0."""
        self.layout = lay_out(["example.com"], [(name, ["eu", "us"]) for name in services])
        self.values = [0] * self.layout.size

    def counters(self) -> Sequence[tuple[Layout, Sequence[int]]]:
        """As the server gives them."""
        return [(self.layout, self.values)]

    def record(self, action: str, **fields: object) -> None:
        """A line of the audit log."""
        assert action == "residency.refused"
        self.lines.append(tuple(fields.values()))

    def refuse(self, service: str, count: int = 1) -> None:
        """The fence left this many queries no region."""
        (found,) = (item for item in self.layout.services if item.name == service)
        self.values[found.base + 2 * REASONS + Reason.REFUSED] += count
        self.values[found.base + Reason.PRIMARY] += 100  # others are answered

    def after(self, seconds: float) -> list[tuple[object, ...]]:
        """What is written by a look so much later."""
        self.now += seconds
        self.lines.clear()
        self.refusals.look()
        return self.lines


def test_nothing_is_written_of_nothing() -> None:
    """Answers are no refusals, and a server that has not begun has no counters."""
    packets = Packets("web")
    assert packets.after(LOOK_S) == []
    quiet = Refusals(lambda: (), packets.record, lambda: 0.0)
    quiet.look(last=True)
    assert packets.lines == []


def test_the_first_are_written_at_once_and_the_rest_in_sum() -> None:
    """With the time since which they are counted: never a line per query."""
    packets = Packets("web", "api")
    assert packets.after(LOOK_S) == []
    packets.refuse("web", 3)
    assert packets.after(LOOK_S) == [("web", 3, "2026-02-05T00:00:10.000Z")]
    for _ in range(int(QUIET_S / LOOK_S) - 1):
        packets.refuse("web", 2)
        assert packets.after(LOOK_S) == []
    packets.refuse("web", 2)
    assert packets.after(LOOK_S) == [("web", 60, "2026-02-05T00:00:20.000Z")]
    assert packets.after(QUIET_S) == []


def test_services_do_not_wait_for_each_other() -> None:
    """The quiet of one says nothing of the other."""
    packets = Packets("web", "api")
    packets.refuse("web")
    packets.after(LOOK_S)
    packets.refuse("api", 5)
    assert packets.after(LOOK_S) == [("api", 5, "2026-02-05T00:00:10.000Z")]


def test_at_the_end_nothing_is_left() -> None:
    """A stop within the quiet time writes what it held back."""
    packets = Packets("web")
    packets.refuse("web")
    packets.after(LOOK_S)
    packets.refuse("web", 7)
    assert packets.after(LOOK_S) == []
    packets.refuse("web")
    packets.refusals.look(last=True)
    assert packets.lines == [("web", 8, "2026-02-05T00:00:10.000Z")]


def test_a_service_that_a_reload_takes_and_brings() -> None:
    """What waited is written; when it is back it counts from its counter's new beginning."""
    packets = Packets("web", "api")
    packets.refuse("web")
    packets.after(LOOK_S)
    packets.refuse("web", 4)
    assert packets.after(LOOK_S) == []
    packets.adopt("api")
    assert packets.after(LOOK_S) == [("web", 4, "2026-02-05T00:00:10.000Z")]
    packets.adopt("api", "web")
    packets.refuse("web", 2)
    assert packets.after(LOOK_S) == [("web", 2, "2026-02-05T00:00:30.000Z")]


def test_a_counter_that_begins_again() -> None:
    """Between two looks: fewer than before means all of them are new."""
    packets = Packets("web")
    packets.refuse("web", 9)
    packets.after(LOOK_S)
    packets.adopt("web")
    packets.refuse("web", 2)
    assert packets.after(QUIET_S) == [("web", 2, "2026-02-05T00:00:10.000Z")]


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    """By an hour: the quiet time would last as long."""
    packets = Packets("web")
    packets.refuse("web")
    packets.after(LOOK_S)
    packets.refuse("web")
    assert len(packets.after(-3600.0)) == 1


def test_it_looks_until_it_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its pace, beside everything else."""
    monkeypatch.setattr(refusals, "LOOK_S", 0.001)
    packets = Packets("web")
    packets.refuse("web", 2)

    async def run() -> None:
        task = asyncio.create_task(packets.refusals.run())
        async with asyncio.timeout(10):
            while not packets.lines:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(run())
    assert packets.lines == [("web", 2, "2026-02-05T00:00:00.000Z")]
