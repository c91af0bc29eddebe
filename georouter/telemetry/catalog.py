"""Every metric of ours: name, kind, labels and help. `docs/metrics.md` says the same (a test compares).

House rules, held by tests: prefix `georouter_`, base units, `_total` on counters and on nothing
else, and no client address or query name in a label.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus metric types that we use."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric. `name` is what is typed into a query (a counter's ends with `_total`)."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


def _counter(name: str, labels: tuple[str, ...], text: str) -> Spec:
    return Spec(f"georouter_{name}_total", Kind.COUNTER, labels, text)


def _gauge(name: str, labels: tuple[str, ...], text: str) -> Spec:
    return Spec(f"georouter_{name}", Kind.GAUGE, labels, text)


def _histogram(name: str, labels: tuple[str, ...], text: str) -> Spec:
    return Spec(f"georouter_{name}", Kind.HISTOGRAM, labels, text)


REQUESTS = _counter("dns_requests", ("zone", "proto", "family", "type"), "DNS queries received.")
RESPONSES = _counter("dns_responses", ("zone", "rcode"), "DNS responses sent.")
DECISIONS = _counter(
    "routing_decisions",
    ("service", "region", "reason"),
    "Answers given for a service, by the region that came first in them.",
)
REFUSALS = _counter(
    "residency_refusals", ("service",), "Answers without a region because a residency fence left none."
)
TENANT_QUERIES = _counter(
    "tenant_queries",
    ("service", "tenant"),
    "Queries for names of tenants: known, or unknown to the directory. All tenants together.",
)
DROPS = _counter(
    "kernel_receive_drops", (), "Datagrams the kernel dropped because a receive buffer was full."
)
FAILURES = _counter(
    "dns_failures", (), "Queries answered with SERVFAIL because answering them failed: a fault of ours."
)
UNSENT = _counter("dns_unsent", (), "Answers over UDP that the kernel would not take.")
RATE_LIMITED = _counter(
    "dns_rate_limited", ("action",), "Responses that rate limiting made small (slip) or left out (drop)."
)
DEBUG = _counter(
    "dns_debug",
    ("result",),
    "Questions for debug names: answered, failed, limited (of one client), dropped (too many at once).",
)
WORKERS = _gauge(
    "udp_workers",
    ("path",),
    "UDP workers that run, by the packet path that answers: native, or python.",
)
PUNTED = _counter(
    "dns_punted",
    ("result",),
    "Queries that the native packet path left to Python: taken, or full (too many waited; the client was "
    "told to come over TCP).",
)
TCP_CONNECTIONS = _gauge("tcp_connections", (), "TCP connections of DNS clients that are open now.")
DURATION = _histogram(
    "dns_request_duration_seconds", (), "Time from receive to send per query, from sampled batches."
)

REGION_HEALTHY = _gauge(
    "region_healthy", ("region",), "0 while health checks say that the region is down, else 1."
)
REGION_STATE = _gauge(
    "region_state", ("region", "state"), "1 for the state that answers act on (overrides included), else 0."
)
REGION_HEALTH = _gauge(
    "region_health_ratio",
    ("region",),
    "What the region's weight is multiplied by: 1, or less while signals of its endpoints are degraded.",
)
REGION_SIGNAL = _gauge(
    "region_signal",
    ("region", "signal"),
    "Last value of a signal, of the endpoint of the region where it is worst.",
)
PROBE_DURATION = _histogram("probe_duration_seconds", ("region", "check"), "Duration of health probes.")
PROBE_SUCCESS = _gauge(
    "probe_success",
    ("region", "endpoint", "check"),
    "1 if the last health probe of the endpoint succeeded, else 0.",
)
EXCUSED = _counter(
    "probe_excused",
    (),
    "Health probes that failed for reasons of this node (no files left, a stall) and were not believed.",
)
TRANSITIONS = _counter(
    "health_transitions", ("region", "state"), "Changes of a region's observed state, by the state entered."
)
FAILOVER_ACTIVE = _gauge(
    "failover_active",
    ("service",),
    "1 while a region that is not available moves clients of the service, else 0.",
)
FAILOVER_PHASE = _gauge(
    "failover_phase",
    ("service", "phase"),
    "1 for the phase that the service's failover step is in, else 0.",
)
FAILOVER_REGION = _gauge(
    "failover_region", ("service", "region"), "1 for the region that the failover step has active, else 0."
)
FAILOVER_SWITCHED = _gauge(
    "failover_last_switch_timestamp_seconds",
    ("service",),
    "When the failover step last changed its active region (Unix time).",
)
FAILOVER_SWITCHES = _counter(
    "failover_switches", ("service", "kind"), "Changes of the failover step's active region."
)
PROMOTIONS = _counter(
    "failover_promotions", ("service", "reply"), "Calls of the promotion hook, by what came of them."
)
NOTIFICATIONS = _counter(
    "failover_notifications", ("service", "result"), "Notices of switches, by whether the webhook took them."
)
RAMP_PART = _gauge(
    "ramp_part", ("service", "region"), "The part of the client networks (0 to 1) that a ramp has come to."
)
RAMP_PHASE = _gauge(
    "ramp_phase", ("service", "phase"), "1 for the phase that the service's ramp is in, else 0."
)
PLANNED_LOAD = _gauge(
    "capacity_planned_load",
    ("region",),
    "What the capacity plan in use puts on the region, in the unit of the policy's capacities.",
)
OVERLOAD = _gauge(
    "capacity_overload_ratio",
    ("region",),
    "For regions that the plan had to load beyond their limit: load by limit; absent otherwise.",
)
BRAKE_ACTIVE = _gauge(
    "brake_active", (), "1 while most regions failed at once and the brake keeps answers as they were."
)
BRAKE_FREEZES = _counter("brake_freezes", (), "How often the brake took hold.")
OVERRIDE_ACTIVE = _gauge(
    "override_active",
    ("region", "kind"),
    "1 while an operator's override acts on the region; absent otherwise.",
)

ALIAS_STATE = _gauge(
    "alias_state",
    ("target", "state"),
    "1 for the state of what is known of an alias target outside our zones, else 0.",
)
ALIAS_CONFIRMED = _gauge(
    "alias_confirmed_timestamp_seconds",
    ("target",),
    "When a resolver last told the addresses of an alias target (Unix time).",
)
ALIAS_LOOKUPS = _counter("alias_lookups", ("result",), "Times a resolver was asked for an alias target.")

RELOAD_SUCCESSFUL = _gauge(
    "config_last_reload_successful", (), "1 if the last load of the policy succeeded, else 0."
)
RELOAD_TIMESTAMP = _gauge(
    "config_last_reload_success_timestamp_seconds",
    (),
    "When the policy was last loaded successfully (Unix time).",
)
RELOADS = _counter("config_reloads", ("result",), "Loads of the policy, by result.")
SERVING_LAST_GOOD = _gauge(
    "config_serving_last_good",
    (),
    "1 while a saved policy is served because the current one is invalid, else 0.",
)
GENERATION = _gauge("snapshot_generation", (), "Number of the published snapshot.")
COMPILE_DURATION = _histogram(
    "compile_duration_seconds",
    ("phase",),
    "Duration of compiling, by phase: read, policy, geo, plan, publish.",
)
GEO_BUILD = _gauge(
    "geo_database_build_timestamp_seconds",
    ("database",),
    "When the loaded geo database was built (Unix time).",
)
MAP_RANGES = _gauge(
    "map_ranges",
    ("map", "family"),
    "Ranges of a map from addresses to answers, named after the first service that is answered by it.",
)
MAP_BYTES = _gauge("map_bytes", ("map",), "Memory of such a map, in octets.")
BUILD_INFO = _gauge("build_info", ("version", "python"), "Always 1; the labels say what runs.")
SAVE_FAILURES = _counter("state_save_failures", ("file",), "Failed writes of a file in the state directory.")
RECEIVE_BUFFER = _gauge(
    "dns_receive_buffer_bytes", (), "Smallest receive buffer that the kernel granted to a UDP socket."
)
ZONE_SERIAL = _gauge("zone_serial", ("zone",), "Serial of a zone that may be transferred.")
TRANSFERS = _counter(
    "zone_transfers", ("zone", "kind", "result"), "Zone transfers to secondaries, by how they ended."
)
TRANSFER_BYTES = _counter("zone_transfer_bytes", ("zone",), "Octets of messages sent in zone transfers.")
NOTIFIED = _counter("notify", ("zone", "result"), "Secondaries told of a new serial, by what became of it.")

PULLED: tuple[Spec, ...] = (
    REQUESTS,
    RESPONSES,
    DECISIONS,
    REFUSALS,
    TENANT_QUERIES,
    DROPS,
    FAILURES,
    UNSENT,
    RATE_LIMITED,
    DEBUG,
    WORKERS,
    PUNTED,
    TCP_CONNECTIONS,
    DURATION,
)
"""Read from the packet path at scrape."""

PUSHED: tuple[Spec, ...] = (
    REGION_HEALTHY,
    REGION_STATE,
    REGION_HEALTH,
    REGION_SIGNAL,
    PROBE_DURATION,
    PROBE_SUCCESS,
    EXCUSED,
    TRANSITIONS,
    FAILOVER_ACTIVE,
    FAILOVER_PHASE,
    FAILOVER_REGION,
    FAILOVER_SWITCHED,
    FAILOVER_SWITCHES,
    PROMOTIONS,
    NOTIFICATIONS,
    RAMP_PART,
    RAMP_PHASE,
    PLANNED_LOAD,
    OVERLOAD,
    BRAKE_ACTIVE,
    BRAKE_FREEZES,
    OVERRIDE_ACTIVE,
    ALIAS_STATE,
    ALIAS_CONFIRMED,
    ALIAS_LOOKUPS,
    RELOAD_SUCCESSFUL,
    RELOAD_TIMESTAMP,
    RELOADS,
    SERVING_LAST_GOOD,
    GENERATION,
    COMPILE_DURATION,
    GEO_BUILD,
    MAP_RANGES,
    MAP_BYTES,
    BUILD_INFO,
    SAVE_FAILURES,
    RECEIVE_BUFFER,
    ZONE_SERIAL,
    TRANSFERS,
    TRANSFER_BYTES,
    NOTIFIED,
)
"""Set by the control loop when something happens; `EXCUSED` is read from the prober at scrape."""

CATALOG: tuple[Spec, ...] = PULLED + PUSHED
