"""`Metrics`: what is said to it is what a scrape shows."""

from dataclasses import replace

from georouter.compiler.maps import MapSize
from georouter.telemetry.metrics import Metrics
from georouter.telemetry.source import DURATION_BOUNDS_S, Durations
from georouter.words.ids import ServiceName
from tests.telemetry.scrapes import SENT, FakeSource, TimedSource, shown, value


def test_durations() -> None:
    """Sampled durations become a cumulative histogram; a source without them shows none."""
    counts = [0] * (len(DURATION_BOUNDS_S) + 1)
    counts[0], counts[3], counts[-1] = 5, 2, 1
    metrics = Metrics(TimedSource(Durations(counts, 0.25)))
    assert value(metrics, "dns_request_duration_seconds_bucket", le="2e-06") == 5
    assert value(metrics, "dns_request_duration_seconds_bucket", le="2e-05") == 7
    assert value(metrics, "dns_request_duration_seconds_bucket", le="+Inf") == 8
    assert value(metrics, "dns_request_duration_seconds_count") == 8
    assert value(metrics, "dns_request_duration_seconds_sum") == 0.25
    for source in (TimedSource(None), FakeSource(())):
        assert value(Metrics(source), "dns_request_duration_seconds_count") is None


def test_region_states() -> None:
    """Observed and effective state are told apart; exactly one effective state is 1."""
    metrics = Metrics()
    metrics.region("eu", "up", "drained")
    assert value(metrics, "region_healthy", region="eu") == 1
    states = {
        state: value(metrics, "region_state", region="eu", state=state)
        for state in ("up", "unknown", "drained", "down")
    }
    assert states == {"up": 0, "unknown": 0, "drained": 1, "down": 0}
    assert value(metrics, "health_transitions_total", region="eu", state="down") == 0
    metrics.region("eu", "down", "down")
    metrics.transition("eu", "down")
    assert value(metrics, "region_healthy", region="eu") == 0
    assert value(metrics, "region_state", region="eu", state="drained") == 0
    assert value(metrics, "health_transitions_total", region="eu", state="down") == 1


def test_probes() -> None:
    """The last result per endpoint, and all durations per region and check."""
    metrics = Metrics()
    metrics.probe("eu", "192.0.2.1", "web", ok=True, duration_s=0.02)
    metrics.probe("eu", "192.0.2.1", "web", ok=False, duration_s=2.0)
    metrics.probe("eu", "192.0.2.2", "web", ok=True, duration_s=20.0)
    assert value(metrics, "probe_success", region="eu", endpoint="192.0.2.1", check="web") == 0
    assert value(metrics, "probe_success", region="eu", endpoint="192.0.2.2", check="web") == 1
    assert value(metrics, "probe_duration_seconds_count", region="eu", check="web") == 3
    assert value(metrics, "probe_duration_seconds_bucket", region="eu", check="web", le="2.0") == 2
    assert value(metrics, "probe_duration_seconds_sum", region="eu", check="web") == 22.02


def test_overrides_end() -> None:
    """An override that is over has no series."""
    metrics = Metrics()
    metrics.overrides([("eu", "drain"), ("us", "force_down")])
    assert value(metrics, "override_active", region="us", kind="force_down") == 1
    metrics.overrides([("eu", "drain")])
    assert value(metrics, "override_active", region="us", kind="force_down") is None
    assert value(metrics, "override_active", region="eu", kind="drain") == 1


def test_reloads() -> None:
    """A failed reload keeps the time of the last one that succeeded."""
    metrics = Metrics()
    assert value(metrics, "config_reloads_total", result="failure") == 0
    metrics.reload(ok=True, at=100.0)
    metrics.reload(ok=False, at=200.0)
    assert value(metrics, "config_last_reload_successful") == 0
    assert value(metrics, "config_last_reload_success_timestamp_seconds") == 100
    assert value(metrics, "config_reloads_total", result="success") == 1
    assert value(metrics, "config_reloads_total", result="failure") == 1


def test_one_geo_database_at_a_time() -> None:
    """Another database replaces the series of the one before."""
    metrics = Metrics()
    metrics.geo_database(1.0, "builtin")
    metrics.geo_database(2.0, "city.mmdb")
    assert value(metrics, "geo_database_build_timestamp_seconds", database="builtin") is None
    assert value(metrics, "geo_database_build_timestamp_seconds", database="city.mmdb") == 2


def test_maps_come_and_go() -> None:
    """Those of the plan in use, and no others."""
    metrics = Metrics()
    web, api = ServiceName("web"), ServiceName("api")
    metrics.maps([MapSize(web, 1, 2, 3, 2, 48), MapSize(api, 1, 1, 1, 1, 20)])
    metrics.maps([MapSize(web, 1, 2, 5, 4, 88)])
    assert value(metrics, "map_ranges", map="web", family="ipv4") == 5
    assert value(metrics, "map_ranges", map="web", family="ipv6") == 4
    assert value(metrics, "map_bytes", map="web") == 88
    assert value(metrics, "map_bytes", map="api") is None


def regions_shown(metrics: Metrics) -> set[str]:
    """Every region label in a scrape."""
    return {text for _, labels in shown(metrics) for name, text in labels if name == "region"}


def two_regions() -> Metrics:
    """Two regions and two services, everything said about each."""
    metrics = Metrics()
    for region in ("eu", "us"):
        metrics.region(region, "up", "up")
        metrics.transition(region, "up")
        metrics.probe(region, "192.0.2.1", "web", ok=True, duration_s=0.1)
    metrics.overrides([("eu", "drain"), ("us", "drain")])
    metrics.failover_active("web", active=False)
    metrics.failover_active("api", active=True)
    return metrics


def test_forgetting_a_region() -> None:
    """No series of a removed region stays; the other region keeps all of its own."""
    metrics = two_regions()
    before = {key for key in shown(metrics) if ("region", "us") in key[1]}
    metrics.forget_region("eu")
    assert regions_shown(metrics) == {"us"}
    assert before <= set(shown(metrics))


def test_forgetting_a_service() -> None:
    """No series of a removed service stays."""
    metrics = two_regions()
    metrics.forget_service("web")
    assert value(metrics, "failover_active", service="web") is None
    assert value(metrics, "failover_active", service="api") == 1


def test_keeping_what_a_reload_left() -> None:
    """Regions, services and probed endpoints that are not named lose their series."""
    metrics = two_regions()
    metrics.probe("us", "192.0.2.9", "other", ok=True, duration_s=0.1)
    metrics.keep(regions={"us"}, services={"api"}, probes={("us", "192.0.2.1", "web")})
    assert regions_shown(metrics) == {"us"}
    assert value(metrics, "failover_active", service="web") is None
    assert value(metrics, "probe_success", region="us", endpoint="192.0.2.9", check="other") is None
    assert value(metrics, "probe_duration_seconds_count", region="us", check="other") is None
    assert value(metrics, "probe_success", region="us", endpoint="192.0.2.1", check="web") == 1


def test_registries_are_apart() -> None:
    """Two daemons in one process share nothing."""
    one, two = Metrics(), Metrics()
    one.published(5, 0.1)
    assert value(one, "snapshot_generation") == 5
    assert value(two, "snapshot_generation") is None


def test_failovers() -> None:
    """One phase and one active region are 1; what a reload drops is gone, what it adds begins at 0."""
    metrics = Metrics()
    metrics.keep_failovers({("web", "eu"), ("web", "us")})
    assert value(metrics, "failover_switches_total", service="web", kind="failback") == 0
    metrics.failover("web", "us", "promoting", None)
    assert value(metrics, "failover_phase", service="web", phase="promoting") == 1
    assert value(metrics, "failover_phase", service="web", phase="steady") == 0
    assert value(metrics, "failover_region", service="web", region="us") == 1
    assert value(metrics, "failover_region", service="web", region="eu") == 0
    assert value(metrics, "failover_last_switch_timestamp_seconds", service="web") is None
    metrics.failover("web", "eu", "steady", 5.0)
    assert value(metrics, "failover_region", service="web", region="us") == 0
    assert value(metrics, "failover_last_switch_timestamp_seconds", service="web") == 5
    metrics.keep_failovers(set())
    assert value(metrics, "failover_phase", service="web", phase="steady") is None
    assert value(metrics, "failover_region", service="web", region="eu") is None


def test_secondaries() -> None:
    """Transfers and notifications by zone; those of zones that nobody copies any more go."""
    metrics = Metrics()
    metrics.zone_serials({"example.com": 7, "example.net": 8})
    for sent in (SENT, SENT, replace(SENT, result="cut", octets=10)):
        metrics.transferred(sent)
    metrics.notified("example.net", "refused")
    assert value(metrics, "zone_serial", zone="example.com") == 7
    assert value(metrics, "zone_transfers_total", zone="example.com", kind="AXFR", result="sent") == 2
    assert value(metrics, "zone_transfers_total", zone="example.com", kind="AXFR", result="cut") == 1
    assert value(metrics, "zone_transfer_bytes_total", zone="example.com") == 80010
    assert value(metrics, "notify_total", zone="example.net", result="refused") == 1
    metrics.zone_serials({"example.net": 9})
    assert value(metrics, "zone_serial", zone="example.net") == 9
    assert value(metrics, "zone_serial", zone="example.com") is None
    assert value(metrics, "zone_transfer_bytes_total", zone="example.com") is None
    assert value(metrics, "notify_total", zone="example.net", result="refused") == 1
