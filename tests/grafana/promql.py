"""Reading PromQL well enough to know which metrics and labels a query uses."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from georouter.telemetry.catalog import CATALOG, Kind

TARGET = frozenset({"job", "instance"})
"""Labels that Prometheus adds."""
WORDS = frozenset(
    ("by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless")
)
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Used:
    """`selected`: (metric, label) of every matcher; `grouped`: labels of by, on, ignoring and the like."""

    metrics: frozenset[str]
    selected: frozenset[tuple[str, str]]
    grouped: frozenset[str]


def used(promql: str) -> Used:
    """What a query names. Strings and durations are set aside first."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', promql)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    selected = {
        (metric, label)
        for metric, matchers in SELECTOR.findall(bare)
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)
    }
    grouped = {label for labels in GROUPING.findall(bare) for label in re.findall(r"\w+", labels)}
    rest = GROUPING.sub(" ", re.sub(r"\{[^}]*\}", " ", bare))
    names = {
        name
        for name, call in re.findall(r"(?<![\w:.])([a-zA-Z_:][\w:]*)(\s*\()?", rest)
        if not call and name not in WORDS
    }
    return Used(frozenset(names), frozenset(selected), frozenset(grouped))


def known(records: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Every series name there is with its labels: ours, the process's, `up`, and recorded ones."""
    found: dict[str, frozenset[str]] = {"up": TARGET}
    for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds"):
        found[f"process_{name}"] = TARGET
    for spec in CATALOG:
        labels = TARGET | set(spec.labels)
        if spec.kind is Kind.HISTOGRAM:
            found |= {f"{spec.name}_sum": labels, f"{spec.name}_count": labels}
            found[f"{spec.name}_bucket"] = labels | {"le"}
        else:
            found[spec.name] = labels
    for name, promql in records.items():
        first = used(promql)
        found[name] = frozenset(first.grouped) - {"le"} | TARGET
    return found


def complaints(promql: str, names: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Metrics and labels in a query that do not exist."""
    what = used(promql)
    for metric in sorted(what.metrics - names.keys()):
        yield f"no metric {metric}"
    for metric, label in sorted(what.selected):
        if label not in names.get(metric, frozenset()):
            yield f"{metric} has no label {label}"
    possible = frozenset[str]().union(*(names.get(metric, frozenset()) for metric in what.metrics))
    for label in sorted(what.grouped - possible):
        yield f"no metric of the query has the label {label}"
