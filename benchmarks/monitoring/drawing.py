"""Small SVG pictures of panels: the shapes, scales and number formats that Grafana would use."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import floor, isfinite, log10

INK, FAINT, GRID, FRAME, PAPER = "#1f2328", "#656d76", "#e6e8eb", "#d0d7de", "#ffffff"
PALETTE = (
    "#56a64b", "#e0b400", "#3274d9", "#e0752d", "#a352cc", "#19a2a2", "#c4162a", "#8f6b32", "#5b6ee1",
)  # fmt: skip
NAMED = {"green": "#56a64b", "orange": "#f2a33a", "red": "#d44a5c", "blue": "#5794f2", "#8e8e8e": "#9aa0a6"}
"""What Grafana's colour names look like on paper."""
TITLE_PX, AXIS_PX, LEGEND_PX, PAD_PX = 26, 18, 16, 10
SMALL_PX, LARGE_PX = 6.2, 8.4
"""About the widths of a small letter and of a capital in legends (11 px)."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """One series: what the legend says, its colour, and (Unix time, value) pairs."""

    name: str
    color: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Span:
    """The recorded time."""

    begin: float
    end: float

    def x(self, box: Box, at: float) -> float:
        """Where a time lies in a box."""
        return box.x + box.width * (at - self.begin) / (self.end - self.begin)


def wide(words: str) -> float:
    """About how wide a text of a legend is."""
    return sum(LARGE_PX if letter.isupper() else SMALL_PX for letter in words)


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else "-"
    digits = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float, steps: Sequence[tuple[float, str]]) -> str:
    for size, name in steps:
        if abs(value) >= size:
            return f"{number(value / size)}{name}"
    size, name = steps[-1]
    return f"{number(value / size)}{name}"


TIMES = ((86400, " d"), (3600, " h"), (60, " min"), (1, " s"), (1e-3, " ms"), (1e-6, " µs"))
LABEL_PX = 30
"""What a moment on the axis of time needs, with room to the next one."""
SIZES = ((1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB"), (1, " B"))
COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))

UNITS: dict[str, Callable[[float], str]] = {
    "none": number,
    "short": lambda value: _scaled(value, COUNTS) if abs(value) >= 1 else number(value),
    "reqps": lambda value: f"{number(value)} q/s",
    "ops": lambda value: f"{number(value)}/s",
    "s": lambda value: "0" if value == 0 else _scaled(value, TIMES),
    "percentunit": lambda value: f"{number(100 * value)}%",
    "bytes": lambda value: "0" if value == 0 else _scaled(value, SIZES),
    "dateTimeAsIso": lambda value: f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M}",
}
"""Grafana's unit ids, as text."""


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 11,
    color: str = INK,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """One line of text."""
    extra = f' text-anchor="{anchor}"' if anchor != "start" else ""
    extra += ' font-weight="600"' if bold else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" fill="{color}"{extra}>{escape(words)}</text>'


def rect(box: Box, fill: str, extra: str = "") -> str:
    """A filled rectangle."""
    size = f'width="{_n(box.width)}" height="{_n(box.height)}"'
    return f'<rect x="{_n(box.x)}" y="{_n(box.y)}" {size} fill="{fill}"{extra}/>'


def frame(box: Box, title: str) -> list[str]:
    """The panel's card and its title."""
    card = rect(box, PAPER, f' stroke="{FRAME}" rx="3"')
    return [card, text(box.x + PAD_PX, box.y + 18, title, size=12, bold=True)]


def inside(box: Box, *, left: float, bottom: float) -> Box:
    """Where the data goes: below the title, right of the axis, above axis and legend."""
    return Box(
        box.x + left, box.y + TITLE_PX + 4, box.width - left - PAD_PX, box.height - TITLE_PX - 8 - bottom
    )


def ticks(highest: float, unit: str) -> list[float]:
    """About four numbers from 0 to at least `highest` that are round in the unit they will be written in."""
    if highest <= 0 or not isfinite(highest):
        return [0, 1]
    sizes = {"s": TIMES, "bytes": SIZES}.get(unit, ())
    size = next((size for size, _ in sizes if highest >= size), 1.0)
    raw = highest / size / 4
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    count = 1
    while count * step < highest / size * 0.999:
        count += 1
    return [step * index * size for index in range(count + 1)]


def time_axis(box: Box, span: Span) -> list[str]:
    """Minutes since the beginning, below the box."""
    found = []
    lasts_s = span.end - span.begin
    step = next((step for step in (30, 60, 120) if lasts_s / step * LABEL_PX < box.width), 300)
    at = 0.0
    while at <= lasts_s:
        x = span.x(box, span.begin + at)
        found.append(_line((x, box.y), (x, box.y + box.height), GRID))
        minutes, seconds = divmod(int(at), 60)
        label = f"{minutes}:{seconds:02}"
        found.append(text(x, box.y + box.height + 15, label, size=10, color=FAINT, anchor="middle"))
        at += step
    return found


def value_axis(box: Box, marks: Sequence[float], unit: Callable[[float], str]) -> list[str]:
    """A line and a label per mark."""
    found = []
    for mark in marks:
        y = box.y + box.height * (1 - mark / marks[-1])
        found.append(_line((box.x, y), (box.x + box.width, y), GRID))
        found.append(text(box.x - 5, y + 3.5, unit(mark), size=10, color=FAINT, anchor="end"))
    return found


def legend(box: Box, names: Sequence[tuple[str, str]]) -> tuple[list[str], float]:
    """Colour and name of every series in lines at the bottom of the box, and the height they take."""
    lines: list[list[tuple[float, str, str]]] = [[]]
    x = 0.0
    for name, color in names:
        width = 26 + wide(name)
        if x and x + width > box.width - 2 * PAD_PX:
            lines.append([])
            x = 0.0
        lines[-1].append((x, name, color))
        x += width
    height = LEGEND_PX * len(lines) + 4
    found = []
    for row, line in enumerate(lines):
        y = box.y + box.height - height + LEGEND_PX * row + 9
        for x, name, color in line:
            found.append(rect(Box(box.x + PAD_PX + x, y - 4, 10, 4), color))
            found.append(text(box.x + PAD_PX + x + 14, y + 1, name, color=FAINT))
    return found, height


def area(box: Box, span: Span, top: float, layer: tuple[Sequence[Point], Sequence[Point]], color: str) -> str:
    """What lies between a lower and an upper line."""
    lower, upper = layer
    path = _path(box, span, top, upper)
    back = _path(box, span, top, list(reversed(lower))).replace("M", "L", 1)
    return f'<path d="{path}{back}Z" fill="{color}" fill-opacity=".55"/>'


def polyline(box: Box, span: Span, top: float, points: Iterable[Point], color: str) -> str:
    """A line through the points; NaN ends it, a later number begins it again."""
    path = _path(box, span, top, points)
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.4" stroke-linejoin="round"/>'


def _path(box: Box, span: Span, top: float, points: Iterable[Point]) -> str:
    """Of a level stretch only its two ends."""
    parts: list[str] = []
    level: list[str] = []
    pen = "M"
    for at, value in points:
        if not isfinite(value):
            pen, level = "M", []
            continue
        y = _n(box.y + box.height * (1 - min(value / top, 1.0)))
        if level == [y, y]:
            parts.pop()
        level = [*level[-1:], y]
        parts.append(f"{pen}{_n(span.x(box, at))} {y}")
        pen = "L"
    return "".join(parts)


def _line(begin: Point, end: Point, color: str, extra: str = "") -> str:
    (x1, y1), (x2, y2) = begin, end
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" stroke="{color}"{extra}/>'


def limit(box: Box, top: float, value: float) -> str:
    """A threshold, dashed."""
    y = box.y + box.height * (1 - value / top)
    return _line((box.x, y), (box.x + box.width, y), NAMED["red"], ' stroke-dasharray="5 3"')


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def picture(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """The whole file."""
    size = f'viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
    font = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{font}">'
    ground = rect(Box(0, 0, width, height), "#f6f8fa")
    return "\n".join([head, f"<title>{escape(title)}</title>", ground, *parts, "</svg>"]) + "\n"
