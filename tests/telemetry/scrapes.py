"""Fake counters, and reading a scrape the way Prometheus does."""

from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families

from georouter.answers.layout import REASONS, Layout, Reason, lay_out
from georouter.compiler.maps import MapSize
from georouter.telemetry.metrics import Metrics
from georouter.telemetry.source import DURATION_BOUNDS_S, Durations, PathState, Sent
from georouter.words.ids import RegionName, ServiceName

Shown = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Value by name and labels."""


class FakeSource:
    """Counters without a packet path."""

    def __init__(self, pairs: Sequence[tuple[Layout, Sequence[int]]], dropped: int = 0) -> None:
        self.pairs = pairs
        self.dropped = dropped

    def counters(self) -> Sequence[tuple[Layout, Sequence[int]]]:
        """What it was given."""
        return self.pairs

    def drops(self) -> int:
        """What it was given."""
        return self.dropped

    def failures(self) -> int:
        """A number of its own."""
        return 5

    def unsent(self) -> int:
        """A number of its own."""
        return 6

    def rate_limited(self) -> tuple[int, int]:
        """Numbers of their own."""
        return 9, 10

    def debug_questions(self) -> dict[str, int]:
        """A number of its own."""
        return {"answered": 11}

    def path(self) -> PathState:
        """Numbers of their own."""
        return PathState("native", 3, 2, 12, 13)

    @property
    def tcp_connections(self) -> int:
        """A number of its own."""
        return 7


class FakeProber:
    """One that could not probe."""

    excused = 8


class TimedSource(FakeSource):
    """One that measures durations as well."""

    def __init__(self, durations: Durations | None) -> None:
        super().__init__(())
        self.durations = durations

    def request_durations(self) -> Durations | None:
        """What it was given."""
        return self.durations


def shown(metrics: Metrics) -> Shown:
    """All samples of a scrape by name and labels, without the process's own."""
    text, _ = metrics.exposition()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name.startswith("georouter_")
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One sample, None when absent."""
    return shown(metrics).get((f"georouter_{name}", frozenset(labels.items())))


SENT = Sent("example.com", "AXFR", 7, (4, 1), "", "sent", 3, 40000, 0.5)
"""A transfer that went well."""


def busy() -> Metrics:
    """Everything said once, so that every metric has a series."""
    layout = lay_out(["example.com"], [("web", ["eu", "us"])], pinned=["web"])
    counters = [0] * layout.size
    counters[layout.tenants_of("web")] = 1
    counters[0] = 3
    counters[layout.responses_base] = 3
    counters[layout.services[0].base] = 2
    counters[layout.services[0].base + 2 * REASONS + Reason.REFUSED] = 1
    source = TimedSource(Durations([1] * (len(DURATION_BOUNDS_S) + 1), 0.5))
    source.pairs = [(layout, counters)]
    metrics = Metrics(source, FakeProber())
    metrics.region("eu", "up", "drained")
    metrics.signals("eu", {"lag": 12.0})
    metrics.transition("eu", "down")
    metrics.probe("eu", "192.0.2.1", "web", ok=True, duration_s=0.02)
    metrics.failover_active("web", active=True)
    metrics.keep_failovers({("web", "eu"), ("web", "us")})
    metrics.failover("web", "eu", "steady", 1.7e9)
    metrics.switched("web", "failover")
    metrics.promotion("web", "accepted")
    metrics.notification("web", sent=True)
    metrics.ramp("web", "us-east", 0.37, "running")
    metrics.capacity({RegionName("eu"): 1005.0}, {RegionName("eu"): 1.5})
    metrics.braking(active=True)
    metrics.brake_froze()
    metrics.overrides([("eu", "drain")])
    metrics.alias("lb.vendor.test", "fresh", 1.7e9)
    metrics.alias_asked(ok=True)
    metrics.reload(ok=True, at=1.7e9)
    metrics.serving_last_good(serving=False)
    metrics.compiled("plan", 0.5)
    metrics.published(7, 0.03)
    metrics.geo_database(1.6e9, "builtin")
    metrics.maps([MapSize(ServiceName("web"), 2, 6, 81234, 60321, 1373724)])
    metrics.build_info("1.2.3")
    metrics.state_save_failed()
    metrics.receive_buffer(4194304)
    metrics.zone_serials({"example.com": 7})
    metrics.transferred(SENT)
    metrics.notified("example.com", "acknowledged")
    return metrics
