"""Every query of the dashboard over a run, as JSON: `python -m benchmarks.monitoring.record`."""

import json
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.harness.prometheus import Prometheus, Row
from benchmarks.monitoring.story import DOCUMENTARY, Story

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = ROOT / "grafana/dashboards/georouter.json"
RECORDING = ROOT / "benchmarks/results/monitoring.json"
STEP_S = 2.0
RATE = "12s"
"""What Grafana would put for $__rate_interval at about this step."""
SETTLE_S = 5.0


def filled_in(promql: str, rate: str) -> str:
    """A query of the dashboard with its variables set to everything, as Grafana would send it."""
    for name in ("instance", "zone", "service", "region"):
        promql = promql.replace(f"${name}", ".*")
    return promql.replace("$__rate_interval", rate)


def targets(board: dict[str, Any]) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    """Every panel with each of its queries."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel, target


def main() -> None:
    """Play the story, then ask Prometheus everything that the dashboard asks."""
    board = json.loads(DASHBOARD.read_text())
    with (
        tempfile.TemporaryDirectory() as folder,
        Story(Path(folder), DOCUMENTARY) as story,
        Prometheus(Path(folder) / "prometheus", story.daemon.admin, pace=f"{STEP_S:g}s") as prometheus,
    ):
        begin = time.time() + SETTLE_S
        time.sleep(SETTLE_S)
        story.tell()
        end = time.time()
        node = "{}:{}".format(*story.daemon.admin)
        found = [
            {
                "panel": panel["id"],
                "ref": target["refId"],
                "rows": [_plain(row, node) for row in _ask(prometheus, target, begin, end)],
            }
            for panel, target in targets(board)
        ]
    RECORDING.parent.mkdir(exist_ok=True)
    RECORDING.write_text(json.dumps({"begin": begin, "end": end, "results": found}))


def _ask(prometheus: Prometheus, target: dict[str, Any], begin: float, end: float) -> list[Row]:
    promql = filled_in(target["expr"], RATE)
    return (
        prometheus.instant(promql) if target["instant"] else prometheus.over_time(promql, begin, end, STEP_S)
    )


def _plain(row: Row, node: str) -> dict[str, Any]:
    """Without the port that happened to be free."""
    labels = {key: "ns1:8053" if value == node else value for key, value in row.labels.items()}
    return {"labels": labels, "points": row.points}


if __name__ == "__main__":
    main()
