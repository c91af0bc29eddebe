"""The parts of a Grafana dashboard (classic JSON): variables, queries, panels, and how they are laid out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

WIDTH = 24
"""Columns of Grafana's grid."""
ROW_HEIGHT = 1
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
"""Every query asks the data source that the reader picks."""


class Unit(StrEnum):
    """Units that Grafana formats."""

    NONE = "none"
    SHORT = "short"
    QUERIES = "reqps"
    PER_SECOND = "ops"
    SECONDS = "s"
    SHARE = "percentunit"
    BYTES = "bytes"
    TIME = "dateTimeAsIso"


class Color(StrEnum):
    """Colours of states; series without a state take those of the palette."""

    GOOD = "green"
    NEUTRAL = "#8e8e8e"
    NOTICE = "blue"
    WARNING = "orange"
    BAD = "red"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query; `legend` is a template such as `{{region}}`."""

    expr: str
    legend: str
    instant: bool = False
    heatmap: bool = False
    table: bool = False

    def json(self, ref: str) -> Json:
        """As a panel's target."""
        kind = "heatmap" if self.heatmap else "table" if self.table else "time_series"
        return {
            "refId": ref,
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend,
            "format": kind,
            "instant": self.instant,
            "range": not self.instant,
        }


@dataclass(frozen=True, slots=True)
class Panel:
    """What every panel has. `width` and `height` are cells of the grid; a line is as high as its highest."""

    kind: str
    title: str
    text: str
    queries: tuple[Query, ...]
    width: int
    height: int
    unit: Unit
    options: Json
    defaults: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    transformations: tuple[Json, ...] = ()

    def json(self, number: int, x: int, y: int, height: int) -> Json:
        """As Grafana wants it, in its place."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.text,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": height},
            "targets": [query.json(ref) for query, ref in zip(self.queries, "ABCDEFGH", strict=False)],
            "fieldConfig": {
                "defaults": {"unit": self.unit.value, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": self.options,
            **({"transformations": list(self.transformations)} if self.transformations else {}),
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A title over panels, which fill lines of the grid from the left."""

    title: str
    panels: tuple[Panel, ...]


def thresholds(*steps: tuple[float | None, Color]) -> Json:
    """From which value on which colour; the first step has no value."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color.value} for value, color in steps]}


def mapping(names: Mapping[int, tuple[str, Color]]) -> list[Json]:
    """Words and colours for numbers."""
    options = {
        str(value): {"text": text, "color": color.value, "index": index}
        for index, (value, (text, color)) in enumerate(names.items())
    }
    return [{"type": "value", "options": options}]


def stat(
    title: str,
    text: str,
    expr: str,
    *,
    unit: Unit = Unit.NONE,
    steps: Json | None = None,
    names: Mapping[int, tuple[str, Color]] | None = None,
    decimals: int | None = None,
    width: int = 3,
) -> Panel:
    """One number."""
    defaults: Json = {"thresholds": steps or thresholds((None, Color.GOOD)), "color": {"mode": "thresholds"}}
    if names:
        defaults["mappings"] = mapping(names)
    if decimals is not None:
        defaults["decimals"] = decimals
    options: Json = {
        "colorMode": "background" if names or steps else "value",
        "graphMode": "none" if names or steps else "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return Panel("stat", title, text, (Query(expr, title),), width, 4, unit, options, defaults)


def lines(
    title: str,
    text: str,
    *queries: Query,
    unit: Unit,
    width: int = 8,
    stack: str = "none",
    bars: bool = False,
    highest: float | None = None,
    limit: float | None = None,
    colors: Mapping[str, Color] | None = None,
) -> Panel:
    """Values over time. `limit` draws a red line; `colors` fixes those of series by their legend."""
    filled = 60 if stack != "none" else 10
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 80 if bars else filled,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": stack, "group": "A"},
        "thresholdsStyle": {"mode": "line" if limit is not None else "off"},
    }
    steps = [(None, Color.GOOD), *([(limit, Color.BAD)] if limit is not None else [])]
    defaults: Json = {
        "color": {"mode": "palette-classic"},
        "custom": custom,
        "min": 0,
        "thresholds": thresholds(*steps),
    }
    if highest is not None:
        defaults["max"] = highest
    options: Json = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    overrides = tuple(
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color.value}}],
        }
        for name, color in (colors or {}).items()
    )
    return Panel("timeseries", title, text, queries, width, 8, unit, options, defaults, overrides)


def states(
    title: str,
    text: str,
    *queries: Query,
    names: Mapping[int, tuple[str, Color]],
    width: int = 12,
    empty: str = "No data",
) -> Panel:
    """A band per series that changes colour with its value."""
    defaults: Json = {
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 80, "lineWidth": 0},
        "mappings": mapping(names),
        "noValue": empty,
        "thresholds": thresholds((None, Color.NEUTRAL)),
    }
    options: Json = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel("state-timeline", title, text, queries, width, 7, Unit.NONE, options, defaults)


def heatmap(title: str, text: str, expr: str, *, width: int = 12) -> Panel:
    """How the durations of a histogram are spread over time."""
    options: Json = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "reverse": True, "exponent": 0.5},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"show": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": Unit.SECONDS.value},
    }
    query = Query(expr, "{{le}}", heatmap=True)
    defaults: Json = {"custom": {"scaleDistribution": {"type": "linear"}}}
    return Panel("heatmap", title, text, (query,), width, 8, Unit.SHORT, options, defaults)


def table(
    title: str, text: str, expr: str, *, columns: Mapping[str, str], unit: Unit, width: int = 12
) -> Panel:
    """The labels and the value of an instant query; `columns` renames those that are shown."""
    options: Json = {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}
    organize: Json = {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True, **({} if "Value" in columns else {"Value": True})},
            "indexByName": {name: index for index, name in enumerate(columns)},
            "renameByName": dict(columns),
        },
    }
    return Panel(
        "table",
        title,
        text,
        (Query(expr, "", instant=True, table=True),),
        width,
        8,
        unit,
        options,
        {"custom": {"align": "left"}},
        transformations=(organize,),
    )


def laid_out(rows: Iterable[Row]) -> list[Json]:
    """Every row and panel in its place, numbered in reading order."""
    found: list[Json] = []
    y = 0
    for row in rows:
        place = {"x": 0, "y": y, "w": WIDTH, "h": ROW_HEIGHT}
        found.append(
            {"id": len(found) + 1, "type": "row", "title": row.title, "collapsed": False, "panels": []}
            | {"gridPos": place}
        )
        y += ROW_HEIGHT
        for line in _filled(row.panels):
            x, height = 0, max(panel.height for panel in line)
            for panel in line:
                found.append(panel.json(len(found) + 1, x, y, height))
                x += panel.width
            y += height
    return found


def _filled(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Lines of panels that fit the width."""
    found: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(other.width for other in found[-1]) + panel.width > WIDTH:
            found.append([])
        found[-1].append(panel)
    return found


def picked_source() -> Json:
    """The variable `$datasource`."""
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def picked(name: str, label: str, metric: str) -> Json:
    """A variable with the values that the label `name` of `metric` has; any number of them."""
    query = f"label_values({metric}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }
