"""What a publication means for people: who answers now, and what changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from georouter.answers.layout import Reason
from georouter.compiler.selections import Selections
from georouter.compiler.steering import Table
from georouter.facts.world import Effective, Known, RegionFacts
from georouter.routing.select import Selection, last_up
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True)
class Answering:
    """One service now: the regions that answer some client (in the service's order).

    `failover_active`: some clients are not answered by their first choice because of health or an
    override. `all_down`: for some clients every allowed region is down.
    """

    answering: tuple[RegionName, ...]
    failover_active: bool
    all_down: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A service whose answers moved. `moved` is the share (0..1) of the IPv4 address space that is
    now answered by other regions or in other proportions; None when the chain itself is new.
    """

    service: ServiceName
    before: tuple[RegionName, ...]
    after: tuple[RegionName, ...]
    moved: float | None

    def __str__(self) -> str:
        share = "" if self.moved is None else f" ({self.moved:.0%} of IPv4)"
        return f"service {self.service}: {_named(self.before)} -> {_named(self.after)}{share}"


def answering(names: tuple[RegionName, ...], table: Table, selections: Selections) -> Answering:
    """Who answers, of the regions `names`, over all places of the table."""
    used = _in_use(table, selections)
    regions = {region for selection in used for item in selection.candidates for region in item.regions}
    return Answering(
        answering=tuple(name for region, name in enumerate(names) if region in regions),
        failover_active=any(item.reason not in (Reason.PRIMARY, Reason.REFUSED) for item in used),
        all_down=any(item.reason in (Reason.ALL_DOWN, Reason.FALLBACK) for item in used),
    )


def last_known(
    names: tuple[RegionName, ...],
    table: Table,
    selections: Selections,
    facts: tuple[RegionFacts, ...],
    before: Known,
) -> Known:
    """By what clients may get, the regions of their answers that are up; where none is, those of `before`."""
    up = [
        frozenset(
            names[region]
            for candidate in selection.candidates
            for region in candidate.regions
            if facts[region].effective is Effective.UP
        )
        for selection in selections.distinct
    ]
    found: dict[frozenset[int], frozenset[RegionName]] = {}
    for ranked, index in zip(table.rankings, selections.of.tolist(), strict=True):
        allowed = ranked.allowed
        found[allowed] = found.get(allowed, frozenset()) | up[index]
    known = {}
    for allowed, mine in found.items():
        among = frozenset(names[region] for region in allowed)
        known[among] = mine or last_up(before.items(), among)
    return {among: mine for among, mine in known.items() if mine}


def moved(table: Table, before: Selections, after: Selections) -> float:
    """The share of the IPv4 address space whose regions or proportions differ."""
    old, new = before.of[: table.mapped].astype(np.int64), after.of[: table.mapped]
    pairs, which = np.unique(old * len(after.distinct) + new, return_inverse=True)
    count = len(after.distinct)
    differs = np.array(
        [_differ(before.distinct[pair // count], after.distinct[pair % count]) for pair in pairs.tolist()],
        dtype=np.bool_,
    )
    return float(table.share[differs[which]].sum())


def changes(
    before: Mapping[ServiceName, Answering],
    after: Mapping[ServiceName, Answering],
    moved_of: Mapping[ServiceName, float | None],
) -> Iterable[Change]:
    """Services of both publications whose answers differ, in the policy's order."""
    for service, share in moved_of.items():
        old, new = before.get(service), after[service]
        if old is not None and (old.answering != new.answering or share):
            yield Change(service, old.answering, new.answering, share)


def _in_use(table: Table, selections: Selections) -> list[Selection]:
    """The distinct selections of rankings that places or tenants have."""
    tenants = np.array(table.pinned.rankings if table.pinned else (), dtype=np.int64)
    used = np.union1d(selections.of[: table.mapped], selections.of[tenants])
    return [selections.distinct[index] for index in used.tolist()]


def _differ(old: Selection, new: Selection) -> bool:
    """Whether other regions answer, or in other proportions; another reason alone is no difference."""
    if old is new:
        return False
    before = [(item.regions, item.weight) for item in old.candidates]
    return old.servfail != new.servfail or before != [(item.regions, item.weight) for item in new.candidates]


def _named(regions: tuple[RegionName, ...]) -> str:
    return ", ".join(regions) or "nobody"
