"""Each kind of panel of the dashboard, drawn from its JSON and the recorded series."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite, nan, sqrt
from typing import Any

from benchmarks.monitoring import drawing as draw
from benchmarks.monitoring.drawing import Box, Line, Point, Span

Json = Mapping[str, Any]
SPREAD_COLOR = "#2f6fb0"
HEAT_STEP = 6
"""Every sixth point: the increase of one window then is not counted in the next."""


def panel(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], span: Span) -> list[str]:
    """One panel in its box. `results` holds the rows of each query by its refId."""
    parts = draw.frame(box, shape["title"])
    return parts + KINDS[shape["type"]](box, shape, results, span)


def _lines(shape: Json, results: Mapping[str, Sequence[Json]]) -> list[Line]:
    fixed = {
        item["matcher"]["options"]: item["properties"][0]["value"]["fixedColor"]
        for item in shape["fieldConfig"]["overrides"]
    }
    found: list[Line] = []
    for target in shape["targets"]:
        for row in results[target["refId"]]:
            name = _legend(target["legendFormat"], row["labels"])
            color = fixed.get(name, draw.PALETTE[len(found) % len(draw.PALETTE)])
            points = [(float(at), float(value)) for at, value in row["points"]]
            found.append(Line(name, draw.NAMED.get(color, color), points))
    return found


def _legend(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)


def _no_data(box: Box, shape: Json) -> list[str]:
    words = shape["fieldConfig"]["defaults"].get("noValue", "No data")
    middle = box.x + box.width / 2
    return [draw.text(middle, box.y + box.height / 2, words, color=draw.FAINT, anchor="middle")]


def _time_series(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], span: Span) -> list[str]:
    lines = _lines(shape, results)
    if not lines:
        return _no_data(box, shape)
    defaults = shape["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    unit = draw.UNITS[defaults["unit"]]
    names, height = draw.legend(box, [(line.name, line.color) for line in lines])
    where = draw.inside(box, left=62, bottom=height + draw.AXIS_PX)
    stacked = custom["stacking"]["mode"] != "none"
    layers = _stacked(lines) if stacked else [([], list(line.points)) for line in lines]
    highest = max((value for _, upper in layers for _, value in upper if isfinite(value)), default=0.0)
    line_at = (
        defaults["thresholds"]["steps"][-1]["value"] if custom["thresholdsStyle"]["mode"] == "line" else None
    )
    marks = draw.ticks(max(highest * 1.04, (line_at or 0.0) * 1.1), defaults["unit"])
    if defaults.get("max") is not None:
        marks = [mark for mark in draw.ticks(defaults["max"], defaults["unit"]) if mark <= defaults["max"]]
    top = marks[-1]
    parts = [*draw.value_axis(where, marks, unit), *draw.time_axis(where, span)]
    for line, layer in zip(lines, layers, strict=True):
        if custom["drawStyle"] == "bars":
            parts += _bars(where, span, top, (line.color, layer))
            continue
        if stacked:
            parts.append(draw.area(where, span, top, layer, line.color))
        parts.append(draw.polyline(where, span, top, _gaps(layer[1]), line.color))
    if line_at is not None:
        parts.append(draw.limit(where, top, line_at))
    return parts + names


def _stacked(lines: Sequence[Line]) -> list[tuple[list[Point], list[Point]]]:
    times = sorted({at for line in lines for at, _ in line.points})
    base = dict.fromkeys(times, 0.0)
    found = []
    for line in lines:
        values = dict(line.points)
        lower = [(at, base[at]) for at in times]
        for at in times:
            value = values.get(at, 0.0)
            base[at] += value if isfinite(value) else 0.0
        found.append((lower, [(at, base[at]) for at in times]))
    return found


def _gaps(points: Sequence[Point]) -> list[Point]:
    """The points, with a NaN where a series was absent for a while."""
    if len(points) < 2:
        return list(points)
    step = min(later[0] - earlier[0] for earlier, later in pairwise(points))
    found = [points[0]]
    for earlier, later in pairwise(points):
        if later[0] - earlier[0] > 1.5 * step:
            found.append((earlier[0] + step, nan))
        found.append(later)
    return found


def _bars(box: Box, span: Span, top: float, bars: tuple[str, tuple[list[Point], list[Point]]]) -> list[str]:
    """From the lower to the upper value at each time, as broad as the time to the next."""
    color, (lower, upper) = bars
    floors = dict(lower)
    step = min((later[0] - earlier[0] for earlier, later in pairwise(upper)), default=1.0)
    width = box.width * step / (span.end - span.begin)
    found = []
    for at, value in upper:
        floor = floors.get(at, 0.0)
        if isfinite(value) and value > floor:
            y = box.y + box.height * (1 - value / top)
            block = Box(span.x(box, at) - width / 2, y, width + 0.2, box.height * (value - floor) / top)
            found.append(draw.rect(block, color, ' fill-opacity=".8"'))
    return found


def _stat(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], span: Span) -> list[str]:
    (line, *_) = _lines(shape, results) or [Line("", "", [(0.0, nan)])]
    value = line.points[-1][1]
    defaults = shape["fieldConfig"]["defaults"]
    words, color = _named(defaults, value)
    if words is None:
        words = draw.UNITS[defaults["unit"]](value)
        steps = defaults["thresholds"]["steps"]
        color = [step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]
    filled = shape["options"]["colorMode"] == "background"
    paint = draw.NAMED[color]
    parts = [draw.rect(box, paint, ' rx="3"')] if filled else []
    ink = draw.PAPER if filled else paint
    if filled:
        parts.append(
            draw.text(box.x + draw.PAD_PX, box.y + 18, shape["title"], size=12, color=ink, bold=True)
        )
    elif len(line.points) > 1:
        top = max((value for _, value in line.points if isfinite(value)), default=1.0) * 1.2
        floor = Box(box.x + 1, box.y + box.height * 0.6, box.width - 2, box.height * 0.4 - 1)
        zero = [(at, 0.0) for at, _ in line.points]
        parts.append(draw.area(floor, span, top, (zero, line.points), paint))
    middle = (box.x + box.width / 2, box.y + box.height * 0.62)
    return [*parts, draw.text(*middle, words, size=24, color=ink, anchor="middle", bold=True)]


def _named(defaults: Json, value: float) -> tuple[str | None, str]:
    for item in defaults.get("mappings", ()):
        found = item["options"].get(f"{value:g}")
        if found:
            return found["text"], found["color"]
    return None, ""


def _state_timeline(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], span: Span) -> list[str]:
    lines = _lines(shape, results)
    if not lines:
        return _no_data(box, shape)
    defaults = shape["fieldConfig"]["defaults"]
    states = [item for mapping in defaults["mappings"] for item in mapping["options"].values()]
    names, height = draw.legend(box, [(item["text"], draw.NAMED[item["color"]]) for item in states])
    left = 16 + max(draw.wide(line.name) for line in lines)
    where = draw.inside(box, left=left, bottom=height + draw.AXIS_PX)
    parts = draw.time_axis(where, span)
    band = where.height / len(lines)
    for row, line in enumerate(lines):
        y = where.y + band * row
        parts.append(draw.text(where.x - 6, y + band / 2 + 4, line.name, anchor="end"))
        for begin, end, value in _stretches(_gaps(line.points)):
            words, color = _named(defaults, value)
            x1, x2 = span.x(where, begin), span.x(where, end)
            block = Box(x1, y + band * 0.1, max(x2 - x1, 1.5), band * 0.8)
            parts.append(draw.rect(block, draw.NAMED[color or "#8e8e8e"], ' fill-opacity=".85"'))
            if words and x2 - x1 > draw.wide(words) + 10:
                parts.append(draw.text(x1 + 5, y + band / 2 + 4, words, color=draw.PAPER))
    return parts + names


def _stretches(points: Sequence[Point]) -> list[tuple[float, float, float]]:
    """(begin, end, value) of every stretch without a change."""
    found: list[tuple[float, float, float]] = []
    for at, value in points:
        if found and found[-1][2] == value:
            found[-1] = (found[-1][0], at, value)
        else:
            if found and isfinite(found[-1][2]):
                found[-1] = (found[-1][0], at, found[-1][2])
            found.append((at, at, value))
    return [item for item in found if isfinite(item[2])]


def _heatmap(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], span: Span) -> list[str]:
    rows = sorted(
        ((float(row["labels"]["le"]), dict(row["points"])) for row in results["A"]), key=lambda row: row[0]
    )
    times = sorted({at for _, values in rows for at in values})[::HEAT_STEP]
    cells: list[tuple[int, float, float]] = []
    for index, (_, values) in enumerate(rows):
        below = rows[index - 1][1] if index else {}
        for at in times:
            count = float(values.get(at, 0.0)) - float(below.get(at, 0.0))
            if isfinite(count) and count > 1e-9:
                cells.append((index, at, count))
    if not cells:
        return _no_data(box, shape)
    first, last = min(cell[0] for cell in cells), max(cell[0] for cell in cells)
    first, last = max(0, first - 1), min(len(rows) - 1, last + 1)
    where = draw.inside(box, left=62, bottom=draw.AXIS_PX + 6)
    band = where.height / (last - first + 1)
    width = where.width * (times[1] - times[0]) / (span.end - span.begin) if len(times) > 1 else where.width
    most = max(count for *_, count in cells)
    parts = draw.time_axis(where, span)
    unit = draw.UNITS[shape["options"]["yAxis"]["unit"]]
    for index in range(first, last + 1):
        y = where.y + band * (last - index)
        bound = rows[index][0]
        label = unit(bound) if isfinite(bound) else "more"
        parts.append(
            draw.text(where.x - 5, y + band / 2 + 3.5, label, size=10, color=draw.FAINT, anchor="end")
        )
    for index, at, count in cells:
        x = span.x(where, at)
        block = Box(max(where.x, x - width), where.y + band * (last - index) + 0.5, width - 1, band - 1)
        strength = f"{0.12 + 0.88 * sqrt(count / most):.2f}".lstrip("0")
        parts.append(draw.rect(block, SPREAD_COLOR, f' fill-opacity="{strength}"'))
    return parts


def _table(box: Box, shape: Json, results: Mapping[str, Sequence[Json]], _span: Span) -> list[str]:
    organize = shape["transformations"][0]["options"]
    columns = sorted(organize["renameByName"], key=organize["indexByName"].__getitem__)
    unit = draw.UNITS[shape["fieldConfig"]["defaults"]["unit"]]
    cells = [[organize["renameByName"][column] for column in columns]]
    for row in results["A"]:
        value = unit(float(row["points"][-1][1]))
        cells.append([value if column == "Value" else row["labels"].get(column, "") for column in columns])
    broad = [24 + max(draw.wide(line[place]) for line in cells) for place in range(len(columns))]
    room = (box.width - 2 * draw.PAD_PX) / sum(broad)
    parts: list[str] = []
    x = box.x + draw.PAD_PX
    for place, width in enumerate(broad):
        parts.append(draw.text(x, box.y + 48, cells[0][place], color=draw.FAINT, bold=True))
        parts += [
            draw.text(x, box.y + 72 + 22 * line, row[place], size=12) for line, row in enumerate(cells[1:])
        ]
        x += width * room
    return parts


KINDS: Mapping[str, Callable[[Box, Json, Mapping[str, Sequence[Json]], Span], list[str]]] = {
    "timeseries": _time_series,
    "stat": _stat,
    "state-timeline": _state_timeline,
    "heatmap": _heatmap,
    "table": _table,
}
