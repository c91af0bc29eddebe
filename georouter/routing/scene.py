"""`Scene`: what the steps of one service may look at, as arrays over places and regions."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from georouter.facts.world import Ramping, Standing, World
from georouter.geo.codes import continent_of
from georouter.geo.map import Places
from georouter.policy.model import Location, Policy, Service
from georouter.policy.steps import Residency
from georouter.policy.tenants import Tenancy, Tenant
from georouter.words.ids import RegionName

_NOWHERE = Location(nan, nan)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Places (P rows) and the regions of one service (R columns, in the order of `universe`).

    `lat`, `lon`: degrees of each region, NaN where it has no location. `rtt_ms`: this node's own
    measurement, NaN where it has none. `node`: where this node is. `restricted`: the regions inside
    every fence of the service. `own`: how many leading regions are the service's own; the others are
    fallback only. `standing`: where the service's `failover` step stands, if it keeps a state;
    `ramping`: how far its ramp has come. `tenant`: whose name was asked for, where the service pins
    tenants; then there is one place.
    """

    places: Places
    regions: tuple[RegionName, ...]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    rtt_ms: NDArray[np.float64]
    node: Location | None
    restricted: frozenset[int]
    own: int
    standing: Standing | None = None
    ramping: Ramping | None = None
    tenant: Tenant | None = None

    @property
    def tenancy(self) -> Tenancy | None:
        """How the tenant lives, if it is one."""
        return None if self.tenant is None else self.tenant.tenancy

    def index(self) -> dict[RegionName, int]:
        """Column of each region."""
        return {name: column for column, name in enumerate(self.regions)}


def universe(service: Service) -> tuple[RegionName, ...]:
    """Every region the service may ever answer: its own in order, then fallback regions not among them."""
    return tuple(dict.fromkeys((*service.regions, *service.fallback)))


def own_regions(service: Service) -> int:
    """How many regions at the start of `universe` are the service's own."""
    return len(dict.fromkeys(service.regions))


def restricted(service: Service) -> frozenset[int]:
    """Indices of the regions that lie inside every residency fence of the service."""
    fences = [step.regions for step in service.chain if isinstance(step, Residency)]
    return frozenset(
        column for column, name in enumerate(universe(service)) if all(name in fence for fence in fences)
    )


def make_scene(
    policy: Policy, service: Service, places: Places, world: World, tenant: Tenant | None = None
) -> Scene:
    """The scene of `service` for these places in this world."""
    names = universe(service)
    locations = [policy.regions[name].location or _NOWHERE for name in names]
    return Scene(
        places=places,
        regions=names,
        lat=np.array([location.lat for location in locations], dtype=np.float64),
        lon=np.array([location.lon for location in locations], dtype=np.float64),
        rtt_ms=np.array([world.rtt_ms.get(name, np.nan) for name in names], dtype=np.float64),
        node=policy.server.location,
        restricted=restricted(service),
        own=own_regions(service),
        standing=None if service.failover is None else world.standings.get(service.name),
        ramping=None if service.ramp is None else world.ramps.get(service.name),
        tenant=tenant,
    )


def standing_at(policy: Policy, region: RegionName) -> Places:
    """The place of a client that stands at a region."""
    location = policy.regions[region].location or _NOWHERE
    country = location.country or ""
    return Places(
        country=np.array([country], dtype="S2"),
        continent=np.array([continent_of(country)], dtype="S2"),
        subdivision=np.array([""], dtype="S6"),
        city=np.zeros(1, dtype=np.int32),
        lat=np.array([location.lat], dtype=np.float32),
        lon=np.array([location.lon], dtype=np.float32),
        asn=np.zeros(1, dtype=np.uint32),
        network_set=np.zeros(1, dtype=np.int32),
    )
