"""`decide`: the whole decision for one place, with its trace. The compiler calls the same functions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from georouter.facts.world import RegionFacts, World
from georouter.geo.map import Places
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Tiers
from georouter.policy.tenants import Tenant
from georouter.routing.rank import Ranked, distinct, stages
from georouter.routing.scene import make_scene, universe
from georouter.routing.select import Selection, able, bound, having, known_last, planned, rule_of, select
from georouter.routing.steps import kind_of
from georouter.routing.steps.failover import facts_for
from georouter.routing.tiers import OUTSIDE, TierArray, start
from georouter.words.ids import RegionName, ServiceName


class Family(StrEnum):
    """Which records are asked for: addresses of one family, or whatever the regions have."""

    ANY = "any"
    A = "A"
    AAAA = "AAAA"
    BOUND = "HTTPS"
    """HTTPS and SVCB, which hold what both have to say."""

    @property
    def endpoint_families(self) -> frozenset[int]:
        """The endpoint families that answer it (0: a hostname, answered as CNAME whatever was asked)."""
        return {
            Family.ANY: frozenset({0, 4, 6}),
            Family.A: frozenset({0, 4}),
            Family.AAAA: frozenset({0, 6}),
            Family.BOUND: frozenset({0, 4, 6}),
        }[self]


WITHIN = "client block"
"""Name of the trace of `within`, which is no step of the chain."""

WITHIN_REASON = ("the answer is for more than one fence: only regions that all of them allow stay",)


@dataclass(frozen=True, slots=True)
class Trace:
    """One step: the tiers that came in and went out, by name, why, and which regions it dropped."""

    step: str
    before: Tiers
    after: Tiers
    reasons: tuple[str, ...]
    dropped: tuple[RegionName, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything about one decision.

    `regions` is the universe that indices in `ranked` and `selections` mean; `facts` are the facts
    used, in the same order. `dropped` lists the regions a fence keeps out.
    """

    service: ServiceName
    regions: tuple[RegionName, ...]
    steps: tuple[Trace, ...]
    dropped: tuple[RegionName, ...]
    ranked: Ranked
    selections: Mapping[Family, Selection]
    facts: tuple[RegionFacts, ...]

    @property
    def tiers(self) -> Tiers:
        """The ranking by name."""
        return tuple(tuple(self.regions[region] for region in tier) for tier in self.ranked.tiers)

    def answers(self, family: Family = Family.ANY) -> frozenset[RegionName]:
        """Every region that may stand in an answer."""
        return frozenset(
            self.regions[region]
            for candidate in self.selections[family].candidates
            for region in candidate.regions
        )


def decide(
    policy: Policy,
    service: Service,
    place: Places,
    world: World,
    *,
    within: frozenset[int] | None = None,
    tenant: Tenant | None = None,
) -> Decision:
    """Decide for the one row of `place`.

    `tenant` is whose name it is, where the service pins tenants (`pin.tenant_of`). `within` keeps to these
    regions of the universe: what the fences allow to everybody that the answer is for, when that is more
    than this place.
    """
    if len(place) != 1:
        raise ValueError(f"decide wants one place, not {len(place)}")
    scene = make_scene(policy, service, place, world, tenant)
    tiers = start(1, scene.own, len(scene.regions))
    traces = []
    for step, seen in stages(policy, service, scene):
        kind = kind_of(step)
        after = kind.rank(step, tiers, seen)
        reasons = kind.explain(step, tiers, after, seen)
        traces.append(_trace(kind.name, tiers, after, reasons, scene.regions))
        tiers = after
    if within is not None:
        after = np.where([column in within for column in range(len(scene.regions))], tiers, np.int16(OUTSIDE))
        traces.append(_trace(WITHIN, tiers, after, WITHIN_REASON, scene.regions))
        tiers = after
    facts = facts_for(service, scene.regions, world)
    ranked = replace(distinct(tiers)[0][0], pinned=scene.tenancy is not None)
    return Decision(
        service=service.name,
        regions=scene.regions,
        steps=tuple(traces),
        dropped=tuple(scene.regions[column] for column in _outside(tiers)),
        ranked=ranked,
        selections=_selections(policy, service, ranked, facts, world),
        facts=facts,
    )


def _selections(
    policy: Policy, service: Service, ranked: Ranked, facts: tuple[RegionFacts, ...], world: World
) -> Mapping[Family, Selection]:
    names = universe(service)
    rule = rule_of(service)
    last = known_last(service.name, names, world)
    shares = planned(rule, names, world)
    made = {
        family: select(ranked, rule, facts, usable(policy, names, family, facts), last, shares)
        for family in (Family.ANY, Family.A, Family.AAAA)
    }
    return {**made, Family.BOUND: bound(rule, made[Family.A], made[Family.AAAA])}


def usable(
    policy: Policy, names: tuple[RegionName, ...], family: Family, facts: tuple[RegionFacts, ...]
) -> frozenset[int] | None:
    """Which of these regions can answer A or AAAA now; None for all of them, and for other families."""
    if family not in {Family.A, Family.AAAA}:
        return None
    families = family.endpoint_families
    with_any = having(policy, names, families)
    everyone = None if len(with_any) == len(names) else with_any
    return able([policy.regions[name] for name in names], facts, families, everyone)


def _trace(
    name: str, before: TierArray, after: TierArray, reasons: tuple[str, ...], regions: tuple[RegionName, ...]
) -> Trace:
    lost = sorted(_outside(after) - _outside(before))
    return Trace(
        step=name,
        before=_named(before, regions),
        after=_named(after, regions),
        reasons=reasons,
        dropped=tuple(regions[column] for column in lost),
    )


def _outside(tiers: TierArray) -> frozenset[int]:
    return frozenset(column for column, tier in enumerate(tiers[0].tolist()) if tier == OUTSIDE)


def _named(tiers: TierArray, regions: tuple[RegionName, ...]) -> Tiers:
    ranked = distinct(tiers)[0][0]
    return tuple(tuple(regions[region] for region in tier) for tier in ranked.tiers)
