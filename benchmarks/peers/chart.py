"""The results as pictures (SVG), drawn by matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any

FIRST, OTHER, KERNEL, WHISKER = "#0b6e99", "#9fb4bf", "#d4dee3", "#33454e"
"""Ours, the others, the kernel's part of a bar, and the line from lowest to highest."""
INCHES = (11.0, 3.4)


@dataclass(frozen=True, slots=True)
class Bar:
    """One server's median with the extremes of its rounds; `part` of it is drawn in the stronger colour."""

    name: str
    low: float
    middle: float
    high: float
    part: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity; `form` writes a value. From `lost_from` on it is "lost", and the axis is logarithmic."""

    title: str
    bars: Sequence[Bar]
    form: str
    lost_from: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one curve with the extremes of their rounds."""

    name: str
    at: Sequence[float]
    low: Sequence[float]
    middle: Sequence[float]
    high: Sequence[float]


def is_there() -> bool:
    """Whether matplotlib is installed (the extra `bench`)."""
    return find_spec("matplotlib") is not None


def bars(panels: Sequence[Panel], caption: str, path: Path) -> None:
    """Panels side by side, servers below each other; those whose name begins as the first one's stand out."""
    figure, axes = _figure(len(panels))
    names = [bar.name for bar in panels[0].bars]
    ours = names[0].split(",")[0]
    for axis, panel in zip(axes, panels, strict=True):
        if panel.lost_from is not None:
            axis.set_xscale("log")
        for row, bar in enumerate(panel.bars):
            color = FIRST if bar.name.startswith(ours) else OTHER
            axis.barh(row, bar.middle, color=color if bar.part is None else KERNEL)
            if bar.part is not None:
                axis.barh(row, bar.part, color=color)
            axis.plot((bar.low, bar.high), (row, row), color=WHISKER, linewidth=1.5, marker="|")
            axis.annotate(
                "lost" if bar.middle >= (panel.lost_from or inf) else f"{bar.middle:{panel.form}}",
                (bar.high, row),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axis.set_title(panel.title, fontsize=10, loc="left")
        axis.margins(x=0.22)
        axis.set_yticks(range(len(names)), names if axis is axes[0] else [""] * len(names))
        axis.invert_yaxis()
    _save(figure, caption, path)


def lines(panels: Sequence[tuple[str, str, Sequence[Line]]], caption: str, path: Path) -> None:
    """Panels of (title, what is along the axis, curves), the axis logarithmic and values from 0."""
    figure, axes = _figure(len(panels))
    for axis, (title, along, curves) in zip(axes, panels, strict=True):
        for curve, color in zip(curves, (FIRST, OTHER), strict=False):
            axis.plot(curve.at, curve.middle, color=color, marker="o", label=curve.name)
            axis.fill_between(curve.at, curve.low, curve.high, color=color, alpha=0.2)
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xlabel(along, fontsize=9)
        if len(curves) > 1:
            axis.legend(frameon=False, fontsize=8)
    _save(figure, caption, path)


def _figure(count: int) -> tuple[Any, Any]:
    import matplotlib as mpl  # noqa: PLC0415 - measuring needs no pictures

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "georouter", "svg.fonttype": "none", "font.family": "sans-serif"})
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, count, figsize=INCHES, squeeze=False)
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes[0]


def _save(figure: Any, caption: str, path: Path) -> None:
    figure.text(0.01, 0.01, caption, fontsize=8, color="#66757d")
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
