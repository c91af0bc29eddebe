"""Books: counters survive every change of layout."""

import random

from georouter.answers.layout import RCODES, REASONS, Layout, lay_out
from georouter.server.books import RETIRED_KEPT, Books, fold, numbers

ONE = lay_out(["a.example"], [("web", ["us", "eu"])])
TWO = lay_out(["b.example", "a.example"], [("api", ["us"]), ("web", ["eu", "ap"])])


def named(layout: Layout, values: list[int]) -> dict[tuple[object, ...], int]:
    """Every count under names that do not depend on the layout."""
    found: dict[tuple[object, ...], int] = {}
    zones = (*layout.zones, "none")
    lanes = layout.responses_base // len(zones)
    for place, value in enumerate(values):
        if place < layout.responses_base:
            key: tuple[object, ...] = ("request", zones[place // lanes], place % lanes)
        elif place < layout.responses_base + RCODES * len(zones):
            zone, rcode = divmod(place - layout.responses_base, RCODES)
            key = ("response", zones[zone], rcode)
        else:
            service = max((s for s in layout.services if s.base <= place), key=lambda s: s.base)
            region, reason = divmod(place - service.base, REASONS)
            key = ("decision", service.name, (*service.regions, "none")[region], reason)
        if value:
            found[key] = found.get(key, 0) + value
    return found


def test_folding_keeps_every_count_under_its_name() -> None:
    """Zones, services and regions of both sides, in whatever order."""
    chance = random.Random(1)
    first = [chance.randrange(5) for _ in range(ONE.size)]
    second = [chance.randrange(5) for _ in range(TWO.size)]
    layout, values = fold((ONE, first), (TWO, second))
    assert set(layout.zones) == {"a.example", "b.example"}
    assert len(values) == layout.size
    expected = named(ONE, first)
    for key, value in named(TWO, second).items():
        expected[key] = expected.get(key, 0) + value
    assert named(layout, values) == expected


def test_an_equal_layout_keeps_its_list() -> None:
    """A health change or a reload that adds no name goes on counting where it was."""
    books = Books(numbers)
    counters = books.open(ONE)
    counters[3] = 7
    assert books.open(lay_out(["a.example"], [("web", ["us", "eu"])])) is counters
    assert books.counters() == [(ONE, counters)]


def test_a_list_in_use_is_not_folded() -> None:
    """Until its writer has moved on: what it still adds must not be lost."""
    books = Books(numbers)
    old = books.open(ONE)
    old[0] = 1
    new = books.open(TWO)
    books.settle([old])
    old[0] += 1
    assert books.counters() == [(ONE, old), (TWO, new)]
    books.settle([new])
    (layout, values), current = books.counters()
    assert values is old
    assert (layout, sum(values)) == (ONE, 2)
    assert current == (TWO, new)


def test_many_changes_leave_one_list_behind() -> None:
    """However often names come and go, memory does not grow with it."""
    books = Books(numbers)
    for number in range(20):
        counters = books.open(lay_out([f"{number % 3}.example"], []))
        counters[0] += 1
        books.settle([counters])
    assert len(books.counters()) == 2
    assert sum(sum(values) for _, values in books.counters()) == 20


def test_nothing_was_published() -> None:
    """No counters yet."""
    books = Books(numbers)
    books.settle([])
    assert books.counters() == []


def test_names_without_end_are_forgotten_in_time() -> None:
    """Services named after builds do not grow the process; what stays keeps its counts."""
    books = Books(numbers)
    largest = 0
    for build in range(RETIRED_KEPT):
        layout = lay_out(["a.example", f"{build}.example"], [("web", ["us"]), (f"web-{build}", ["us", "eu"])])
        counters = books.open(layout)
        for place in range(layout.size):
            counters[place] += 1
        books.settle([counters])
        largest = max(largest, *(len(values) for _, values in books.counters()))
    assert largest < 300 * RETIRED_KEPT
    counted: dict[tuple[object, ...], int] = {}
    for layout, values in books.counters():
        for key, value in named(layout, values).items():
            counted[key] = counted.get(key, 0) + value
    assert counted["decision", "web", "us", 0] == RETIRED_KEPT
    assert counted["request", "a.example", 0] == RETIRED_KEPT
    assert counted["request", "none", 0] == RETIRED_KEPT
    assert sum(1 for key in counted if key[0] == "request" and key[2] == 0) < RETIRED_KEPT / 2


def test_a_name_that_returns_goes_on_counting() -> None:
    """A mistaken reload, taken back, is no reset for Prometheus."""
    books = Books(numbers)
    for layout in (ONE, lay_out([], []), ONE):
        counters = books.open(layout)
        counters[0] += 1
        books.settle([counters])
    totals = [
        named(layout, values).get(("request", "a.example", 0), 0) for layout, values in books.counters()
    ]
    assert sum(totals) == 2
