"""A simulation for programs: everything, as JSON. Shares are parts of one; units are in the keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from georouter.analysis.moving import Moving
from georouter.analysis.shift import Shift
from georouter.analysis.simulate import Load, Loss, Simulation
from georouter.analysis.timing import Departure, detection
from georouter.cli.replay import Census
from georouter.cli.simulation import Assumptions, named
from georouter.policy.model import Policy


def simulation_dict(simulation: Simulation, assumed: Assumptions, policy: Policy) -> dict[str, Any]:
    """Everything as JSON: shares are parts of one, times milliseconds or seconds as the keys say."""
    found = detection(policy, assumed.down) if assumed.down else None
    return {
        **_assumed_dict(assumed, simulation.clients),
        "regions": [load_dict(load) for load in simulation.loads],
        "overload": dict(simulation.overload),
        "not_counted": list(simulation.uncounted),
        "detection": None
        if found is None
        else {"refused_s": found.refused_s, "swallowed_s": found.swallowed_s},
        "services": [
            {
                "name": item.service,
                "demand_before": item.demand_before,
                "demand_after": item.demand_after,
                "ttl_s": item.ttl_s,
                "departures": [_departure_dict(departure) for departure in item.departures],
                **shift_dict(item.shift),
                "tenants": tenants_dict(item.moving),
            }
            for item in simulation.outcomes
        ],
    }


def _departure_dict(departure: Departure) -> dict[str, Any]:
    held = departure.held
    return {
        "why": departure.why.value,
        "ttl_s": held.ttl_s,
        "lowered_s": held.lowered_s,
        "ahead_s": held.ahead_s,
        "drain_curve": [{"left": point.left, "seconds": point.seconds} for point in departure.curve],
    }


def losses_dict(losses: Sequence[Loss], assumed: Assumptions) -> dict[str, Any]:
    """The N-1 report as JSON."""
    clients = losses[0].simulation.clients if losses else ()
    return {
        **_assumed_dict(assumed, clients),
        "losses": [
            {
                "region": loss.region,
                "moved": loss.moved,
                "used": _finite(loss.simulation.used),
                "regions": [load_dict(load) for load in loss.simulation.loads],
                "services": [
                    {
                        "name": item.service,
                        **shift_dict(item.shift),
                        "tenants": tenants_dict(item.moving),
                    }
                    for item in loss.simulation.outcomes
                ],
            }
            for loss in losses
        ],
    }


def load_dict(load: Load) -> dict[str, Any]:
    """One region's load."""
    return {
        "region": load.region,
        "before": load.before,
        "after": load.after,
        "unplanned": load.unplanned,
        "capacity_before": load.capacity_before,
        "capacity_after": load.capacity_after,
        "used": _finite(load.used),
    }


def shift_dict(shift: Shift) -> dict[str, Any]:
    """Who moves, as JSON; regions that are null are nobody."""
    found = shift.latency
    return {
        "moved": shift.moved,
        "before": shift.before,
        "after": shift.after,
        "ways": [{"from": way.source, "to": way.target, "share": way.share} for way in shift.ways],
        "refused_before": shift.refused_before,
        "refused_after": shift.refused_after,
        "newly_refused": shift.newly_refused,
        "countries_moved": named(shift),
        "countries_asking": shift.countries_asking,
        "unanswered_before": shift.unanswered_before,
        "unanswered_after": shift.unanswered_after,
        "latency": None
        if found is None
        else {
            "before_ms": found.before_ms,
            "after_ms": found.after_ms,
            "moved_mean_ms": found.moved_mean_ms,
            "moved_p95_ms": found.moved_p95_ms,
        },
        "countries": [
            {
                "country": country.code,
                "share": country.share,
                "moved": country.moved,
                "refused": country.refused,
                "added_ms": country.added_ms,
            }
            for country in shift.countries
        ],
    }


def _assumed_dict(assumed: Assumptions, clients: Sequence[str]) -> Mapping[str, Any]:
    return {
        "policy": assumed.before,
        "policy_after": assumed.after,
        "live": assumed.live,
        "down": list(assumed.down),
        "drained": list(assumed.drained),
        "capacity": list(assumed.capacity),
        "ramp": list(assumed.ramp),
        "demand": assumed.demand,
        "clients": list(clients),
        "log": log_dict(assumed.census),
    }


def _finite(value: float | None) -> float | None:
    """Infinity, a load on a region without any capacity, is not JSON."""
    return None if value is None or value == float("inf") else value


def tenants_dict(moving: Moving | None) -> dict[str, Any] | None:
    """Who moves; null where there are no tenants."""
    if moving is None:
        return None
    return {
        "before": moving.before,
        "after": moving.after,
        "new": moving.joined,
        "gone": moving.left,
        "moved": moving.moved,
        "ways": [{"from": way.source, "to": way.target, "tenants": way.tenants} for way in moving.ways],
        "rehomed": moving.rehomed,
        "homes": [{"from": way.source, "to": way.target, "tenants": way.tenants} for way in moving.homes],
    }


def log_dict(census: Census | None) -> dict[str, int] | None:
    """What a log holds; null without one."""
    if census is None:
        return None
    return {"queries": census.queries, "not_steered": census.foreign, "unreadable": census.bad}
