"""The recording as pictures, one per row of the dashboard: `python -m benchmarks.monitoring.render`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.monitoring.drawing import Box, Span, picture
from benchmarks.monitoring.panels import panel
from benchmarks.monitoring.record import DASHBOARD, RECORDING, ROOT

PICTURES = ROOT / "docs/monitoring"
COLUMN_PX, LINE_PX, GAP_PX = 50, 28, 8
"""A cell of Grafana's grid, and the space between panels."""


def rows(board: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Title and panels of every row."""
    title, found = "", []
    for item in board["panels"]:
        if item["type"] != "row":
            found.append(item)
            continue
        if found:
            yield title, found
        title, found = item["title"], []
    yield title, found


def file_name(title: str) -> str:
    """`Packet path` is in packet-path.svg."""
    return re.sub(r"[^a-z]+", "-", title.lower()) + ".svg"


def draw_row(
    title: str, panels: Sequence[Mapping[str, Any]], recorded: Mapping[int, Mapping[str, Any]], span: Span
) -> str:
    """One row as SVG."""
    top = min(item["gridPos"]["y"] for item in panels)
    bottom = max(item["gridPos"]["y"] + item["gridPos"]["h"] for item in panels)
    parts: list[str] = []
    for item in panels:
        place = item["gridPos"]
        box = Box(
            place["x"] * COLUMN_PX + GAP_PX / 2,
            (place["y"] - top) * LINE_PX + GAP_PX / 2,
            place["w"] * COLUMN_PX - GAP_PX,
            place["h"] * LINE_PX - GAP_PX,
        )
        parts += panel(box, item, recorded[item["id"]], span)
    return picture(24 * COLUMN_PX, (bottom - top) * LINE_PX, f"georouter: {title}", parts)


def main() -> None:
    """Draw every row."""
    recording = json.loads(RECORDING.read_text())
    board = json.loads(DASHBOARD.read_text())
    span = Span(recording["begin"], recording["end"])
    recorded: dict[int, dict[str, Any]] = {}
    for item in recording["results"]:
        recorded.setdefault(item["panel"], {})[item["ref"]] = item["rows"]
    PICTURES.mkdir(exist_ok=True)
    for title, panels in rows(board):
        (PICTURES / file_name(title)).write_text(draw_row(title, panels, recorded, span))


if __name__ == "__main__":
    main()
