"""`failover`: an explicit order, the same for every client. Regions it does not name come last, together.

Where the step keeps a state (failback by hand, lag, promotion, ...), one region is active and the others
stand by: the order ranks them, `stand` tells selection who is who.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from georouter.facts.failover import BeyondMaxLag, Choose, FailoverRule
from georouter.facts.world import Effective, RegionFacts, Role, Standing, World
from georouter.policy.model import Service
from georouter.policy.steps import Failover, Tiers
from georouter.routing.scene import Scene
from georouter.routing.steps.weighted import ramped
from georouter.routing.text import tier_list
from georouter.routing.tiers import TierArray, split
from georouter.words.ids import RegionName, ServiceName, SignalName


def rank(step: Failover, tiers: TierArray, scene: Scene) -> TierArray:
    """Split every tier by the explicit order."""
    return split(tiers, order_keys(step.order, scene)[None, :])


def facts_for(service: Service, regions: Sequence[RegionName], world: World) -> tuple[RegionFacts, ...]:
    """The facts of these regions as the service sees them."""
    facts = stand(None if service.failover is None else service.name, regions, world)
    return ramped(service.ramp, service.name, regions, facts, world)


def stand(
    service: ServiceName | None, regions: Sequence[RegionName], world: World
) -> tuple[RegionFacts, ...]:
    """The facts of these regions as the service's step has them stand; None: it keeps no state."""
    facts = tuple(world.region(name) for name in regions)
    standing = None if service is None else world.standings.get(service)
    if standing is None:
        return facts
    roles = dict.fromkeys(standing.standbys, Role.STANDBY)
    roles[standing.active] = Role.HELD if standing.held else Role.ACTIVE
    return tuple(
        replace(fact, role=roles[name]) if name in roles else fact
        for name, fact in zip(regions, facts, strict=True)
    )


def after_loss(rule: FailoverRule, standing: Standing, world: World) -> Standing:
    """Where the step will stand in a world in which its active region is lost: who takes over, as far as that
    can be known ahead (`failover_machine.choose`; when regions were left is not). Held where nobody may.
    """

    def cost(name: RegionName) -> tuple[bool, bool, bool, float, int]:
        fact, lag = world.region(name), lags[name]
        return (
            fact.effective is Effective.DRAINED,
            rule.max_lag is not None and lag > rule.max_lag,
            fact.effective is Effective.UNKNOWN,
            lag if rule.choose is Choose.LEAST_LAG else 0.0,
            rule.order.index(name),
        )

    lags = {name: _lag(world, name, rule.signal) for name in rule.order}
    able = [name for name in rule.order if world.region(name).effective is not Effective.DOWN]
    if rule.max_lag is not None and rule.beyond_max_lag is BeyondMaxLag.REFUSE:
        held = bool(able)
        able = [name for name in able if lags[name] <= rule.max_lag]
    else:
        held = False
    chosen = min(able, key=cost, default=None)
    if chosen is None:
        return replace(standing, held=held)
    return Standing(chosen, tuple(name for name in rule.order if name != chosen))


def _lag(world: World, region: RegionName, signal: SignalName) -> float:
    """The last one told, endless where none is."""
    reading = world.readings.get(region, {}).get(signal)
    if reading is None or isinstance(reading.value, str):
        return inf
    return float(reading.value)


def order_keys(order: Tiers, scene: Scene) -> NDArray[np.int32]:
    """The place of each region (R) in `order`; regions not named share the one after the last."""
    keys = np.full(len(scene.regions), len(order), dtype=np.int32)
    columns = scene.index()
    for number, tier in reversed(list(enumerate(order))):
        for name in tier:
            if name in columns:
                keys[columns[name]] = number
    return keys


def explain(step: Failover, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The order, and who was not named."""
    del before, after
    named = {name for tier in step.order for name in tier}
    rest = [name for name in scene.regions[: scene.own] if name not in named]
    tail = f"; not named, so last together: {', '.join(rest)}" if rest else ""
    order = f"the order is {tier_list(step.order)}{tail}"
    return (order,) if scene.standing is None else (order, scene.standing.why)
