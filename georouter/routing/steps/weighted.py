"""`weighted`: shares inside a tier. It ranks nothing; selection applies the weights.

A region not named weighs 1. Weight 0 answers only when every other region is gone. The region of a ramp has
a cohort instead: as many client networks as the ramp has come to, always the same ones and ever more of them.
Where its tier answers, they get the region and nobody else does, as if it had weight 0 for them.
"""

from collections.abc import Sequence
from dataclasses import replace

from georouter.facts.ramp import RampRule
from georouter.facts.world import RegionFacts, World
from georouter.policy.steps import Weighted
from georouter.routing.scene import Scene
from georouter.routing.tiers import TierArray
from georouter.words.ids import RegionName, ServiceName


def rank(step: Weighted, tiers: TierArray, scene: Scene) -> TierArray:
    """The tiers as they came."""
    del step, scene
    return tiers


def part_of(ramp: RampRule, service: ServiceName | None, world: World) -> float:
    """The part of the clients that a service's ramp has come to; where nobody runs it, its beginning."""
    running = None if service is None else world.ramps.get(service)
    return ramp.start if running is None else running.part


def ramped(
    ramp: RampRule | None,
    service: ServiceName | None,
    regions: Sequence[RegionName],
    facts: tuple[RegionFacts, ...],
    world: World,
) -> tuple[RegionFacts, ...]:
    """The facts of these regions with the cohort of the ramp's."""
    if ramp is None:
        return facts
    part = part_of(ramp, service, world)
    return tuple(
        replace(fact, cohort=part) if name == ramp.region else fact
        for name, fact in zip(regions, facts, strict=True)
    )


def explain(step: Weighted, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The weight of each region; the shares are the selection's to tell, they depend on health."""
    del before, after
    ramp = step.ramp
    own = [name for name in scene.regions[: scene.own] if ramp is None or name != ramp.region]
    reasons = [f"weights: {', '.join(f'{name} {step.weights.get(name, 1.0):g}' for name in own)}"]
    idle = [name for name in own if step.weights.get(name, 1.0) == 0]
    if idle:
        reasons.append(f"weight 0 answers only when all others are gone: {', '.join(idle)}")
    if ramp is not None:
        running = scene.ramping
        part = ramp.start if running is None else running.part
        said = "not running" if running is None else running.phase + (f": {running.why}" * bool(running.why))
        reasons.append(
            f"ramp: {part:.1%} of the networks get {ramp.region}, at last {ramp.target:.0%} ({said})"
        )
    return tuple(reasons)
