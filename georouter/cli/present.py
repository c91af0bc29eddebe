"""The world as a running daemon tells it in `status`, for questions about what would happen next."""

from collections.abc import Mapping
from typing import Any

from georouter.facts.ramp import RampPhase
from georouter.facts.world import Effective, Ramping, RegionFacts, Standing, State, World
from georouter.policy.model import Policy
from georouter.words.ids import RegionName, ServiceName


def world_of(status: Mapping[str, Any], policy: Policy) -> World:
    """What `status` says of the policy's regions, failovers, ramps; regions it does not know count as up.

    The capacity plan and what was known last are not among it.
    """
    regions: dict[RegionName, RegionFacts] = {}
    rtt_ms: dict[RegionName, float] = {}
    brake = status.get("brake") or {}
    acts_on = brake.get("acts_on") or {}
    for entry in status.get("regions", ()):
        name = RegionName(entry["name"])
        if name not in policy.regions:
            continue
        frozen = acts_on.get(name)
        regions[name] = RegionFacts(
            observed=State(entry["observed"]),
            effective=Effective(entry["effective"]),
            forced=Effective(entry["forced"]) if entry["forced"] else None,
            health=float(entry["health"]),
            endpoints_down=_endpoints_down(entry.get("endpoints", ()), frozen, policy, name),
            frozen=State(frozen["state"]) if frozen else None,
        )
        if entry["rtt_ms"] is not None:
            rtt_ms[name] = float(entry["rtt_ms"])
    return World(
        regions=regions,
        rtt_ms=rtt_ms,
        standings=_standings(status, policy),
        ramps=_ramps(status, policy),
        frozen_since=brake.get("since"),
    )


def _endpoints_down(endpoints: Any, frozen: Any, policy: Policy, region: RegionName) -> frozenset[int]:
    """By address: the policy may list others, or in another order."""
    down = {item["address"] for item in endpoints if item["state"] == State.DOWN}
    if frozen:
        down = set(frozen["endpoints_down"])
    return frozenset(
        index for index, item in enumerate(policy.regions[region].endpoints) if item.address in down
    )


def _standings(status: Mapping[str, Any], policy: Policy) -> dict[ServiceName, Standing]:
    """Of services whose `failover` step keeps a state here too, and has the active region."""
    found: dict[ServiceName, Standing] = {}
    for entry in status.get("services", ()):
        told, service = entry.get("failover"), policy.services.get(ServiceName(entry["name"]))
        if not told or service is None or service.failover is None or told["active"] not in service.regions:
            continue
        active = RegionName(told["active"])
        standbys = tuple(name for name in service.regions if name != active)
        found[service.name] = Standing(active, standbys, bool(told["held"]), str(told["why"]))
    return found


def _ramps(status: Mapping[str, Any], policy: Policy) -> dict[ServiceName, Ramping]:
    """How far those have come that the policy has too, to the same region."""
    found: dict[ServiceName, Ramping] = {}
    for entry in status.get("services", ()):
        told, service = entry.get("ramp"), policy.services.get(ServiceName(entry["name"]))
        if (
            told
            and service is not None
            and service.ramp is not None
            and service.ramp.region == told["region"]
        ):
            phase = str(told["phase"])
            moves = phase in {RampPhase.RUNNING, RampPhase.PAUSED}
            said = phase.replace("_", " ")
            found[service.name] = Ramping(float(told["part"]), moves, said, str(told["why"] or ""))
    return found
