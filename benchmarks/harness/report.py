"""What was measured beside what must hold: a table for people, JSON for later."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """`limit` is the largest value that is fine (`at_least`: the smallest); None when only told."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value keeps its limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Report:
    """Collects rows; `finish` prints, writes and exits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[Row] = []

    def add(
        self, what: str, value: float, unit: str, limit: float | None = None, *, at_least: bool = False
    ) -> None:
        """One measurement, shown at once."""
        row = Row(what, value, unit, limit, at_least)
        self.rows.append(row)
        bound = "" if limit is None else f"  ({'at least' if at_least else 'at most'} {limit:g} {unit})"
        verdict = " " if row.holds else "!"
        print(f"{verdict} {what:<58} {value:>10.3f} {unit}{bound}", flush=True)

    def finish(self, **details: object) -> None:
        """Write `results/<name>.json`, with `details`; exit 1 when something does not hold."""
        RESULTS.mkdir(exist_ok=True)
        body = {
            "benchmark": self.name,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "rows": [{**asdict(row), "holds": row.holds} for row in self.rows],
            **details,
        }
        (RESULTS / f"{self.name}.json").write_text(json.dumps(body, indent=2) + "\n")
        sys.exit(0 if all(row.holds for row in self.rows) else 1)
