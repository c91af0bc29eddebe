"""Round-trip times: the model, the node's own measurements, and whom they count for."""

import numpy as np
import pytest

from georouter.policy.model import Location
from georouter.policy.steps import Latency
from georouter.routing.decide import decide
from georouter.routing.steps.latency import model_ms
from georouter.words.ids import RegionName
from tests.routing.scenes import (
    BERLIN,
    LONDON,
    NOWHERE,
    SINGAPORE,
    World,
    places_of,
    policy_of,
    service_of,
    tiers_of,
)

AMSTERDAM = Location(52.4, 4.9)
"""Within 500 km of London, 577 km from Berlin."""

ODD = World(rtt_ms={RegionName("us-east"): 2.0, RegionName("eu-west"): 90.0})


@pytest.mark.parametrize(("km", "low", "high"), [(5570, 70, 95), (10850, 150, 190), (640, 10, 16)])
def test_model_is_near_what_is_seen(km: float, low: float, high: float) -> None:
    """London to New York, Singapore and Frankfurt."""
    assert low < float(model_ms(np.array(km))) < high


def test_without_measurements_the_model_orders_by_distance() -> None:
    """Singapore is served from Singapore."""
    assert tiers_of(service_of(Latency()), SINGAPORE)[0] == ["ap-south"]


def test_tolerance_in_milliseconds() -> None:
    """191 km are about 2.9 ms in the model: equal at 3, apart at 2."""
    assert tiers_of(service_of(Latency(3.0)), LONDON)[0] == ["eu-west", "eu-central"]
    assert tiers_of(service_of(Latency(2.0)), LONDON)[0] == ["eu-west"]


def test_the_nodes_measurements_count_near_the_node_only() -> None:
    """London (359 km) sees the node's odd figures, Berlin (577 km) the model."""
    service = service_of(Latency())
    assert tiers_of(service, LONDON, ODD, AMSTERDAM)[0] == ["us-east"]
    assert tiers_of(service, BERLIN, ODD, AMSTERDAM)[0] == ["eu-central"]


def test_without_a_location_measurements_count_for_nobody() -> None:
    """A node that does not know where it is cannot say whom its figures fit."""
    assert tiers_of(service_of(Latency()), LONDON, ODD)[0] == ["eu-west"]


def test_unmeasured_regions_keep_the_model() -> None:
    """Near the node Frankfurt is modelled (12.8 ms), behind 2 ms measured and before 90 ms measured."""
    assert tiers_of(service_of(Latency()), LONDON, ODD, AMSTERDAM)[:2] == [["us-east"], ["eu-central"]]


def test_explains_with_milliseconds_and_their_source() -> None:
    """Every figure says whether it was measured or modelled."""
    service = service_of(Latency(15))
    decision = decide(policy_of(service, node=AMSTERDAM), service, places_of(LONDON), ODD)
    reasons = decision.steps[0].reasons
    assert reasons[1] == "the client is 359 km from this node: its measurements count (up to 500 km)"
    assert reasons[2] == "us-east is 2.0 ms away (measured by this node)"
    assert reasons[3].startswith("eu-central is 12.")
    assert "(modelled from 6" in reasons[3]
    assert "regions within 15 ms of a tier's best are equal" in reasons


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (Location(1.3, 103.8), "its measurements do not count (up to 500 km)"),
        (None, "server.location is not set, so this node's measurements count for nobody"),
    ],
)
def test_explains_why_measurements_do_not_count(node: Location | None, reason: str) -> None:
    """Too far away, or nobody knows how far."""
    service = service_of(Latency())
    decision = decide(policy_of(service, node=node), service, places_of(LONDON), ODD)
    assert decision.steps[0].reasons[1].endswith(reason)


def test_explains_missing_coordinates() -> None:
    """An unplaced client gets the service's order, and is told so."""
    service = service_of(Latency())
    reasons = decide(policy_of(service), service, places_of(NOWHERE), World()).steps[0].reasons
    assert reasons == ("the client has no coordinates: the service's own order stands within each tier",)
