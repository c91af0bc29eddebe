"""The result as a picture: SVG written by hand, so that the bench needs no plotting library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, TOP, LABEL, PANEL, GAP = 860, 34, 62, 150, 300, 50
FIRST, OTHER, WHISKER, TEXT, FAINT = "#0b6e99", "#9fb4bf", "#33454e", "#1f2a30", "#66757d"


@dataclass(frozen=True, slots=True)
class Bar:
    """One server's median with the extremes of its rounds."""

    name: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity; `text` writes a value."""

    title: str
    note: str
    bars: Sequence[Bar]
    text: Callable[[float], str]


def draw(panels: Sequence[Panel], caption: str) -> str:
    """Panels side by side, servers below each other; the first one stands out."""
    rows = len(panels[0].bars)
    height = TOP + rows * ROW + 40
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        f"<title>{escape(caption)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for row, bar in enumerate(panels[0].bars):
        weight = ' font-weight="600"' if row == 0 else ""
        parts.append(_text(LABEL - 12, TOP + row * ROW + 18, bar.name, f'text-anchor="end"{weight}'))
    for number, panel in enumerate(panels):
        parts += _panel(panel, LABEL + number * (PANEL + GAP))
    parts.append(_text(12, height - 12, caption, 'font-size="11"', FAINT))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, left: float) -> list[str]:
    scale = (PANEL - 70) / max(bar.high for bar in panel.bars)
    parts = [
        _text(left, 24, panel.title, 'font-weight="600"'),
        _text(left, 42, panel.note, 'font-size="11"', FAINT),
    ]
    for row, bar in enumerate(panel.bars):
        top = TOP + row * ROW
        middle = top + 13
        low, high = left + bar.low * scale, left + bar.high * scale
        size = f'width="{bar.middle * scale:.1f}" height="26"'
        whisker = f"M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10M{high:.1f} {middle - 5}v10"
        parts += [
            f'<rect x="{left}" y="{top}" {size} rx="2" fill="{OTHER if row else FIRST}"/>',
            f'<path d="{whisker}" stroke="{WHISKER}" stroke-width="1.5" fill="none"/>',
            _text(high + 8, middle + 5, panel.text(bar.middle), ""),
        ]
    return parts


def _text(x: float, y: float, text: str, how: str, color: str = TEXT) -> str:
    return f'<text x="{x:.1f}" y="{y}" fill="{color}" {how}>{escape(text)}</text>'
