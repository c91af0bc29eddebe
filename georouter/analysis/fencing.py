"""What fences and claims allow at every place: a second opinion, from the policy's words alone.

    place --`routing.match`--> met | undecided | neither, per fence --> the set of regions all of them allow

The compiler's fence tables have no part in this. Sets of regions are bits in the order of the policy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from georouter.geo.map import Places
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Match, Residency, Unplaced, WithoutEcs
from georouter.routing.match import meets, undecided
from georouter.words.ids import RegionName

NEITHER, MET, UNDECIDED = range(3)


@dataclass(frozen=True, slots=True)
class Fence:
    """`clients` get only `regions`. `undecided` are those for addresses that the map does not place well
    enough, None for no rule. `text` says it to people.
    """

    clients: Match
    regions: int
    undecided: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An operator's claim: `clients` only ever get `regions`. Addresses without a place do not count."""

    text: str
    clients: Match
    regions: frozenset[RegionName]


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What may be answered: `masks[of[place]]` are the regions allowed at a place.

    The masks are closed: `meet[a, b]` is the number of what both `a` and `b` allow. `without_subnet` is
    the number of what a query without client subnet may get wherever it comes from. `resident[r, m]` is what
    `masks[m]` leaves for a tenant whose residency is `residencies[r]`.
    """

    fences: tuple[Fence, ...]
    masks: tuple[int, ...]
    of: NDArray[np.int32]
    meet: NDArray[np.int32]
    without_subnet: int
    residencies: tuple[int, ...] = ()
    resident: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int32))


def with_tenants(expectation: Expected, residencies: Iterable[int]) -> Expected:
    """The same with what tenants with these residencies may get; the masks that are new stand last."""
    distinct = tuple(dict.fromkeys(residencies))
    known = {mask: index for index, mask in enumerate(expectation.masks)}
    resident = [
        [known.setdefault(residency & mask, len(known)) for mask in expectation.masks]
        for residency in distinct
    ]
    return replace(
        expectation,
        masks=tuple(known),
        residencies=distinct,
        resident=np.array(resident, dtype=np.int32).reshape(len(distinct), len(expectation.masks)),
    )


def bits(policy: Policy, names: Iterable[RegionName]) -> int:
    """The set of these regions."""
    wanted = frozenset(names)
    return sum(1 << number for number, name in enumerate(policy.regions) if name in wanted)


def residencies(service: Service) -> tuple[Residency, ...]:
    """The fences of a service."""
    return tuple(step for step in service.chain if isinstance(step, Residency))


def expected(policy: Policy, service: Service, claims: Sequence[Claim], places: Places) -> Expected:
    """What the residency steps of `service` and the claims allow, for every row of `places`."""
    steps = residencies(service)
    everything = common = (1 << len(policy.regions)) - 1
    for step in steps:
        common &= bits(policy, step.regions)
    fences = (
        *(_of_step(policy, number, step, common) for number, step in enumerate(steps, 1)),
        *(
            Fence(claim.clients, bits(policy, claim.regions), None, f'claim "{claim.text}"')
            for claim in claims
        ),
    )
    rows = np.zeros((len(places), len(fences)), dtype=np.uint8)
    for column, fence in enumerate(fences):
        rows[undecided(fence.clients, places), column] = UNDECIDED
        rows[meets(fence.clients, places), column] = MET
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    per_kind = [allowed(fences, kind, everything) for kind in kinds.tolist()]
    bare = _without_subnet(steps, common, everything)
    masks = _closed((*per_kind, bare))
    number = {mask: index for index, mask in enumerate(masks)}
    meet = np.array([[number[one & other] for other in masks] for one in masks], dtype=np.int32)
    of = np.array([number[mask] for mask in per_kind], dtype=np.int32)[which.reshape(-1)]
    return Expected(fences, masks, of, meet, number[bare])


def allowed(fences: Sequence[Fence], outcomes: Sequence[int], everything: int) -> int:
    """The regions that all fences allow where these are their outcomes."""
    left = everything
    for fence, outcome in zip(fences, outcomes, strict=True):
        if outcome == MET:
            left &= fence.regions
        elif outcome == UNDECIDED and fence.undecided is not None:
            left &= fence.undecided
    return left


def _of_step(policy: Policy, number: int, step: Residency, common: int) -> Fence:
    unknown = {Unplaced.ALLOW: None, Unplaced.RESTRICT: common, Unplaced.DENY: 0}[step.unplaced]
    text = f"residency step {number} ({said(step.clients)})"
    return Fence(step.clients, bits(policy, step.regions), unknown, text)


def said(match: Match) -> str:
    """`group EU, country CH`."""
    kinds = (
        ("network", match.networks),
        ("asn", match.asns),
        ("city", match.cities),
        ("subdivision", match.subdivisions),
        ("country", match.countries),
        ("continent", match.continents),
        ("group", match.groups),
    )
    return ", ".join(f"{kind} {value}" for kind, values in kinds for value in values)


def _without_subnet(steps: Sequence[Residency], common: int, everything: int) -> int:
    """The strictest of what the fences say of queries without client subnet."""
    ways = {step.without_ecs for step in steps}
    if WithoutEcs.DENY in ways:
        return 0
    return common if WithoutEcs.RESTRICT in ways else everything


def _closed(masks: Iterable[int]) -> tuple[int, ...]:
    """The masks and all of their intersections."""
    found = dict.fromkeys(masks)
    waiting = list(found)
    while waiting:
        one = waiting.pop()
        for other in tuple(found):
            if one & other not in found:
                found[one & other] = None
                waiting.append(one & other)
    return tuple(found)
