"""`nearest`: tiers by great-circle distance, with a bias per region and a tolerance.

Bias is the one of Route 53 geoproximity routing
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-geoproximity.html): a
positive bias makes the distance count `1 - bias/100` times, a negative one `1 / (1 + bias/100)`
times. So +50 halves a distance, -50 doubles it, and +b undoes -b.
"""

import numpy as np
from numpy.typing import NDArray

from georouter.geo.distance import distance_km
from georouter.policy.steps import Nearest
from georouter.routing.measure import NOTHING, Costs, refine
from georouter.routing.scene import Scene
from georouter.routing.text import number
from georouter.routing.tiers import CLIENT_TIERS, TierArray, is_ranked


def rank(step: Nearest, tiers: TierArray, scene: Scene) -> TierArray:
    """Split every tier by biased distance; see `measure.refine` for ties and far tiers."""
    factors = _factors(step, scene)

    def metres(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Costs:
        km = distance_km(lat[None, :], lon[None, :], scene.lat[:, None], scene.lon[:, None])
        return np.fmin(np.rint(km * (factors[:, None] * 1000.0)), NOTHING - 1).astype(np.int32)

    return refine(tiers, scene, metres, step.tolerance_km)


def bias_factor(bias_percent: float) -> float:
    """By how much a distance is multiplied before it counts."""
    return 1 - bias_percent / 100 if bias_percent >= 0 else 1 / (1 + bias_percent / 100)


def explain(step: Nearest, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The distance of every region that was ranked, nearest first."""
    del before
    lat, lon = float(scene.places.lat[0]), float(scene.places.lon[0])
    if not (np.isfinite(lat) and np.isfinite(lon)):
        return ("the client has no coordinates: the service's own order stands within each tier",)
    km = distance_km(lat, lon, scene.lat, scene.lon)
    factors = _factors(step, scene)
    ranked = np.flatnonzero(is_ranked(after)[0])
    reasons = [f"the client is at {lat:.2f}, {lon:.2f}"]
    for column in sorted(ranked, key=lambda one: km[one] * factors[one]):
        name = scene.regions[column]
        bias = step.bias_percent.get(name, 0.0)
        counts = f", counts as {number(km[column] * factors[column])} km (bias {bias:+g} %)" if bias else ""
        reasons.append(f"{name} is {number(km[column])} km away{counts}")
    if step.tolerance_km:
        reasons.append(f"regions within {number(step.tolerance_km)} km of a tier's best are equal")
    if len(ranked) and after[0, ranked].max() >= CLIENT_TIERS:
        reasons.append(far_tiers(after, scene))
    return tuple(reasons)


def far_tiers(after: TierArray, scene: Scene) -> str:
    """The reason that covers every tier behind the first `CLIENT_TIERS`."""
    home = scene.regions[int(np.argmax(after[0] == 0))]
    return f"tiers after the first {CLIENT_TIERS} are ordered as seen from {home}"


def _factors(step: Nearest, scene: Scene) -> NDArray[np.float64]:
    return np.array([bias_factor(step.bias_percent.get(name, 0.0)) for name in scene.regions])
