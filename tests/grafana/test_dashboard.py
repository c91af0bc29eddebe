"""The dashboard: what Grafana needs, nothing overlapping, and only metrics and labels that exist."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from georouter.telemetry.catalog import CATALOG, RELOAD_TIMESTAMP
from grafana import dashboard
from grafana.panels import WIDTH
from tests.grafana.promql import complaints, known, used

BOARD: dict[str, Any] = json.loads(dashboard.FILE.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel, target) for panel in PANELS for target in panel["targets"]]
FOLDER = dashboard.FILE.parent.parent


def title(item: object) -> str:
    """A test id."""
    return str(item["title"]) if isinstance(item, dict) and "title" in item else ""


def test_the_file_is_what_the_source_says() -> None:
    """`python -m grafana.dashboard` was run after the last change."""
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.text()


def test_it_can_be_provisioned() -> None:
    """A fixed uid, no id of one installation, a picked data source, a schema that Grafana 9 to 11 load."""
    assert BOARD["uid"] == "georouter"
    assert "id" not in BOARD
    assert 36 <= BOARD["schemaVersion"] <= 39
    variables = {item["name"]: item for item in BOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "instance", "zone", "service", "region"]
    assert variables["datasource"]["type"] == "datasource"
    sources = [item["datasource"] for item in (*PANELS, *(target for _, target in TARGETS))]
    sources += [item["datasource"] for item in variables.values() if item["type"] == "query"]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_panels_have_their_own_place() -> None:
    """Inside the 24 columns, none over another, ids unique, and a row above each."""
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    cells: list[tuple[str, set[tuple[int, int]]]] = []
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= WIDTH
        assert place["w"] > 0
        assert place["h"] > 0
        area = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        cells.append((panel["title"], area))
    for (first, ours), (second, theirs) in combinations(cells, 2):
        assert not ours & theirs, f"{first} lies over {second}"
    assert BOARD["panels"][0]["type"] == "row"


def test_lines_are_full() -> None:
    """Panels of one line are equally high and together as wide as the grid: no holes, nothing that wraps."""
    lines: dict[int, list[tuple[int, int]]] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        lines.setdefault(place["y"], []).append((place["w"], place["h"]))
    for y, panels in lines.items():
        assert sum(width for width, _ in panels) == WIDTH, f"the line at {y}: {panels}"
        assert len({height for _, height in panels}) == 1, f"the line at {y}: {panels}"


@pytest.mark.parametrize("panel", PANELS, ids=title)
def test_a_panel_can_be_read(panel: dict[str, Any]) -> None:
    """A title, a sentence, a unit; every query visible and named by its own letter and legend."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))
    for target in panel["targets"]:
        assert not target.get("hide")
        assert target["legendFormat"] or panel["type"] == "table"


@pytest.mark.parametrize(("panel", "target"), TARGETS, ids=title)
def test_queries_use_what_exists(panel: dict[str, Any], target: dict[str, Any]) -> None:
    """Metrics, labels, variables; the legend names only labels that the query keeps."""
    promql = target["expr"]
    assert not list(complaints(promql, known({})))
    names = {item["name"] for item in BOARD["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$(\w+)", promql)) <= names
    kept = {label for labels in re.findall(r"\bby \(([^)]*)\)", promql) for label in labels.split(", ")}
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept
    for counter in (name for name in used(promql).metrics if name.endswith(("_total", "_bucket"))):
        assert re.search(rf"(rate|increase)\({counter}|group by \([^)]*\) \({counter}", promql), counter


@pytest.mark.parametrize("variable", BOARD["templating"]["list"][1:], ids=lambda item: item["name"])
def test_variables_list_a_label_that_exists(variable: dict[str, Any]) -> None:
    """`label_values(metric, label)` of a metric with that label, and the variable is used."""
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
    assert found
    assert found[2] in known({})[found[1]]
    assert any(f"${variable['name']}" in target["expr"] for _, target in TARGETS)


def test_no_metric_is_left_out() -> None:
    """Whatever we measure can be seen."""
    seen = {re.sub(r"_(bucket|sum|count)$", "", name) for _, t in TARGETS for name in used(t["expr"]).metrics}
    assert {spec.name for spec in CATALOG} - seen == set()
    assert RELOAD_TIMESTAMP.name in seen


def test_provisioning_finds_it() -> None:
    """The provider reads a folder of dashboards, the data source is what the dashboard can pick."""
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/georouter.yaml").read_text())
    assert provider["apiVersion"] == 1
    assert provider["providers"][0]["options"]["path"].endswith("/dashboards")
    (source,) = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    scraping = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())
    assert source["type"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == scraping["global"]["scrape_interval"]
