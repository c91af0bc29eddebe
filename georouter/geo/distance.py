"""Great-circle distances."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""


def distance_km(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """Kilometres between points in degrees (haversine); broadcasts; NaN where a coordinate is NaN.

    The error against an ellipsoid is below 0.6 %.
    """
    phi1, lambda1, phi2, lambda2 = (
        np.radians(np.asarray(value, np.float64)) for value in (lat1, lon1, lat2, lon2)
    )
    haversine = (
        np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin((lambda2 - lambda1) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(haversine, 1.0))))
