import numpy as np
import pytest

from georouter.geo.distance import EARTH_RADIUS_KM, distance_km


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        ((51.5, -0.125), (40.7, -74.0), 5571),  # London, New York
        ((35.7, 139.7), (-33.9, 151.2), 7826),  # Tokyo, Sydney
        ((0.0, 179.5), (0.0, -179.5), 111.2),  # across the date line
        ((90.0, 0.0), (-90.0, 77.0), np.pi * EARTH_RADIUS_KM),  # pole to pole
        ((10.0, 20.0), (10.0, 20.0), 0.0),
        ((0.0, 0.0), (0.0, 180.0), np.pi * EARTH_RADIUS_KM),  # antipodes
    ],
)
def test_known_distances(one: tuple[float, float], other: tuple[float, float], km: float) -> None:
    """Within the half percent that a sphere is wrong by."""
    assert distance_km(*one, *other) == pytest.approx(km, rel=0.005, abs=0.1)


def test_broadcasts_and_is_symmetric() -> None:
    """Places by regions, in one call."""
    lat, lon = np.array([51.5, 40.7, np.nan], np.float32), np.array([-0.1, -74.0, 3.0], np.float32)
    both = distance_km(lat[:, None], lon[:, None], lat, lon)
    assert both.shape == (3, 3)
    assert both.dtype == np.float64
    np.testing.assert_allclose(both, both.T)
    assert np.isnan(both[2]).all()
