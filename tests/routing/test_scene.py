"""What the steps get to look at."""

import numpy as np

from georouter.facts.world import World
from georouter.policy.steps import Match, Residency
from georouter.routing.scene import make_scene, restricted, universe
from georouter.words.ids import RegionName
from tests.routing.scenes import LONDON, NOWHERE, names, places_of, policy_of, service_of


def test_universe_appends_fallback_regions_once() -> None:
    """The service's own regions come first; a fallback region among them is not repeated."""
    service = service_of(regions=["us-east", "eu-west"], fallback=names("eu-west", "ap-south"))
    assert universe(service) == ("us-east", "eu-west", "ap-south")


def test_scene_has_one_column_per_region() -> None:
    """Locations in universe order, measured times where there are any."""
    service = service_of(regions=["us-east", "eu-west"], fallback=names("ap-south"))
    world = World(rtt_ms={RegionName("eu-west"): 12.5})
    scene = make_scene(policy_of(service), service, places_of(NOWHERE, LONDON), world)
    assert scene.lat.tolist() == [39.0, 53.3, 1.35]
    assert np.isnan(scene.rtt_ms).tolist() == [True, False, True]
    assert scene.own == 2
    assert scene.index()[RegionName("ap-south")] == 2


def test_restricted_is_the_meet_of_all_fences() -> None:
    """Only a region inside every fence is left; without a fence all are."""
    clients = Match(groups=("EU",))
    first = Residency(clients, frozenset(names("eu-west", "eu-central")))
    second = Residency(clients, frozenset(names("eu-central", "us-east")))
    service = service_of(first, second)
    assert [universe(service)[column] for column in restricted(service)] == ["eu-central"]
    assert len(restricted(service_of())) == 5
