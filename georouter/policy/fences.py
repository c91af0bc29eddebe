"""What residency and tenants leave to an answer that is the same for everybody, as a secondary gives it."""

from georouter.policy.model import Service
from georouter.policy.steps import Pin, Residency, Unplaced, WithoutEcs
from georouter.words.ids import RegionName


def for_everybody(service: Service) -> frozenset[RegionName] | None:
    """The regions that every client may get; None where the service has neither fence nor tenants.

    Those that all fences allow, whatever they say of clients that nobody can place: the answer reaches
    those inside of a fence too. None at all where a fence denies clients without place or subnet, and
    where tenants have homes: one answer would be for all of them.
    """
    if any(isinstance(step, Pin) for step in service.chain):
        return frozenset()
    fences = [step for step in service.chain if isinstance(step, Residency)]
    if not fences:
        return None
    if any(step.unplaced is Unplaced.DENY or step.without_ecs is WithoutEcs.DENY for step in fences):
        return frozenset()
    every = frozenset((*service.regions, *service.fallback))
    return every.intersection(*(step.regions for step in fences))
