"""The text of a scrape: the flat counters under their labels, both formats, fast enough."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from georouter.answers.layout import FAMILIES, PROTOS, RCODES, REASONS, TYPES, Reason, lay_out
from georouter.telemetry.catalog import PULLED
from georouter.telemetry.metrics import Metrics
from tests.telemetry.scrapes import FakeSource, busy, shown, value

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def test_packet_counters() -> None:
    """Each flat counter appears under the labels of its place; zeros do not, except primary decisions."""
    layout = lay_out(["example.com"], [("web", ["eu", "us"])])
    counters = [0] * layout.size
    counters[(((0 * PROTOS) + 1) * FAMILIES + 1) * TYPES + 1] = 5  # example.com, TCP, IPv6, AAAA
    counters[1 * PROTOS * FAMILIES * TYPES + TYPES - 1] = 2  # no zone, UDP, IPv4, other
    counters[layout.responses_base + 3] = 4  # NXDOMAIN
    counters[layout.responses_base + RCODES + 16] = 1  # no zone, BADVERS
    web = layout.services[0].base
    counters[web + REASONS + Reason.FAILOVER] = 6
    counters[web + 2 * REASONS + Reason.ALL_DOWN] = 7
    counters[web + 2 * REASONS + Reason.REFUSED] = 8
    metrics = Metrics(FakeSource([(layout, counters)], dropped=9))
    pulled = {spec.name for spec in PULLED}

    def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
        return f"georouter_{name}_total", frozenset(labels.items())

    assert {name: count for name, count in shown(metrics).items() if name[0] in pulled} == {
        key("dns_requests", zone="example.com", proto="tcp", family="ipv6", type="AAAA"): 5,
        key("dns_requests", zone="none", proto="udp", family="ipv4", type="other"): 2,
        key("dns_responses", zone="example.com", rcode="NXDOMAIN"): 4,
        key("dns_responses", zone="none", rcode="BADVERS"): 1,
        key("routing_decisions", service="web", region="eu", reason="primary"): 0,
        key("routing_decisions", service="web", region="us", reason="primary"): 0,
        key("routing_decisions", service="web", region="us", reason="failover"): 6,
        key("routing_decisions", service="web", region="none", reason="all_down"): 7,
        key("residency_refusals", service="web"): 8,
        key("kernel_receive_drops"): 9,
        key("dns_failures"): 5,
        key("dns_unsent"): 6,
        key("dns_rate_limited", action="slip"): 9,
        key("dns_rate_limited", action="drop"): 10,
        key("dns_debug", result="answered"): 11,
        key("dns_punted", result="taken"): 12,
        key("dns_punted", result="full"): 13,
        ("georouter_udp_workers", frozenset({("path", "native")})): 2,
        ("georouter_tcp_connections", frozenset()): 7,
    }


def test_names_that_would_collide() -> None:
    """A zone or region called `none`, and the root zone, keep series of their own."""
    layout = lay_out(["none", ""], [("web", ["none"])])
    counters = [1] * layout.size
    text, _ = Metrics(FakeSource([(layout, counters)])).exposition()
    lines = [line.rpartition(" ")[0] for line in text.decode().splitlines() if not line.startswith("#")]
    assert len(set(lines)) == len(lines)
    assert {line.split('zone="')[1].split('"')[0] for line in lines if "dns_responses" in line} == {
        "none",
        "none.",
        ".",
    }


def test_labels_are_escaped() -> None:
    """Quotes, backslashes and line breaks in names (which the policy forbids) cannot break the text."""
    name = 'a"b\\c\nd'
    layout = lay_out([], [(name, ["eu"])])
    metrics = Metrics(FakeSource([(layout, [0] * layout.size)]))
    assert value(metrics, "routing_decisions_total", service=name, region="eu", reason="primary") == 0


def test_a_reload_changes_the_layout() -> None:
    """Series of removed services go, the others keep counting, the texts follow the new layout."""
    old = lay_out(["example.com"], [("web", ["eu"]), ("gone", ["eu"])])
    new = lay_out(["example.com"], [("web", ["us", "eu"])])
    source = FakeSource([(old, [1] * old.size)])
    metrics = Metrics(source)
    assert value(metrics, "routing_decisions_total", service="gone", region="eu", reason="primary") == 1
    source.pairs = [(old, [1] * old.size), (new, [10] * new.size)]
    assert value(metrics, "routing_decisions_total", service="gone", region="eu", reason="primary") is None
    assert value(metrics, "routing_decisions_total", service="web", region="eu", reason="primary") == 11
    assert value(metrics, "routing_decisions_total", service="web", region="us", reason="primary") == 10


def samples(text: bytes, *, as_openmetrics: bool) -> Iterator[tuple[str, frozenset[tuple[str, str]], float]]:
    """Our samples, read by Prometheus's own parser of either format."""
    parse = openmetrics.text_string_to_metric_families if as_openmetrics else text_string_to_metric_families
    for family in parse(text.decode()):
        for sample in family.samples:
            if sample.name.startswith("georouter_"):
                yield sample.name, frozenset(sample.labels.items()), sample.value


def test_formats_agree() -> None:
    """Both formats parse strictly and hold the same samples; the content type says which it is."""
    metrics = busy()
    plain, plain_type = metrics.exposition("text/plain;version=0.0.4")
    modern, modern_type = metrics.exposition(f"{OPENMETRICS},text/plain;q=0.5")
    assert plain_type.startswith("text/plain; version=0.0.4")
    assert modern_type.startswith("application/openmetrics-text; version=1.0.0")
    assert modern.endswith(b"# EOF\n")
    assert modern.count(b"# EOF") == 1
    assert set(samples(modern, as_openmetrics=True)) == set(samples(plain, as_openmetrics=False))


def promtool() -> str:
    """Its path; without it the test is skipped, and in CI it fails."""
    path = shutil.which("promtool")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("promtool is not installed: apt-get install prometheus")
    if path is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return path


@pytest.mark.live
def test_promtool_is_content() -> None:
    """Prometheus's own linter finds nothing to complain about."""
    text, _ = busy().exposition()
    done = subprocess.run(
        [promtool(), "check", "metrics"], input=text, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.alone
def test_a_large_policy_is_scraped_quickly() -> None:
    """30,000 series (1,000 services in 30 regions) hold the control loop for a fraction of 0.1 s.

    Measured at 0.03 s; the bound leaves room for a busy machine.
    """
    regions = [f"region-{index}" for index in range(30)]
    layout = lay_out(
        [f"zone-{index}.test" for index in range(100)],
        [(f"service-{index}", regions) for index in range(1000)],
    )
    counters = [0] * layout.size
    for service in layout.services:
        counters[service.base : service.base + 30 * REASONS : REASONS] = [12345] * 30
    metrics = Metrics(FakeSource([(layout, counters)]))
    first, _ = metrics.exposition()
    assert first.count(b"georouter_routing_decisions_total{") == 30_000
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        metrics.exposition(OPENMETRICS)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.2
