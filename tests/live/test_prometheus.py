"""Scraped by a real Prometheus, linted by promtool, asked everything that dashboard and rules ask."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.policies import ASHBURN, LONDON, SINGAPORE
from benchmarks.harness.prometheus import Prometheus
from benchmarks.harness.wait import until
from benchmarks.monitoring.record import DASHBOARD, filled_in, targets
from benchmarks.monitoring.story import QUICK, Story

pytestmark = pytest.mark.live
ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "grafana/prometheus/rules/georouter.yaml"
CASES = sorted((ROOT / "tests/grafana/alerts").glob("*.yaml"))
QUIET = {"GeorouterNoTargets"}
"""Alerts whose expression has no value while all is well, even without its comparison."""


def promtool(program: str, *words: object, text: str = "") -> tuple[int, str]:
    """Its exit code and everything it printed."""
    done = subprocess.run(
        [program, *map(str, words)],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_promtool_finds_nothing_to_complain_about(need: Callable[[str], str], daemon: Daemon) -> None:
    """Names, types and help follow the conventions."""
    daemon.ask("www.example.com", client=LONDON)
    code, text = daemon.get("/metrics")
    assert code == 200
    assert promtool(need("promtool"), "check", "metrics", text=text) == (0, "")


def test_the_configuration_and_the_rules_are_valid(need: Callable[[str], str]) -> None:
    """Prometheus would start with them."""
    config = RULES.parent.parent / "prometheus.yml"
    code, printed = promtool(need("promtool"), "check", "config", config)
    assert code == 0, printed
    code, printed = promtool(need("promtool"), "check", "rules", RULES)
    assert code == 0, printed


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should(need: Callable[[str], str], cases: Path) -> None:
    """The cases of tests/grafana/alerts, played by promtool."""
    code, printed = promtool(need("promtool"), "test", "rules", cases)
    assert code == 0, printed


def test_prometheus_scrapes_and_counts(need: Callable[[str], str], daemon: Daemon, tmp_path: Path) -> None:
    """The target is up, and what we asked is what it counts."""
    with Prometheus(tmp_path, daemon.admin, pace="200ms", program=need("prometheus")) as prometheus:
        count = 'sum(georouter_dns_requests_total{type="A",proto="udp"})'
        before = prometheus.value(count) or 0.0
        for _ in range(25):
            daemon.ask("www.example.com", client=LONDON)
        until(lambda: (prometheus.value(count) or 0.0) >= before + 25, "the queries in a scrape")
        assert prometheus.value("max(georouter_build_info)") == 1
        assert prometheus.value('sum(georouter_routing_decisions_total{region="eu-west"})') is not None


@pytest.mark.alone
def test_scraping_loses_nothing(daemon: Daemon) -> None:
    """2,000 queries a second and fifty scrapes a second beside them: every query is answered."""
    stop = threading.Event()
    scrapes: list[int] = []

    def scrape() -> None:
        while not stop.wait(0.02):
            scrapes.append(daemon.get("/metrics")[0])

    load = Load(daemon.address, [("www.example.com", where) for where in (LONDON, ASHBURN, SINGAPORE)], 2000)
    thread = threading.Thread(target=scrape)
    before = daemon.metric("georouter_dns_requests_total", type="A", proto="udp")
    thread.start()
    try:
        with load:
            time.sleep(3)
    finally:
        stop.set()
        thread.join()
    assert load.lost == 0
    assert load.sent > 3000
    assert len(scrapes) > 20
    assert set(scrapes) == {200}
    assert daemon.metric("georouter_dns_requests_total", type="A", proto="udp") == before + load.sent


@pytest.fixture(scope="module")
def observed(
    need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Prometheus, float, float]]:
    """A Prometheus with our rules that has seen a region die, a broken policy and a drain; and since when."""
    folder = tmp_path_factory.mktemp("story")
    program = need("prometheus")
    with (
        Story(folder, QUICK) as story,
        Prometheus(
            folder / "prometheus", story.daemon.admin, pace="250ms", rules=[RULES], program=program
        ) as prometheus,
    ):
        begin = time.time()
        time.sleep(1)
        story.tell()
        yield prometheus, begin, time.time()


def test_every_query_of_the_dashboard_has_data(observed: tuple[Prometheus, float, float]) -> None:
    """Each parses, gives series with finite values, and these carry the labels that their legend names."""
    prometheus, begin, end = observed
    empty = []
    for panel, target in targets(json.loads(DASHBOARD.read_text())):
        promql = filled_in(target["expr"], "2s")
        rows = prometheus.over_time(promql, begin, end, 0.5)
        if not any(value == value for row in rows for _, value in row.points):  # noqa: PLR0124 - not NaN
            empty.append((panel["title"], promql))
        for row in rows:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= set(row.labels), promql
    assert not empty


def test_every_rule_is_evaluated(observed: tuple[Prometheus, float, float]) -> None:
    """None fails; recordings have series; what alerts compare has data, and the drain is waited for."""
    prometheus, begin, end = observed
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert {state for _, state in prometheus.rule_health()} == {"ok"}
    assert len(prometheus.rule_health()) == len(rules)
    for rule in rules:
        if rule.get("alert") in QUIET:
            continue
        compared = re.sub(r"(?s)\s(==|>)\s[\d. *]+$", "", rule["expr"])
        if "record" in rule:
            compared = rule["record"]
        compared = re.sub(r"\[\d+m\]", "[5s]", compared)
        assert prometheus.over_time(compared, begin, end, 0.5), rule
    assert ("GeorouterOverrideForgotten", "pending") in prometheus.alerts()
    assert ("GeorouterFailoverTooLong", "pending") in prometheus.alerts()


def test_the_story_is_told(observed: tuple[Prometheus, float, float]) -> None:
    """What happened is what Prometheus saw."""
    prometheus, begin, end = observed

    def seen(promql: str) -> set[float]:
        return {value for row in prometheus.over_time(promql, begin, end, 0.25) for _, value in row.points}

    assert seen('georouter_region_healthy{region="eu-west"}') == {0.0, 1.0}
    assert seen('georouter_failover_active{service="web"}') == {0.0, 1.0}
    assert seen("georouter_config_last_reload_successful") == {0.0, 1.0}
    assert seen('georouter_override_active{region="us-east",kind="drain"}') == {1.0}
    reasons: dict[str, Any] = {
        row.labels["reason"]: row.points[-1][1]
        for row in prometheus.over_time(
            "sum by (reason) (georouter_routing_decisions_total)", begin, end, 0.5
        )
    }
    assert {"primary", "failover", "forced"} <= {reason for reason, count in reasons.items() if count > 0}
    assert seen("georouter_dns_failures_total") == {0.0}
