"""Who goes where: the decision for everybody at once, as shares of the clients.

    place of the map --chain--> ranking --selection in a world--> share of each region

The functions are those that the compiler calls. A share is what hashing gives over many client networks:
a region's weight in its tier, not the outcome for one network. Where A and AAAA go to different regions,
because not all have both, it is A that counts.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import Reason
from georouter.answers.tenants import NOBODY
from georouter.compiler.steering import table_key
from georouter.facts.world import World
from georouter.geo.map import UNPLACED, GeoMap
from georouter.geo.ranges import with_points
from georouter.policy.model import Policy, Service
from georouter.routing.decide import Family, usable
from georouter.routing.rank import Ranked, distinct, rank
from georouter.routing.scene import make_scene, universe
from georouter.routing.select import Selector, bound, known_last, planned, rule_of
from georouter.routing.steps.failover import facts_for
from georouter.routing.steps.latency import estimate_ms
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One way things are or could be. `geo` is the map with the policy's networks laid over it."""

    policy: Policy
    geo: GeoMap
    world: World
    _ranked: dict[Hashable, tuple[tuple[Ranked, ...], NDArray[np.int32]]] = field(
        default_factory=dict, repr=False
    )

    def during(self, world: World) -> "Side":
        """The same policy while other facts hold. Rankings are shared as long as no latency changed."""
        return replace(self, world=world, _ranked=self._ranked if world.rtt_ms == self.world.rtt_ms else {})

    def rankings(self, service: Service) -> tuple[tuple[Ranked, ...], NDArray[np.int32]]:
        """The distinct rankings of a service, and the one of each place."""
        key = table_key(service)
        if key not in self._ranked:
            scene = make_scene(self.policy, service, self.geo.places, self.world)
            self._ranked[key] = distinct(rank(self.policy, service, scene))
        return self._ranked[key]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """One service on one side.

    `of[place]` is a place's ranking, `shares[ranking, region]` the part of its clients that each of
    `regions` answers (a row that sums to less than 1: nobody answers the rest), and `refused[ranking]`
    whether a fence leaves no region.
    """

    side: Side
    service: Service
    regions: tuple[RegionName, ...]
    of: NDArray[np.int32]
    shares: NDArray[np.float64]
    refused: NDArray[np.bool_]

    def rtt_ms(self, places: NDArray[np.integer]) -> NDArray[np.float64]:
        """Estimated round trips from each place (N) to each region, shape (N, R); NaN without coordinates."""
        scene = make_scene(self.side.policy, self.service, self.side.geo.places, self.side.world)
        lat = self.side.geo.places.lat[places].astype(np.float64)
        lon = self.side.geo.places.lon[places].astype(np.float64)
        return estimate_ms(lat, lon, scene).T


def flow(side: Side, service: Service, family: Family | None = None) -> Flow:
    """Decide for every place of the map: for one family, or for A and, where that has no answer, AAAA."""
    return flow_of(side, service, *side.rankings(service), family)


def flow_of(
    side: Side,
    service: Service,
    rankings: Sequence[Ranked],
    of: NDArray[np.int32],
    family: Family | None = None,
) -> Flow:
    """Select for these rankings, where `of[place]` is a place's, as `flow` does."""
    regions, world = universe(service), side.world
    facts = facts_for(service, regions, world)
    last = known_last(service.name, regions, world)
    rule = rule_of(service)
    plan = planned(rule, regions, world)
    select = {
        one: Selector(rule, facts, usable(side.policy, regions, one, facts), last, plan)
        for one in ((family,) if family in {Family.A, Family.AAAA} else (Family.A, Family.AAAA))
    }
    both = rule if family is Family.BOUND else replace(rule, sticky=None)
    shares = np.zeros((len(rankings), len(regions)))
    refused = np.zeros(len(rankings), dtype=np.bool_)
    for number, ranking in enumerate(rankings):
        found = [one(ranking) for one in select.values()]
        selection = found[0] if len(found) == 1 else bound(both, *found)
        total = sum(candidate.weight for candidate in selection.candidates)
        for candidate in selection.candidates:
            shares[number, candidate.regions[0]] += candidate.weight / total
        refused[number] = selection.reason is Reason.REFUSED
    return Flow(side, service, regions, of, shares, refused)


def nowhere(found: Flow) -> Flow:
    """The same clients, whom nobody answers."""
    return replace(found, shares=np.zeros_like(found.shares))


@dataclass(frozen=True, slots=True, eq=False)
class Clients:
    """Who asks: `weight[i]` (their sum is 1) are at place `before[i]` of one map, `after[i]` of the other.

    `of` says what a share is a share of, for people; `total` is how many addresses or queries that is.
    """

    weight: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    of: str
    total: float = 1.0
    parts: tuple["Part", ...] = ()
    """The same clients by the names they ask for, where these are known."""


GONE = -2
"""The kind of names that would be a tenant's, and there is none."""


@dataclass(frozen=True, slots=True)
class Served:
    """How a name is served: by a service, as the name of a kind of tenant; `NOBODY`: by place alone."""

    service: ServiceName
    kind: int = NOBODY


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Those who ask for names that are served like this; `after` is None where no service answers them."""

    before: Served
    after: Served | None
    clients: Clients


ADDRESS_SPACE = "the IPv4 address space that the database places"


def address_space(before: GeoMap, after: GeoMap) -> Clients:
    """Every IPv4 address that `before` places counts the same; others (private, reserved) do not.

    Raises ValueError for a map that places no IPv4 address.
    """
    cut, _ = with_points(before.starts4.astype(np.uint64), after.starts4.astype(np.uint64))
    widths = np.diff(np.append(cut, np.uint64(1 << 32))).astype(np.float64)
    first = _places(before, cut)
    widths[first == UNPLACED] = 0.0
    return _together(widths, first, _places(after, cut), ADDRESS_SPACE)


def addresses(before: GeoMap, after: GeoMap, counted: Mapping[tuple[int, int], float], of: str) -> Clients:
    """The given clients: `(version, address as in the map) -> how many`."""
    keys = list(counted)
    weights = np.array([counted[key] for key in keys], dtype=np.float64)
    version = np.array([key[0] for key in keys])
    address = np.array([key[1] for key in keys], dtype=np.uint64)
    rows = []
    for geo in (before, after):
        found = np.zeros(len(keys), dtype=np.int64)
        for family, starts, places in ((4, geo.starts4, geo.place4), (6, geo.starts6, geo.place6)):
            mine = version == family
            found[mine] = places[np.searchsorted(starts, address[mine], side="right") - 1]
        rows.append(found)
    return _together(weights, rows[0], rows[1], of)


def _places(geo: GeoMap, starts: NDArray[np.uint64]) -> NDArray[np.int64]:
    at = np.searchsorted(geo.starts4.astype(np.uint64), starts, side="right") - 1
    return geo.place4[at].astype(np.int64)


def _together(
    weights: NDArray[np.float64], before: NDArray[np.int64], after: NDArray[np.int64], of: str
) -> Clients:
    """One entry for each pair of places, those without weight left out."""
    count = int(after.max(initial=0)) + 1
    pairs, inverse = np.unique(before * count + after, return_inverse=True)
    summed = np.bincount(inverse, weights=weights, minlength=len(pairs))
    kept = summed > 0
    total = float(summed.sum())
    if total <= 0:
        raise ValueError(f"no clients: nothing in {of}")
    return Clients(summed[kept] / total, pairs[kept] // count, pairs[kept] % count, of, total)
