"""Alerting and recording rules: complete, explained, tested, and about metrics that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.dashboard import GEO_AGE_LIMIT_S, SERVFAIL_LIMIT
from tests.grafana.promql import complaints, known

ROOT = Path(__file__).parent.parent.parent
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "grafana/prometheus/rules/georouter.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDS = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
CASES: list[dict[str, Any]] = [
    case
    for file in sorted((ROOT / "tests/grafana/alerts").glob("*.yaml"))
    for test in yaml.safe_load(file.read_text())["tests"]
    for case in test.get("alert_rule_test", ())
]
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def name(rule: dict[str, Any]) -> str:
    """A test id."""
    return str(rule.get("alert") or rule["record"])


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_rules_use_what_exists(rule: dict[str, Any]) -> None:
    """Metrics of the catalogue or recorded ones, with labels that they have."""
    assert not list(complaints(rule["expr"], known(RECORDS)))


@pytest.mark.parametrize("rule", ALERTS, ids=name)
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """A severity, a summary, a description, and a section of the runbook with its three parts."""
    assert rule["labels"]["severity"] in {"critical", "warning"}
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    assert notes["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    (section,) = re.findall(rf"^## {rule['alert']}\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert all(part in section for part in ("**Means:**", "**Check:**", "**Do:**"))


def test_the_runbook_has_no_other_sections() -> None:
    """In the order of the rules file's groups or not, the same alerts."""
    assert set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=name)
def test_an_alert_is_tested_both_ways(rule: dict[str, Any]) -> None:
    """It fires in one case and stays silent in another (`promtool test rules` runs them in tests/live)."""
    expected = [bool(case["exp_alerts"]) for case in CASES if case["alertname"] == rule["alert"]]
    assert True in expected
    assert False in expected


def test_the_dashboard_draws_the_same_lines() -> None:
    """A panel turns red where an alert fires."""
    (old,) = (rule["expr"] for rule in ALERTS if rule["alert"] == "GeorouterGeoDataOld")
    (servfail,) = (rule["expr"] for rule in ALERTS if rule["alert"] == "GeorouterServfail")
    assert old.endswith(f"> {GEO_AGE_LIMIT_S // 86400} * 86400")
    assert servfail.endswith(f"> {SERVFAIL_LIMIT}")
