"""`world`: everything we know, folded into the facts that routing may use.

                  observed up    observed unknown    observed down
    no override   up             unknown             down
    drain         drained        drained             down
    force_up      up             up                  up
    force_down    down           down                down

The observed state and the endpoints that are down are reported as they are, whatever is forced. While the
brake holds, "observed" in the table is what was observed before, and so are the endpoints that are down.
"""

from collections.abc import Iterable, Mapping

from georouter.facts.aliases import Addresses, AliasKey
from georouter.facts.brake import Freeze
from georouter.facts.endpoints import (
    EndpointKey,
    RegionShape,
    endpoint_states,
    endpoints_down,
    is_suspect,
    region_state,
)
from georouter.facts.health import Health
from georouter.facts.latency import Latency, by_region, settle
from georouter.facts.overrides import OverrideKind, Overrides, active, pending
from georouter.facts.plan import CapacityPlan
from georouter.facts.readings import by_region as readings_by_region
from georouter.facts.readings import region_health
from georouter.facts.rules import HealthRule
from georouter.facts.world import Effective, Known, Ramping, RegionFacts, Standing, State, World
from georouter.words.ids import ServiceName


def world(
    regions: Iterable[RegionShape],
    healths: Mapping[EndpointKey, Health],
    latencies: Mapping[EndpointKey, Latency],
    overrides: Overrides,
    *,
    last_known: Mapping[ServiceName, Known],
    now: float,
    aliases: Mapping[AliasKey, Addresses] | None = None,
    previous: World | None = None,
    rules: Mapping[EndpointKey, HealthRule] | None = None,
    standings: Mapping[ServiceName, Standing] | None = None,
    capacity: CapacityPlan | None = None,
    ramps: Mapping[ServiceName, Ramping] | None = None,
    freeze: Freeze | None = None,
) -> World:
    """The facts at `now` (Unix seconds). `rules` say which signals are read.

    `previous` is the world in use: its `rtt_ms` stays, as the same object, while no measured round
    trip moved enough to matter, so that `is` tells whether rankings must be compiled again.
    While `freeze` holds, its healths are acted on; what is observed is reported all the same.
    """
    shapes = tuple(regions)
    forced = active(overrides, now)
    acted = acted_on(shapes, healths, freeze)
    facts = {
        shape.name: _region(shape, healths, acted, forced, frozen=freeze is not None) for shape in shapes
    }
    return World(
        regions=facts,
        rtt_ms=settle(previous.rtt_ms if previous else {}, by_region(shapes, latencies, acted)),
        last_known=last_known,
        capacity=capacity,
        suspects=frozenset(
            shape.name
            for shape in shapes
            if facts[shape.name].effective is Effective.UP and is_suspect(shape, acted)
        ),
        leaving=frozenset(
            name for name, item in pending(overrides, now).items() if item.kind is not OverrideKind.FORCE_UP
        ),
        readings=readings_by_region(shapes, healths, rules or {}),
        standings=standings or {},
        ramps=ramps or {},
        aliases=aliases or {},
        frozen_since=None if freeze is None else freeze.since,
    )


def acted_on(
    regions: Iterable[RegionShape], healths: Mapping[EndpointKey, Health], freeze: Freeze | None
) -> Mapping[EndpointKey, Health]:
    """The healths of these regions that answers follow: those that `freeze` stands on, where it has any."""
    if freeze is None:
        return healths
    return {
        key: known
        for shape in regions
        for key in shape.endpoints
        if key is not None and (known := freeze.healths.get(key, healths.get(key))) is not None
    }


def effective(observed: State, forced: Effective | None) -> Effective:
    """What selection acts on."""
    if forced is None:
        return Effective(observed.value)
    if forced is Effective.DRAINED and observed is State.DOWN:
        return Effective.DOWN
    return forced


FORCES = {
    OverrideKind.DRAIN: Effective.DRAINED,
    OverrideKind.FORCE_UP: Effective.UP,
    OverrideKind.FORCE_DOWN: Effective.DOWN,
}


def _region(
    shape: RegionShape,
    healths: Mapping[EndpointKey, Health],
    acted: Mapping[EndpointKey, Health],
    forced: Overrides,
    *,
    frozen: bool,
) -> RegionFacts:
    states = endpoint_states(shape, acted)
    state = region_state(states, shape.min_healthy)
    observed = region_state(endpoint_states(shape, healths), shape.min_healthy)
    override = forced.get(shape.name)
    force = None if override is None else FORCES[override.kind]
    return RegionFacts(
        observed=observed,
        effective=effective(state, force),
        forced=force,
        health=region_health(shape, acted),
        endpoints_down=endpoints_down(states),
        frozen=state if frozen else None,
    )
