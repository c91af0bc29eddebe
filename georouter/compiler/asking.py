"""Who asks a service, by ranking: what the capacity plan is made of."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from georouter.compiler.steering import census_slots, table_key
from georouter.facts.demand import Census, division
from georouter.facts.plan import CapacityPlan, Spread
from georouter.facts.world import World
from georouter.geo.map import UNPLACED, GeoMap
from georouter.policy.model import Policy, Service
from georouter.routing.capacity import Asking, CapacityPlanner
from georouter.routing.rank import Ranked, distinct, rank
from georouter.routing.scene import Scene, make_scene, universe
from georouter.routing.select import rule_of
from georouter.routing.steps.latency import estimate_ms
from georouter.words.ids import RegionName, ServiceName

CHUNK = 65536
"""Places at a time: 65536 x 30 regions x 8 bytes are 16 MB."""

_Array = NDArray[np.float64]
_NONE = np.empty(0, dtype=np.int64)


def address_space(geo: GeoMap) -> _Array:
    """How many IPv4 addresses each place has; those that nobody placed count nowhere."""
    widths = np.diff(np.append(geo.starts4.astype(np.uint64), np.uint64(1 << 32))).astype(np.float64)
    widths[geo.place4 == UNPLACED] = 0.0
    counted: _Array = np.bincount(geo.place4, weights=widths, minlength=len(geo.places)).astype(np.float64)
    return counted


class RoundTrips:
    """From where clients are to regions: `weight[place]` is how many are there.

    Every region is estimated once, for whatever service asks first.
    """

    def __init__(self, geo: GeoMap, weight: _Array) -> None:
        self.weight = weight
        placed = np.isfinite(geo.places.lat) & np.isfinite(geo.places.lon)
        self._rows = np.flatnonzero((weight > 0) & placed)
        self._lat = geo.places.lat[self._rows].astype(np.float64)
        self._lon = geo.places.lon[self._rows].astype(np.float64)
        self._known: dict[RegionName, NDArray[np.float32]] = {}

    def means(self, scene: Scene, of: NDArray[np.int32], count: int) -> _Array:
        """The mean estimate of each ranking's clients to each region of the scene: milliseconds, (count, R).

        `of[place]` is a place's ranking. NaN for rankings of whom nobody has coordinates.
        """
        times = self._times(scene)
        summed = np.zeros((count, len(scene.regions)))
        for begin in range(0, len(self._rows), CHUNK):
            here = slice(begin, begin + CHUNK)
            ranking = of[self._rows[here]]
            order = np.argsort(ranking, kind="stable")
            found, first = np.unique(ranking[order], return_index=True)
            weights = self.weight[self._rows[here]][order, None]
            weighed = np.stack([column[here] for column in times], axis=1)[order] * weights
            summed[found] += np.add.reduceat(weighed, first, axis=0)
        known = np.bincount(of[self._rows], weights=self.weight[self._rows], minlength=count)[:, None]
        return np.divide(summed, known, out=np.full_like(summed, np.nan), where=known > 0)

    def _times(self, scene: Scene) -> list[NDArray[np.float32]]:
        for column, name in enumerate(scene.regions):
            if name not in self._known:
                one = slice(column, column + 1)
                alone = replace(scene, lat=scene.lat[one], lon=scene.lon[one], rtt_ms=scene.rtt_ms[one])
                self._known[name] = estimate_ms(self._lat, self._lon, alone)[0].astype(np.float32)
        return [self._known[name] for name in scene.regions]


def make_asking(  # noqa: PLR0917 - a service on a map
    service: Service,
    scene: Scene,
    trips: RoundTrips,
    rankings: tuple[Ranked, ...],
    of: NDArray[np.int32],
    demand: _Array | float,
) -> Asking:
    """The clients of `service`: `of[place]` is a place's ranking.

    `demand` is that of each ranking, or of all together, to be divided by the weights of places.
    """
    count = len(rankings)
    rtt_ms = trips.means(scene, of, count)
    if isinstance(demand, float | int):
        clients = np.bincount(of, weights=trips.weight, minlength=count)
        total = float(clients.sum())
        asked: _Array = clients.astype(np.float64) * (demand / total if total > 0 else 0.0)
    else:
        asked = demand
    return Asking(universe(service), rankings, asked, rtt_ms, rule_of(service))


class Crowd:
    """The clients of all services whose demand can be known, on one map and with one set of round trips."""

    def __init__(self, policy: Policy, geo: GeoMap, world: World) -> None:
        self._policy = policy
        trips = RoundTrips(geo, address_space(geo))
        ranked: dict[Hashable, Asking] = {}
        self._askings: dict[ServiceName, Asking] = {}
        self._slots: dict[ServiceName, NDArray[np.int64]] = {}
        self._last: tuple[float, CapacityPlanner] | None = None
        for name, service in policy.services.items():
            rule = rule_of(service)
            if service.demand is None and (rule.capacity is None or rule.capacity.signal is None):
                continue
            key = table_key(service)
            if key not in ranked:
                scene = make_scene(policy, service, geo.places, world)
                rankings, of = distinct(rank(policy, service, scene))
                ranked[key] = make_asking(service, scene, trips, rankings, of, 1.0)
            self._askings[name] = replace(ranked[key], rule=rule)

    def plan(self, world: World, censuses: Mapping[ServiceName, Census], now: float) -> CapacityPlan:
        """The plan for this world alone; what is in force now is `world.capacity`. Raises NoSolverError."""
        return self._planner(world, censuses, now).plan(world, now, world.capacity)

    def losses(
        self,
        world: World,
        censuses: Mapping[ServiceName, Census],
        now: float,
        names: Sequence[RegionName],
    ) -> dict[RegionName, Spread]:
        """What to do at the loss of each of these regions. Raises NoSolverError.

        Cheaper after a `plan` or `losses` with the same clients, which are told by `now`.
        """
        return self._planner(world, censuses, now).losses(world, names)

    def _planner(self, world: World, censuses: Mapping[ServiceName, Census], now: float) -> CapacityPlanner:
        if self._last is not None and self._last[0] == now:
            return self._last[1]
        askings = []
        for name, asking in self._askings.items():
            scale = demand_of(self._policy.services[name], world, now)
            if scale > 0:
                census = censuses.get(name)
                slots = _NONE if census is None else self._slots_of(name)
                askings.append(replace(asking, demand=division(asking.demand, slots, census) * scale))
        planner = CapacityPlanner(self._policy, askings)
        self._last = now, planner
        return planner

    def _slots_of(self, name: ServiceName) -> NDArray[np.int64]:
        """The census slot of each ranking; only worked out for those who are counted."""
        if name not in self._slots:
            asking = self._askings[name]
            slots = census_slots(asking.rankings, asking.universe)
            self._slots[name] = np.array(slots, dtype=np.int64)
        return self._slots[name]


def demand_of(service: Service, world: World, now: float) -> float:
    """The service's demand, or what its regions say they carry; 0.0 where nothing is known."""
    step = rule_of(service).capacity
    if service.demand is not None or step is None or step.signal is None:
        return service.demand or 0.0
    total = 0.0
    for region in universe(service):
        reading = world.readings.get(region, {}).get(step.signal)
        if reading is not None and reading.is_fresh(now) and _is_load(reading.value):
            total += float(reading.value)
    return total


def _is_load(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
