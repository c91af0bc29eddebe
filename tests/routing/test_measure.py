"""Groups by distance or time: tolerance, the client's three tiers, and what follows from the first."""

import numpy as np
from numpy.typing import NDArray

from georouter.facts.world import World
from georouter.geo.distance import distance_km
from georouter.policy.steps import Nearest
from georouter.routing.measure import refine
from georouter.routing.rank import distinct, rank
from georouter.routing.scene import make_scene
from georouter.routing.tiers import start
from tests.routing.scenes import LONDON, NOWHERE, Spot, places_of, policy_of, scene_of, service_of

LINE = {
    name: (0.0, lon) for name, lon in zip("abcdefg", (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0), strict=True)
}


def test_far_tiers_follow_from_the_first_region() -> None:
    """Two clients with the same three nearest regions get the same ranking, however far the rest is."""
    service = service_of(Nearest(), regions=LINE)
    policy = policy_of(service, LINE)
    spots = (Spot("AA", 0.0, 26.0), Spot("AA", 0.0, 29.0))
    scene = make_scene(policy, service, places_of(*spots), World())
    rankings, ids = distinct(rank(policy, service, scene))
    assert [["abcdefg"[one] for one in tier] for tier in rankings[ids[1]].tiers] == [
        ["d"], ["c"], ["e"], ["b", "f"], ["a", "g"]
    ]  # fmt: skip
    assert ids[0] == ids[1]


def test_group_is_everything_within_tolerance_of_its_best() -> None:
    """Tolerance counts from the best member, not from neighbour to neighbour."""
    service = service_of(regions=LINE)
    scene = make_scene(policy_of(service, LINE), service, places_of(Spot("AA", 0.0, 0.0)), World())
    ten_degrees = float(distance_km(0, 0, 0, 10))

    def metres(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int32]:
        km = distance_km(lat[None, :], lon[None, :], scene.lat[:, None], scene.lon[:, None])
        return np.rint(km * 1000).astype(np.int32)

    after = refine(start(1, 7, 7), scene, metres, ten_degrees + 0.5)
    assert after[0].tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_places_without_coordinates_keep_the_services_order() -> None:
    """An unplaced client gets regions one by one as the service lists them."""
    service = service_of(Nearest(tolerance_km=50_000))
    scene = scene_of(service, NOWHERE, LONDON)
    tiers = rank(policy_of(service), service, scene)
    assert tiers.tolist() == [[0, 1, 2, 3, 4], [0, 0, 0, 0, 0]]
