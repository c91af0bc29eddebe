"""The pictures in docs/monitoring: of this dashboard, shown on the page, small; and how they are drawn."""

import json
from html import unescape
from math import nan
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.monitoring.drawing import UNITS, Span, number, ticks
from benchmarks.monitoring.panels import KINDS
from benchmarks.monitoring.record import DASHBOARD
from benchmarks.monitoring.render import PICTURES, draw_row, file_name, rows

PAGE = Path(__file__).parent.parent.parent / "docs/monitoring.md"
ROWS = dict(rows(json.loads(DASHBOARD.read_text())))
LIMIT_BYTES = 320_000


def test_one_for_each_row() -> None:
    """And no others; the page shows them all, in the dashboard's order; together they are small."""
    files = [file_name(title) for title in ROWS]
    assert sorted(files) == sorted(path.name for path in PICTURES.iterdir())
    page = PAGE.read_text()
    places = [page.index(f"](monitoring/{name})") for name in files]
    assert places == sorted(places)
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < LIMIT_BYTES


@pytest.mark.parametrize("title", ROWS)
def test_a_picture_shows_every_panel(title: str) -> None:
    """By its present title, and with data where something happened; it is well-formed."""
    svg = (PICTURES / file_name(title)).read_text()
    ET.fromstring(svg)
    words = {unescape(item) for item in svg.replace("<", ">").split(">")}
    assert {panel["title"] for panel in ROWS[title]} <= words
    assert "No data" not in words


def test_every_kind_of_panel_can_be_drawn() -> None:
    """No query answered, or nonsense for an answer: still a picture."""
    assert {panel["type"] for panels in ROWS.values() for panel in panels} == set(KINDS)
    for title, panels in ROWS.items():
        for result in ([], [{"labels": {"le": "0.1"}, "points": [[0.0, nan], [2.0, nan], [9.0, 1.0]]}]):
            recorded = {p["id"]: {t["refId"]: result for t in p["targets"]} for p in panels}
            ET.fromstring(draw_row(title, panels, recorded, Span(0.0, 10.0)))


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("s", 0.00025, "250 µs"),
        ("s", 5184000, "60 d"),
        ("bytes", 4194304, "4 MiB"),
        ("percentunit", 0.025, "2.5%"),
        ("short", 12345, "12.3k"),
        ("reqps", 512, "512 q/s"),
        ("dateTimeAsIso", 1.7e12, "2023-11-14 22:13"),
    ],
)
def test_numbers_read_as_in_grafana(unit: str, value: float, text: str) -> None:
    """Scaled, three digits, with the unit."""
    assert UNITS[unit](value) == text


def test_axes() -> None:
    """Marks begin at 0, reach the highest value, and are round in the unit that is written."""
    assert ticks(463, "reqps") == [0, 200, 400, 600]
    assert ticks(4.3 * (1 << 20), "bytes") == [n * (1 << 20) for n in (0, 2, 4, 6)]
    assert ticks(0, "s") == [0, 1]
    assert number(nan) == "-"
