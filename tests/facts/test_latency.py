"""Smoothing of round trips, and when they matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.facts.health import Health
from georouter.facts.latency import ALPHA, OUTLIER_FLOOR_MS, Latency, by_region, changed, measure, settle
from georouter.facts.world import State
from georouter.words.ids import CheckName, RegionName

EU, US = RegionName("eu"), RegionName("us")
RTT = st.floats(0.01, 5000)


def key(region: RegionName, address: str) -> EndpointKey:
    """An endpoint of `region`."""
    return EndpointKey(region, address, CheckName("web"))


def measured(*samples: float) -> Latency:
    """The belief after these samples."""
    latency = None
    for sample in samples:
        latency = measure(latency, sample)
    assert latency is not None
    return latency


def test_the_first_samples_are_averaged_evenly() -> None:
    """Rule 1: the first sample alone does not colour the next minute."""
    assert measured(10.0).rtt_ms == 10.0
    assert measured(10.0, 20.0).rtt_ms == pytest.approx(15.0)
    assert measured(10.0, 20.0, 15.0).rtt_ms == pytest.approx(15.0)


def test_later_samples_weigh_alpha() -> None:
    """Rule 1: an exponentially weighted mean from then on."""
    settled = measured(*[10.0] * 8)
    assert measure(settled, 15.0).rtt_ms == pytest.approx(10.0 + ALPHA * 5.0)
    assert measure(settled, 5.0).rtt_ms == pytest.approx(10.0 - ALPHA * 5.0)


def test_a_lost_packet_is_a_bump() -> None:
    """Rule 2: a sample of a second moves 10 ms by no more than the floor allows."""
    settled = measured(*[10.0] * 8)
    assert measure(settled, 1000.0).rtt_ms == pytest.approx(10.0 + ALPHA * OUTLIER_FLOOR_MS)


def test_a_new_route_is_followed() -> None:
    """Rule 2: 20 ms become 200 ms for good; within two minutes of samples the mean is there."""
    latency = measured(*[20.0] * 8)
    for _ in range(24):
        latency = measure(latency, 200.0)
    assert latency.rtt_ms == pytest.approx(200.0, rel=0.15)


@given(st.lists(RTT, min_size=1, max_size=50))
def test_the_mean_stays_among_its_samples(samples: list[float]) -> None:
    """Smoothing invents nothing."""
    assert min(samples) * 0.999 <= measured(*samples).rtt_ms <= max(samples) * 1.001


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, None, False),
        (None, 5.0, True),
        (5.0, None, True),
        (100.0, 109.0, False),  # less than a tenth
        (100.0, 111.0, True),
        (100.0, 89.0, True),
        (0.1, 2.0, False),  # twenty times as much, and still nothing
        (5.0, 6.9, False),
        (5.0, 7.1, True),
    ],
)
def test_only_movements_that_matter_change(old: float | None, new: float | None, expected: bool) -> None:
    """Rule 4."""
    assert changed(old, new) is expected


def test_a_region_is_as_near_as_its_nearest_endpoint_that_is_not_down() -> None:
    """Rule 3; when all are down the nearest of them, and nothing for what was never measured."""
    near, far = key(EU, "192.0.2.1"), key(EU, "192.0.2.2")
    shapes = [RegionShape(EU, (near, None, far)), RegionShape(US, (key(US, "192.0.2.3"), None))]
    latencies = {near: Latency(10.0), far: Latency(30.0)}
    down = Health(State.DOWN)
    assert by_region(shapes, latencies, {}) == {EU: 10.0}
    assert by_region(shapes, latencies, {near: down}) == {EU: 30.0}
    assert by_region(shapes, latencies, {near: down, far: down}) == {EU: 10.0}


def test_settling_keeps_the_object_until_something_matters() -> None:
    """Jitter gives back the very same mapping; a change renews only the figure that changed."""
    published = {EU: 50.0, US: 90.0}
    assert settle(published, {EU: 52.0, US: 88.0}) is published
    assert settle(published, {EU: 52.0, US: 120.0}) == {EU: 50.0, US: 120.0}
    assert settle(published, {EU: 52.0}) == {EU: 50.0}
    assert settle({}, published) == published


@given(st.lists(st.floats(95, 105), min_size=1, max_size=40))
def test_slow_drift_is_not_lost(samples: list[float]) -> None:
    """What is published is never further from the measured figure than the threshold."""
    published = settle({}, {EU: 100.0})
    for sample in samples:
        published = settle(published, {EU: sample})
        assert not changed(published[EU], sample)
