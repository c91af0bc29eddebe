"""Places, regions and worlds made by hand for routing tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.geo.map import Network, Places
from georouter.policy.model import Endpoint, Location, Policy, Region, Server, Service
from georouter.policy.steps import Step
from georouter.routing.rank import Ranked, distinct, rank
from georouter.routing.scene import Scene, make_scene
from georouter.words.ids import RegionName, ServiceName

UP = RegionFacts(State.UP, Effective.UP)
UNKNOWN = RegionFacts(State.UNKNOWN, Effective.UNKNOWN)
DOWN = RegionFacts(State.DOWN, Effective.DOWN)
DRAINED = RegionFacts(State.UP, Effective.DRAINED, forced=Effective.DRAINED)
DISABLED = RegionFacts(State.UP, Effective.DOWN, forced=Effective.DOWN)


@dataclass(frozen=True)
class Spot:
    """One row of `Places` in plain Python."""

    country: str = ""
    lat: float = float("nan")
    lon: float = float("nan")
    continent: str = ""
    subdivision: str = ""
    city: str = ""
    asn: int = 0
    networks: frozenset[Network] = field(default_factory=frozenset)


NOWHERE = Spot()
LONDON = Spot("GB", 51.51, -0.13, "EU", "GB-LND", "London")
BERLIN = Spot("DE", 52.52, 13.40, "EU", "DE-BE", "Berlin")
ASHBURN = Spot("US", 39.04, -77.49, "NA", "US-VA", "Ashburn")
FRESNO = Spot("US", 36.74, -119.79, "NA", "US-CA", "Fresno")
SINGAPORE = Spot("SG", 1.35, 103.82, "AS", "", "Singapore")

SITES: Mapping[str, tuple[float, float]] = {
    "us-east": (39.0, -77.5),
    "us-west": (37.4, -122.1),
    "eu-west": (53.3, -6.3),
    "eu-central": (50.1, 8.7),
    "ap-south": (1.35, 103.8),
}


def places_of(*spots: Spot) -> Places:
    """Columns for these rows."""
    cities = tuple(dict.fromkeys(("", *(spot.city for spot in spots))))
    sets = tuple(dict.fromkeys((frozenset[Network](), *(spot.networks for spot in spots))))
    return Places(
        country=np.array([spot.country for spot in spots], dtype="S2"),
        continent=np.array([spot.continent for spot in spots], dtype="S2"),
        subdivision=np.array([spot.subdivision for spot in spots], dtype="S6"),
        city=np.array([cities.index(spot.city) for spot in spots], dtype=np.int32),
        lat=np.array([spot.lat for spot in spots], dtype=np.float32),
        lon=np.array([spot.lon for spot in spots], dtype=np.float32),
        asn=np.array([spot.asn for spot in spots], dtype=np.uint32),
        network_set=np.array([sets.index(spot.networks) for spot in spots], dtype=np.int32),
        cities=cities,
        network_sets=sets,
    )


def policy_of(
    service: Service,
    sites: Mapping[str, tuple[float, float]] = SITES,
    *,
    node: Location | None = None,
    addresses: Mapping[str, Sequence[str]] | None = None,
) -> Policy:
    """A policy with these regions (one IPv4 endpoint each unless `addresses` says otherwise)."""
    regions = {}
    for number, (name, (lat, lon)) in enumerate(sites.items()):
        texts = (addresses or {}).get(name, [f"192.0.2.{number + 1}"])
        endpoints = tuple(
            Endpoint(text, 6 if ":" in text else 4 if text[0].isdigit() else 0) for text in texts
        )
        regions[RegionName(name)] = Region(RegionName(name), Location(lat, lon), endpoints)
    return Policy(server=Server(location=node), regions=regions, services={service.name: service})


def service_of(*chain: Step, regions: Iterable[str] = SITES, **more: Any) -> Service:
    """A service called `web`."""
    return Service(ServiceName("web"), tuple(map(RegionName, regions)), tuple(chain), **more)


def scene_of(
    service: Service, *spots: Spot, world: World | None = None, node: Location | None = None
) -> Scene:
    """The scene of these places."""
    return make_scene(policy_of(service, node=node), service, places_of(*spots), world or World())


def ranked_of(
    service: Service, *spots: Spot, world: World | None = None, node: Location | None = None
) -> list[Ranked]:
    """The ranking of each place."""
    scene = scene_of(service, *spots, world=world, node=node)
    rankings, ids = distinct(rank(policy_of(service, node=node), service, scene))
    return [rankings[number] for number in ids]


def tiers_of(
    service: Service, spot: Spot, world: World | None = None, node: Location | None = None
) -> list[list[str]]:
    """The tiers of one place, by name."""
    names = scene_of(service, spot).regions
    return [
        [names[region] for region in tier]
        for tier in ranked_of(service, spot, world=world, node=node)[0].tiers
    ]


def names(*texts: str) -> tuple[RegionName, ...]:
    """Region names."""
    return tuple(map(RegionName, texts))


def order(*tiers: str) -> tuple[tuple[RegionName, ...], ...]:
    """`order("a b", "c")`: a and b equal, then c."""
    return tuple(names(*tier.split()) for tier in tiers)
