"""What the dashboard shows. `python -m grafana.dashboard` writes it to dashboards/georouter.json."""

import json
from pathlib import Path

from grafana.panels import (
    Color,
    Json,
    Query,
    Row,
    Unit,
    heatmap,
    laid_out,
    lines,
    picked,
    picked_source,
    stat,
    states,
    table,
    thresholds,
)

FILE = Path(__file__).parent / "dashboards/georouter.json"
UID = "georouter"
SCHEMA = 36
"""Grafana 9.0's; later versions migrate it when they load it."""

DAY_S = 86400
GEO_AGE_LIMIT_S = 60 * DAY_S
"""As in prometheus/rules/georouter.yaml."""
SERVFAIL_LIMIT = 0.01

NODE = 'instance=~"$instance"'
ZONE = f'{NODE},zone=~"$zone"'
SERVICE = f'{NODE},service=~"$service"'
REGION = f'{NODE},region=~"$region"'
DECISION = f'{SERVICE},region=~"$region"'
OVER = "[$__rate_interval]"

REGION_STATES = {
    0: ("up", Color.GOOD),
    1: ("unknown", Color.NEUTRAL),
    2: ("drained", Color.NOTICE),
    3: ("down", Color.BAD),
}
FAILOVER_STATES = {0: ("first choice", Color.GOOD), 1: ("failed over", Color.WARNING)}
PHASES = {
    0: ("steady", Color.GOOD),
    1: ("notifying", Color.NEUTRAL),
    2: ("detected", Color.NOTICE),
    3: ("promoting", Color.WARNING),
    4: ("refused", Color.BAD),
    5: ("blocked", Color.BAD),
}
RAMP_PHASES = {
    0: ("aborted", Color.NEUTRAL),
    1: ("done", Color.GOOD),
    2: ("running", Color.GOOD),
    3: ("held", Color.NOTICE),
    4: ("paused", Color.WARNING),
    5: ("stepped back", Color.BAD),
}
ACTIVE_STATES = {0: ("stands by", Color.NEUTRAL), 1: ("active", Color.GOOD)}
OVERRIDE_STATES = {1: ("active", Color.NOTICE)}
POLICY_STATES = {0: ("as on disk", Color.GOOD), 1: ("not as on disk", Color.BAD)}
ALIAS_STATES = {0: ("fresh", Color.GOOD), 1: ("stale", Color.WARNING), 2: ("unknown", Color.BAD)}
ENDPOINT_STATES = {0: ("failing", Color.BAD), 1: ("answering", Color.GOOD)}

OVERVIEW = Row(
    "Overview",
    (
        stat(
            "Nodes",
            "Nodes that Prometheus reaches. A node that it cannot reach may still answer DNS.",
            f"count(georouter_build_info{{{NODE}}}) or vector(0)",
            steps=thresholds((None, Color.BAD), (1, Color.GOOD)),
            width=2,
        ),
        stat(
            "Queries",
            "DNS queries received per second, over UDP and TCP.",
            f"sum(rate(georouter_dns_requests_total{{{ZONE}}}{OVER}))",
            unit=Unit.QUERIES,
        ),
        stat(
            "SERVFAIL",
            "Share of the responses that are SERVFAIL.",
            f'(sum(rate(georouter_dns_responses_total{{{ZONE},rcode="SERVFAIL"}}{OVER})) or vector(0))'
            f" / sum(rate(georouter_dns_responses_total{{{ZONE}}}{OVER}))",
            unit=Unit.SHARE,
            steps=thresholds((None, Color.GOOD), (SERVFAIL_LIMIT, Color.BAD)),
            decimals=2,
        ),
        stat(
            "Failed over",
            "Services some of whose clients are not answered by their first choice.",
            f"sum(max by (service) (georouter_failover_active{{{SERVICE}}}))",
            steps=thresholds((None, Color.GOOD), (1, Color.WARNING)),
        ),
        stat(
            "Regions down",
            "Regions that the health checks of at least one node say are down.",
            f"count(min by (region) (georouter_region_healthy{{{REGION}}}) == 0) or vector(0)",
            steps=thresholds((None, Color.GOOD), (1, Color.BAD)),
        ),
        stat(
            "Brake",
            "Whether any node keeps answers as they were, because most regions failed at once.",
            f"max(georouter_brake_active{{{NODE}}})",
            names={0: ("free", Color.GOOD), 1: ("frozen", Color.BAD)},
            width=2,
        ),
        stat(
            "Overrides",
            "Drains and forced states that operators set.",
            f"count(max by (region, kind) (georouter_override_active{{{REGION}}})) or vector(0)",
            steps=thresholds((None, Color.GOOD), (1, Color.NOTICE)),
            width=2,
        ),
        stat(
            "Last reload",
            "Whether every node could use the policy that it loaded last.",
            f"min(georouter_config_last_reload_successful{{{NODE}}})",
            names={0: ("failed", Color.BAD), 1: ("ok", Color.GOOD)},
        ),
        stat(
            "Geo data age",
            "Age of the oldest geo database in use.",
            f"time() - min(georouter_geo_database_build_timestamp_seconds{{{NODE}}})",
            unit=Unit.SECONDS,
            steps=thresholds(
                (None, Color.GOOD), (0.75 * GEO_AGE_LIMIT_S, Color.WARNING), (GEO_AGE_LIMIT_S, Color.BAD)
            ),
            decimals=0,
        ),
    ),
)

TRAFFIC = Row(
    "Traffic",
    (
        lines(
            "Answers by region and reason",
            "primary: the client's best region. failover: a better one is down. forced: an override moved "
            "the client. all_down, fallback: no region was up. Region none: nothing of the type asked for.",
            Query(
                f"sum by (region, reason) (rate(georouter_routing_decisions_total{{{DECISION}}}{OVER})) > 0",
                "{{region}} {{reason}}",
            ),
            unit=Unit.QUERIES,
            width=12,
            stack="normal",
        ),
        lines(
            "Share of each region",
            "How the answers of the picked services are spread over the regions.",
            Query(
                f"sum by (region) (rate(georouter_routing_decisions_total{{{DECISION}}}{OVER}))"
                f" / ignoring (region) group_left ()"
                f" sum(rate(georouter_routing_decisions_total{{{DECISION}}}{OVER}))",
                "{{region}}",
            ),
            unit=Unit.SHARE,
            width=12,
            stack="normal",
            highest=1,
        ),
        lines(
            "Not the first choice",
            "Answers that were not the client's best region, by reason; and those that a residency fence "
            "left without a region.",
            Query(
                "sum by (reason)"
                f' (rate(georouter_routing_decisions_total{{{DECISION},reason!="primary"}}{OVER}))',
                "{{reason}}",
            ),
            Query(
                f"sum(rate(georouter_residency_refusals_total{{{SERVICE}}}{OVER})) or vector(0)",
                "refused by a fence",
            ),
            unit=Unit.QUERIES,
        ),
        lines(
            "Responses by code",
            "DNS response codes. REFUSED is what somebody gets who asks for a zone that is not ours.",
            Query(f"sum by (rcode) (rate(georouter_dns_responses_total{{{ZONE}}}{OVER}))", "{{rcode}}"),
            unit=Unit.QUERIES,
            stack="normal",
            colors={
                "NOERROR": Color.GOOD,
                "NXDOMAIN": Color.NOTICE,
                "REFUSED": Color.WARNING,
                "SERVFAIL": Color.BAD,
            },
        ),
        lines(
            "Answers by service",
            "Answers that were decided by a service's chain, and queries for names of tenants.",
            Query(
                f"sum by (service) (rate(georouter_routing_decisions_total{{{DECISION}}}{OVER}))",
                "{{service}}",
            ),
            Query(
                f"sum by (service, tenant) (rate(georouter_tenant_queries_total{{{SERVICE}}}{OVER}))",
                "{{service}}, {{tenant}} tenants",
            ),
            unit=Unit.QUERIES,
        ),
        lines(
            "Queries by zone",
            "Zone none: names in no zone of ours.",
            Query(f"sum by (zone) (rate(georouter_dns_requests_total{{{ZONE}}}{OVER}))", "{{zone}}"),
            unit=Unit.QUERIES,
        ),
        lines(
            "Queries by type",
            "Record types asked for.",
            Query(f"sum by (type) (rate(georouter_dns_requests_total{{{ZONE}}}{OVER}))", "{{type}}"),
            unit=Unit.QUERIES,
            stack="normal",
        ),
        lines(
            "Queries by protocol",
            "The packets that carried the queries.",
            Query(
                f"sum by (proto, family) (rate(georouter_dns_requests_total{{{ZONE}}}{OVER}))",
                "{{proto}} {{family}}",
            ),
            unit=Unit.QUERIES,
            stack="normal",
        ),
    ),
)

HEALTH = Row(
    "Health and failovers",
    (
        states(
            "Region states",
            "What answers act on, overrides included; where nodes differ, the worst.",
            Query(
                f'max by (region) (3 * georouter_region_state{{{REGION},state="down"}}'
                f' + ignoring (state) 2 * georouter_region_state{{{REGION},state="drained"}}'
                f' + ignoring (state) georouter_region_state{{{REGION},state="unknown"}})',
                "{{region}}",
            ),
            names=REGION_STATES,
        ),
        states(
            "Failovers",
            "Services some of whose clients are not answered by their first choice, because of health or an "
            "override.",
            Query(f"max by (service) (georouter_failover_active{{{SERVICE}}})", "{{service}}"),
            names=FAILOVER_STATES,
        ),
        states(
            "Failover steps",
            "The phase of services whose failover step keeps a state; where nodes differ, the worst. Refused "
            "and blocked: answers stay with a region that is down.",
            Query(
                f'max by (service) (5 * georouter_failover_phase{{{SERVICE},phase="blocked"}}'
                + "".join(
                    f' + ignoring (phase) {number} * georouter_failover_phase{{{SERVICE},phase="{phase}"}}'
                    for number, phase in ((4, "refused"), (3, "promoting"), (2, "detected"), (1, "notifying"))
                )
                + ")",
                "{{service}}",
            ),
            names=PHASES,
        ),
        states(
            "Active regions",
            "The region that each failover step has active.",
            Query(
                f"max by (service, region) (georouter_failover_region{{{DECISION}}})",
                "{{service}} {{region}}",
            ),
            names=ACTIVE_STATES,
        ),
        lines(
            "Ramps",
            "The part of the client networks that each ramp has come to.",
            Query(
                f"max by (service, region) (georouter_ramp_part{{{DECISION}}})",
                "{{service}} {{region}}",
            ),
            unit=Unit.SHARE,
            width=12,
        ),
        states(
            "Phases of ramps",
            "Paused by the gate, held or aborted by an operator; where nodes differ, the worst.",
            Query(
                f'max by (service) (5 * georouter_ramp_phase{{{SERVICE},phase="stepped_back"}}'
                + "".join(
                    f' + ignoring (phase) {number} * georouter_ramp_phase{{{SERVICE},phase="{phase}"}}'
                    for number, phase in ((4, "paused"), (3, "held"), (2, "running"), (1, "done"))
                )
                + ")",
                "{{service}}",
            ),
            names=RAMP_PHASES,
        ),
        lines(
            "Switches and hooks",
            "Changes of the active region, and calls of promotion hooks and webhooks by what came of them.",
            Query(
                "sum by (service, kind)"
                f" (increase(georouter_failover_switches_total{{{SERVICE}}}{OVER})) > 0",
                "{{service}} {{kind}}",
            ),
            Query(
                "sum by (service, reply)"
                f" (increase(georouter_failover_promotions_total{{{SERVICE}}}{OVER})) > 0",
                "{{service}} promotion {{reply}}",
            ),
            Query(
                "sum by (service, result)"
                f" (increase(georouter_failover_notifications_total{{{SERVICE}}}{OVER})) > 0",
                "{{service}} notice {{result}}",
            ),
            unit=Unit.SHORT,
            bars=True,
        ),
        lines(
            "Since the last switch",
            "How long each failover step has had its active region.",
            Query(
                f"time() - max by (service) (georouter_failover_last_switch_timestamp_seconds{{{SERVICE}}})",
                "{{service}}",
            ),
            unit=Unit.SECONDS,
        ),
        lines(
            "Changes of health",
            "Regions that went down or came back, as their checks say.",
            Query(
                "sum by (region, state)"
                f" (increase(georouter_health_transitions_total{{{REGION}}}{OVER})) > 0",
                "{{region}} {{state}}",
            ),
            unit=Unit.SHORT,
            bars=True,
        ),
        lines(
            "Regions available",
            "Regions of a service that are not down; a drained region counts, because it still answers when "
            "no other can. Where nodes differ, the lowest.",
            Query(
                "min by (service) (sum by (instance, service) (group by (instance, service, region)"
                f' (georouter_routing_decisions_total{{{DECISION},reason="primary"}})'
                " * on (instance, region) group_left ()"
                f' (1 - georouter_region_state{{{REGION},state="down"}})))',
                "{{service}}",
            ),
            unit=Unit.SHORT,
        ),
        lines(
            "Planned load",
            "What the capacity plan puts on each region, in the unit of the policy's capacities.",
            Query(f"max by (region) (georouter_capacity_planned_load{{{REGION}}})", "{{region}}"),
            unit=Unit.SHORT,
            width=8,
        ),
        lines(
            "Load beyond the limit",
            "Regions that the capacity plan could not keep within their limit: load by limit.",
            Query(f"max by (region) (georouter_capacity_overload_ratio{{{REGION}}})", "{{region}}"),
            unit=Unit.SHORT,
            width=8,
        ),
        lines(
            "Brake",
            "How often the brake took hold, per node.",
            Query(
                f"sum by (instance) (increase(georouter_brake_freezes_total{{{NODE}}}[$__rate_interval]))",
                "{{instance}}",
            ),
            unit=Unit.SHORT,
            width=12,
        ),
        states(
            "Overrides",
            "Drains and forced states that operators set.",
            Query(
                f"max by (region, kind) (georouter_override_active{{{REGION}}})",
                "{{region}} {{kind}}",
            ),
            names=OVERRIDE_STATES,
            width=12,
            empty="No override",
        ),
    ),
)

PROBES = Row(
    "Probes",
    (
        heatmap(
            "Probe duration",
            "How long health checks take, failures included.",
            f"sum by (le) (increase(georouter_probe_duration_seconds_bucket{{{REGION}}}{OVER}))",
        ),
        lines(
            "Probe duration, 95th percentile",
            "By region. Near the check's timeout a region is about to fail.",
            Query(
                "histogram_quantile(0.95, sum by (le, region)"
                f" (rate(georouter_probe_duration_seconds_bucket{{{REGION}}}{OVER})))",
                "{{region}}",
            ),
            unit=Unit.SECONDS,
            width=12,
        ),
        states(
            "Endpoints",
            "The last probe of each endpoint; where nodes differ, the worst.",
            Query(
                f"min by (region, endpoint) (georouter_probe_success{{{REGION}}})",
                "{{region}} {{endpoint}}",
            ),
            names=ENDPOINT_STATES,
            width=8,
        ),
        lines(
            "Signals",
            "Values in the answers of health checks, of the worst endpoint of each region; where nodes "
            "differ, the largest.",
            Query(f"max by (region, signal) (georouter_region_signal{{{REGION}}})", "{{region}} {{signal}}"),
            unit=Unit.SHORT,
            width=8,
        ),
        lines(
            "Graded health",
            "What the weight of a region is multiplied by: less than 1 while signals are degraded. Where "
            "nodes differ, the lowest.",
            Query(f"min by (region) (georouter_region_health_ratio{{{REGION}}})", "{{region}}"),
            unit=Unit.SHARE,
            width=8,
            highest=1,
        ),
        lines(
            "Probes",
            "Finished health checks per second. They quicken while a failure is being confirmed.",
            Query(
                f"sum by (region) (rate(georouter_probe_duration_seconds_count{{{REGION}}}{OVER}))",
                "{{region}}",
            ),
            unit=Unit.PER_SECOND,
            width=12,
        ),
        lines(
            "Excused probes",
            "Probes that failed for reasons of the node (no files left, a stall) and were not believed. "
            "A node that excuses many judges nobody.",
            Query(f"sum by (instance) (rate(georouter_probe_excused_total{{{NODE}}}{OVER}))", "{{instance}}"),
            unit=Unit.PER_SECOND,
            width=12,
        ),
    ),
)

RELOADS = Row(
    "Reloads and compiles",
    (
        lines(
            "Reloads",
            "Loads of the policy, by result.",
            Query(
                f"sum by (result) (increase(georouter_config_reloads_total{{{NODE}}}{OVER}))", "{{result}}"
            ),
            unit=Unit.SHORT,
            bars=True,
            colors={"success": Color.GOOD, "failure": Color.BAD},
        ),
        states(
            "Policy in use",
            "Whether a node serves the policy that is on its disk: no after a failed reload, and while the "
            "saved last good one is in use.",
            Query(
                f"max by (instance) (1 - georouter_config_last_reload_successful{{{NODE}}})",
                "reload {{instance}}",
            ),
            Query(
                f"max by (instance) (georouter_config_serving_last_good{{{NODE}}})",
                "last good {{instance}}",
            ),
            names=POLICY_STATES,
            width=8,
        ),
        lines(
            "Snapshot generation",
            "Publications of answers on each node: one for every change of health, override or policy.",
            Query(f"max by (instance) (georouter_snapshot_generation{{{NODE}}})", "{{instance}}"),
            unit=Unit.SHORT,
        ),
        lines(
            "Compile time by phase",
            "Mean duration. A reload goes through read, policy, geo and plan; publish is what a change of "
            "health costs.",
            Query(
                f"sum by (phase) (rate(georouter_compile_duration_seconds_sum{{{NODE}}}{OVER}))"
                f" / (sum by (phase) (rate(georouter_compile_duration_seconds_count{{{NODE}}}{OVER})) > 0)",
                "{{phase}}",
            ),
            unit=Unit.SECONDS,
            stack="normal",
            bars=True,
        ),
        lines(
            "Policy age",
            "Since the policy in use was loaded.",
            Query(
                "max by (instance)"
                f" (time() - georouter_config_last_reload_success_timestamp_seconds{{{NODE}}})",
                "{{instance}}",
            ),
            unit=Unit.SECONDS,
        ),
        lines(
            "Failed writes of state",
            "The answers stay as they are, but a restart would know less.",
            Query(
                f"sum by (file) (increase(georouter_state_save_failures_total{{{NODE}}}{OVER}))",
                "{{file}}",
            ),
            unit=Unit.SHORT,
        ),
    ),
)

PACKETS = Row(
    "Packet path",
    (
        lines(
            "Time in the server",
            "From receive to send, of sampled batches: how long a query waits for us.",
            *(
                Query(
                    f"histogram_quantile({quantile},"
                    f" sum by (le) (rate(georouter_dns_request_duration_seconds_bucket{{{NODE}}}{OVER})))",
                    name,
                )
                for quantile, name in ((0.5, "median"), (0.95, "95th percentile"), (0.99, "99th percentile"))
            ),
            unit=Unit.SECONDS,
            width=12,
        ),
        heatmap(
            "Time in the server, spread",
            "The same as a distribution.",
            f"sum by (le) (increase(georouter_dns_request_duration_seconds_bucket{{{NODE}}}{OVER}))",
        ),
        lines(
            "Lost and failed",
            "Dropped: the kernel's receive buffer was full. Failed: answering raised and the client got "
            "SERVFAIL. Unsent: the kernel would not take the answer. Rate limited: made small or left out. "
            "Debug names: questions that got no answer, or had to wait.",
            Query(f"sum(rate(georouter_kernel_receive_drops_total{{{NODE}}}{OVER}))", "dropped"),
            Query(f"sum(rate(georouter_dns_failures_total{{{NODE}}}{OVER}))", "failed"),
            Query(f"sum(rate(georouter_dns_unsent_total{{{NODE}}}{OVER}))", "unsent"),
            Query(
                f"sum by (action) (rate(georouter_dns_rate_limited_total{{{NODE}}}{OVER}))",
                "rate limited: {{action}}",
            ),
            Query(
                f'sum by (result) (rate(georouter_dns_debug_total{{{NODE},result!="answered"}}{OVER}))',
                "debug names: {{result}}",
            ),
            unit=Unit.QUERIES,
        ),
        lines(
            "UDP workers",
            "Threads that answer over UDP, by packet path. One that is gone stays away until a restart.",
            Query(f"sum by (instance, path) (georouter_udp_workers{{{NODE}}})", "{{instance}} {{path}}"),
            unit=Unit.SHORT,
        ),
        lines(
            "Left to Python",
            "Queries that the native packet path leaves to Python: what is rare. Full: too many waited, and "
            "the client was told to come over TCP.",
            Query(f"sum by (result) (rate(georouter_dns_punted_total{{{NODE}}}{OVER}))", "{{result}}"),
            unit=Unit.QUERIES,
        ),
        lines(
            "TCP connections",
            "Open connections of DNS clients.",
            Query(f"sum by (instance) (georouter_tcp_connections{{{NODE}}})", "{{instance}}"),
            unit=Unit.SHORT,
        ),
        lines(
            "Receive buffer",
            "The smallest that the kernel granted. Raise net.core.rmem_max where it is below 4 MiB.",
            Query(f"min by (instance) (georouter_dns_receive_buffer_bytes{{{NODE}}})", "{{instance}}"),
            unit=Unit.BYTES,
        ),
        lines(
            "CPU",
            "Cores in use by the daemon's main process.",
            Query(
                "sum by (instance) (rate(process_cpu_seconds_total"
                f"{{{NODE}}}{OVER}) and on (instance) georouter_build_info)",
                "{{instance}}",
            ),
            unit=Unit.SHORT,
        ),
        lines(
            "Memory",
            "Resident memory of the daemon's main process.",
            Query(
                f"sum by (instance) (process_resident_memory_bytes{{{NODE}}}"
                " and on (instance) georouter_build_info)",
                "{{instance}}",
            ),
            unit=Unit.BYTES,
            width=12,
        ),
        lines(
            "Open files",
            "Share of the process's limit. At 1 no probe and no TCP connection can be opened.",
            Query(
                f"max by (instance) (process_open_fds{{{NODE}}} / process_max_fds{{{NODE}}}"
                " and on (instance) georouter_build_info)",
                "{{instance}}",
            ),
            unit=Unit.SHARE,
            width=12,
        ),
    ),
)

SECONDARIES = Row(
    "Secondaries",
    (
        lines(
            "Zone transfers",
            "Transfers to secondaries that ended. SOA: the secondary had everything. cut: the connection "
            "ended before. busy: turned away, too many at a time.",
            Query(
                f"sum by (kind, result) (increase(georouter_zone_transfers_total{{{ZONE}}}{OVER})) > 0",
                "{{kind}} {{result}}",
            ),
            unit=Unit.SHORT,
            bars=True,
            width=6,
        ),
        lines(
            "Octets transferred",
            "Sent to secondaries, by zone.",
            Query(f"sum by (zone) (rate(georouter_zone_transfer_bytes_total{{{ZONE}}}{OVER}))", "{{zone}}"),
            unit=Unit.BYTES,
            width=6,
        ),
        lines(
            "Secondaries told of changes",
            "refused: the secondary does not take our word. unanswered: it was given up after four minutes "
            "and will see for itself later.",
            Query(
                f"sum by (zone, result) (increase(georouter_notify_total{{{ZONE}}}{OVER})) > 0",
                "{{zone}} {{result}}",
            ),
            unit=Unit.SHORT,
            bars=True,
            width=6,
        ),
        lines(
            "Serials apart",
            "How far the serials of a zone differ between nodes. Other than 0 for long, they serve different "
            "contents, or got their files at different times.",
            Query(
                f"max by (zone) (georouter_zone_serial{{{ZONE}}})"
                f" - min by (zone) (georouter_zone_serial{{{ZONE}}})",
                "{{zone}}",
            ),
            unit=Unit.SHORT,
            width=6,
        ),
    ),
)

ALIASES = Row(
    "Aliases",
    (
        states(
            "Alias targets",
            "Names outside our zones whose addresses aliases have; where nodes differ, the worst. Stale: not "
            "to be resolved now, the last addresses are answered. Unknown: answered with SERVFAIL.",
            Query(
                f'max by (target) (2 * georouter_alias_state{{{NODE},state="unknown"}}'
                f' + ignoring (state) georouter_alias_state{{{NODE},state="stale"}})',
                "{{target}}",
            ),
            names=ALIAS_STATES,
            width=8,
        ),
        lines(
            "Age of addresses",
            "Since a resolver last told the addresses of an alias target. More than its TTL, it cannot be "
            "resolved.",
            Query(
                f"max by (target) (time() - georouter_alias_confirmed_timestamp_seconds{{{NODE}}})",
                "{{target}}",
            ),
            unit=Unit.SECONDS,
        ),
        lines(
            "Look-ups",
            "Times a resolver was asked for an alias target.",
            Query(f"sum by (result) (rate(georouter_alias_lookups_total{{{NODE}}}{OVER}))", "{{result}}"),
            unit=Unit.QUERIES,
        ),
    ),
)

GEO = Row(
    "Geo database",
    (
        lines(
            "Geo data age",
            "Since the database was built. The red line is at 60 days.",
            Query(
                "max by (instance, database)"
                f" (time() - georouter_geo_database_build_timestamp_seconds{{{NODE}}})",
                "{{database}} {{instance}}",
            ),
            unit=Unit.SECONDS,
            limit=GEO_AGE_LIMIT_S,
        ),
        lines(
            "Map memory",
            "Of the maps from addresses to answers. Services with equal chains and regions share one.",
            Query(f"max by (instance, map) (georouter_map_bytes{{{NODE}}})", "{{map}} {{instance}}"),
            unit=Unit.BYTES,
        ),
        lines(
            "Map ranges",
            "What a lookup searches: equal neighbours are one range.",
            Query(
                f"max by (instance, map, family) (georouter_map_ranges{{{NODE}}})",
                "{{map}} {{family}} {{instance}}",
            ),
            unit=Unit.SHORT,
        ),
        table(
            "Databases",
            "What each node uses, and when it was built.",
            f"max by (instance, database) (georouter_geo_database_build_timestamp_seconds{{{NODE}}}) * 1000",
            columns={"instance": "Node", "database": "Database", "Value": "Built"},
            unit=Unit.TIME,
            width=12,
        ),
        table(
            "Versions",
            "What runs on each node.",
            f"max by (instance, version, python) (georouter_build_info{{{NODE}}})",
            columns={"instance": "Node", "version": "georouter", "python": "Python"},
            unit=Unit.NONE,
            width=12,
        ),
    ),
)

ROWS = (OVERVIEW, TRAFFIC, HEALTH, PROBES, RELOADS, PACKETS, SECONDARIES, ALIASES, GEO)


def dashboard() -> Json:
    """All of it, as Grafana loads it."""
    return {
        "uid": UID,
        "title": "georouter",
        "description": "What is asked, what is answered and why, and how the regions are.",
        "tags": ["dns", "georouter"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [],
        "annotations": {"list": []},
        "liveNow": False,
        "refresh": "10s",
        "style": "dark",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "weekStart": "",
        "templating": {
            "list": [
                picked_source(),
                picked("instance", "Node", "georouter_build_info"),
                picked("zone", "Zone", "georouter_dns_requests_total"),
                picked("service", "Service", "georouter_failover_active"),
                picked("region", "Region", "georouter_region_healthy"),
            ]
        },
        "panels": laid_out(ROWS),
    }


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
