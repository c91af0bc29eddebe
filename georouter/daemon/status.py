"""What `georouter status` and the page show: one JSON-able dict, made when asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from georouter import __version__
from georouter.compiler.maps import map_sizes
from georouter.control.aliases import addresses
from georouter.control.loop import Controller
from georouter.control.planning import wants
from georouter.facts import aliases, overrides
from georouter.facts import ramp as ramps
from georouter.facts.endpoints import EndpointKey
from georouter.facts.failover_view import view
from georouter.facts.health import UNKNOWN
from georouter.facts.readings import grade
from georouter.facts.world import Effective, State
from georouter.policy.model import Region
from georouter.routing.ttl import ttl
from georouter.telemetry.source import PathState
from georouter.wire.names import name_text
from georouter.words.ids import ServiceName


def status(
    controller: Controller,
    *,
    now: float,
    started_at: float,
    listen: Sequence[str],
    path: PathState,
    drops: int,
    queries_total: int,
    restart_needed: Sequence[str],
    transfers: Mapping[str, Any],
    recent: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The state of everything. Times are Unix seconds.

    `restart_needed` are keys of the `server` section whose new values wait for a restart.
    """
    published, built, reload = controller.published, controller.built, controller.builds.reload
    return {
        "version": __version__,
        "generation": published.snapshot.generation if published else 0,
        "started_at": started_at,
        "now": now,
        "config": {
            "path": controller.config,
            "last_reload": None
            if reload is None
            else {
                "ok": reload.ok,
                "at": reload.at,
                "error": reload.error,
                "problems": list(reload.diagnostics),
            },
            "serving_last_good": controller.builds.serving_last_good,
            "warnings": [str(item) for item in built.warnings],
        },
        "server": {
            "listen": list(listen),
            "path": path.name,
            "workers": path.workers,
            "workers_living": path.living,
            "drops": drops,
            "queries_total": queries_total,
            "restart_needed": list(restart_needed),
        },
        "geo": {
            "database": built.info.database,
            "build_epoch_s": built.info.build_epoch_s,
            "attribution": built.info.attribution,
            "maps": [asdict(size) for size in map_sizes(built.plan.steered)],
        },
        "regions": [region_status(controller, region, now) for region in controller.policy.regions.values()],
        "services": [
            {
                "name": name,
                "answering": list(service.answering),
                "ttl": ttl_status(controller, name),
                "failover_active": service.failover_active,
                "all_down": service.all_down,
                "failover": failover_status(controller, name),
                "ramp": ramp_status(controller, name),
            }
            for name, service in (published.services if published else {}).items()
        ],
        "capacity": capacity_status(controller),
        "brake": brake_status(controller),
        "transfers": transfers,
        "aliases": [_alias(controller, name, owners, now) for name, owners in built.plan.outside.items()],
        "overrides": [
            overrides.encode(item) for item in overrides.alive(controller.beliefs.overrides, now).values()
        ],
        "recent": list(recent),
    }


def summary(controller: Controller) -> str:
    """One line: `3 regions up, 1 down; snapshot 12`, and what somebody should look at."""
    published, reload = controller.published, controller.builds.reload
    states = [controller.world.region(name).effective for name in controller.policy.regions]
    counts = [(states.count(state), state.value) for state in Effective]
    regions = ", ".join(f"{count} {state}" for count, state in counts if count) or "none"
    parts = [f"regions: {regions}", f"snapshot {published.snapshot.generation if published else 0}"]
    if controller.beliefs.brake.freeze is not None:
        parts.append("most regions failed at once, answers are frozen")
    if controller.builds.serving_last_good:
        parts.append("the policy is invalid, a saved one is served")
    elif reload is not None and not reload.ok:
        parts.append("the last reload failed, the policy before it stays")
    states_of = [
        controller.beliefs.aliases.get(name, aliases.UNKNOWN).state for name in controller.built.plan.outside
    ]
    parts += [
        f"alias targets {state.value}: {states_of.count(state)}"
        for state in (aliases.AliasState.STALE, aliases.AliasState.UNKNOWN)
        if state in states_of
    ]
    return "; ".join(parts)


def ttl_status(controller: Controller, service: ServiceName) -> dict[str, Any] | None:
    """The TTL of a service's answers and why: `steady`, `suspect`, `down` or `ramp`."""
    known = controller.policy.services.get(service)
    if known is None:
        return None
    found = ttl(known, known.regions, controller.world, None if known.ramp is None else service)
    return {"seconds": found.seconds, "because": found.because}


def failover_status(controller: Controller, service: ServiceName) -> dict[str, Any] | None:
    """The failover of a service whose step keeps a state; None for the others."""
    state = controller.beliefs.failovers.get(service)
    standing = controller.beliefs.standings.get(service)
    return None if state is None or standing is None else view(state, standing)


def ramp_status(controller: Controller, service: ServiceName) -> dict[str, Any] | None:
    """The ramp of a service; None for those without one."""
    rule, state = controller.ramps.rule_of(service), controller.beliefs.ramps.get(service)
    return None if rule is None or state is None else ramps.view(rule, state)


def brake_status(controller: Controller) -> dict[str, Any] | None:
    """Whether answers are frozen, since and until when, and for which regions' sake; None without a brake.

    `acts_on` says what stands in for what is observed of each region and its endpoints.
    """
    if controller.policy.server.brake is None:
        return None
    freeze = controller.beliefs.brake.freeze
    return {
        "frozen": freeze is not None,
        "since": freeze.since if freeze else None,
        "until": freeze.until if freeze else None,
        "fallen": sorted(freeze.fallen) if freeze else [],
        "of": freeze.of if freeze else None,
        "acts_on": {
            name: {
                "state": facts.frozen.value,
                "endpoints_down": [
                    controller.policy.regions[name].endpoints[index].address
                    for index in sorted(facts.endpoints_down)
                ],
            }
            for name, facts in controller.world.regions.items()
            if facts.frozen is not None and name in controller.policy.regions
        },
    }


def capacity_status(controller: Controller) -> dict[str, Any] | None:
    """The capacity plan in use: when it was made, what it puts where; None without a capacity step."""
    if not wants(controller.policy):
        return None
    plan = controller.world.capacity
    return {
        "made_at": plan.made_at if plan else None,
        "problem": controller.planner.problem or None,
        "loads": dict(plan.spread(controller.world.away).loads) if plan else {},
        "overload": dict(plan.spread(controller.world.away).overload) if plan else {},
        "losses": len(plan.losses) if plan else 0,
    }


def region_status(controller: Controller, region: Region, now: float) -> dict[str, Any]:
    """One region: observed, forced and effective state side by side, and its endpoints."""
    facts = controller.world.region(region.name)
    override = overrides.alive(controller.beliefs.overrides, now).get(region.name)
    return {
        "name": region.name,
        "observed": facts.observed.value,
        "forced": facts.forced.value if facts.forced else None,
        "effective": facts.effective.value,
        "health": facts.health,
        "rtt_ms": controller.world.rtt_ms.get(region.name),
        "endpoints": [_endpoint(controller, region, index) for index in range(len(region.endpoints))],
        "override": overrides.encode(override) if override else None,
    }


def _alias(controller: Controller, name: bytes, owners: Sequence[bytes], now: float) -> dict[str, Any]:
    """One alias target that a resolver is asked for, and the names that have its addresses."""
    target = controller.beliefs.aliases.get(name, aliases.UNKNOWN)
    confirmed_at = target.confirmed_at
    return {
        "target": name_text(name),
        "names": [name_text(owner) for owner in owners],
        "state": target.state.value,
        "addresses": addresses(target),
        "ttl_s": min((held.ttl_s for held in target.known.values()), default=None),
        "confirmed_at": confirmed_at,
        "age_s": None if confirmed_at is None else max(0.0, now - confirmed_at),
        "changed_at": target.changed_at,
        "failures": target.failures,
        "reason": target.reason,
    }


def _endpoint(controller: Controller, region: Region, index: int) -> dict[str, Any]:
    endpoint = region.endpoints[index]
    if endpoint.check is None:
        return {
            "address": endpoint.address,
            "state": State.UP.value,
            "reason": "",
            "since": None,
            "check": None,
            "signals": [],
        }
    key = EndpointKey(region.name, endpoint.address, endpoint.check)
    health = controller.beliefs.healths.get(key, UNKNOWN)
    return {
        "address": endpoint.address,
        "state": health.state.value,
        "reason": health.reason,
        "since": health.since,
        "check": endpoint.check,
        "signals": [
            {
                "name": name,
                "value": signal.value,
                "read_at": signal.read_at,
                "grade": grade(signal, health.state).value,
            }
            for name, signal in health.signals.items()
        ],
    }
