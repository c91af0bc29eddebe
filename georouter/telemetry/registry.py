"""What a scrape renders, as `prometheus-client` wants it. Imported at the first scrape."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from georouter.telemetry import catalog
from georouter.telemetry.series import Histogram, Series, cumulative
from georouter.telemetry.source import DURATION_BOUNDS_S, CounterSource, DurationSource, ProbeSource


class Sources(Protocol):
    """Where counters come from that nobody pushes; None until they exist."""

    source: CounterSource | None
    probes: ProbeSource | None


def make_registry(items: Iterable[Series | Histogram], sources: Sources) -> CollectorRegistry:
    """All metrics but the wide ones, which `Exposition` renders, and those of the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Pushed(items))
    registry.register(_Pulled(sources))
    ProcessCollector(registry=registry)
    return registry


def family(item: Series | Histogram) -> Metric:
    """All series of one metric."""
    spec = item.spec
    if isinstance(item, Histogram):
        histogram = HistogramMetricFamily(spec.name, spec.help, labels=spec.labels)
        for labels, buckets, total in item.buckets():
            histogram.add_metric(labels, buckets, total)
        return histogram
    make = CounterMetricFamily if spec.kind is catalog.Kind.COUNTER else GaugeMetricFamily
    plain = make(spec.name, spec.help, labels=spec.labels)
    for labels, value in item.values():
        plain.add_metric(labels, value)
    return plain


class _Pushed(Collector):
    """What the control loop said, for the registry."""

    def __init__(self, items: Iterable[Series | Histogram]) -> None:
        self._items = items

    def collect(self) -> Iterator[Metric]:
        for item in self._items:
            yield family(item)


class _Pulled(Collector):
    """What the packet path and the prober count in one number; the wide ones are rendered by `Exposition`."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        if self._sources.source is not None:
            yield from _of_packet_path(self._sources.source)
        if self._sources.probes is not None:
            yield _counter(catalog.EXCUSED, self._sources.probes.excused)


def _of_packet_path(source: CounterSource) -> Iterator[Metric]:
    yield _counter(catalog.DROPS, source.drops())
    yield _counter(catalog.FAILURES, source.failures())
    yield _counter(catalog.UNSENT, source.unsent())
    limited = CounterMetricFamily(
        catalog.RATE_LIMITED.name, catalog.RATE_LIMITED.help, labels=catalog.RATE_LIMITED.labels
    )
    for action, count in zip(("slip", "drop"), source.rate_limited(), strict=True):
        limited.add_metric((action,), count)
    yield limited
    debug = CounterMetricFamily(catalog.DEBUG.name, catalog.DEBUG.help, labels=catalog.DEBUG.labels)
    for result, count in source.debug_questions().items():
        debug.add_metric((result,), count)
    yield debug
    path = source.path()
    workers = GaugeMetricFamily(catalog.WORKERS.name, catalog.WORKERS.help, labels=catalog.WORKERS.labels)
    workers.add_metric((path.name,), path.living)
    yield workers
    punted = CounterMetricFamily(catalog.PUNTED.name, catalog.PUNTED.help, labels=catalog.PUNTED.labels)
    punted.add_metric(("taken",), path.punted)
    punted.add_metric(("full",), path.overflowed)
    yield punted
    connections = catalog.TCP_CONNECTIONS
    yield GaugeMetricFamily(connections.name, connections.help, value=source.tcp_connections)
    durations = source.request_durations() if isinstance(source, DurationSource) else None
    if durations is not None:
        family = HistogramMetricFamily(catalog.DURATION.name, catalog.DURATION.help)
        family.add_metric((), cumulative(DURATION_BOUNDS_S, durations.counts), durations.sum_s)
        yield family


def _counter(spec: catalog.Spec, value: int) -> Metric:
    return CounterMetricFamily(spec.name, spec.help, value=value)
