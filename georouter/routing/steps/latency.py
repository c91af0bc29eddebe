"""`latency`: tiers by round-trip time, measured where it can be, modelled from distance elsewhere.

The model: `RTT_BASE_MS + km * RTT_MS_PER_KM`. Light in fibre covers 200 km per millisecond (two
thirds of c), so a round trip costs at least 0.01 ms per kilometre of great circle; real paths are
1.3 (shortest existing conduits) to 2.1 times (the usual rule of thumb) longer, says Bozkurt et al.,
"Dissecting Latency in the Internet's Fiber Infrastructure" (arXiv:1811.10737). 1.5 sits where well
connected hosts are seen over long distances (London - New York about 70 ms, London - Singapore about
165 ms); the base stands for the equipment at both ends.

The node's own measurement replaces the model for the regions it has measured, and only for clients
within `NODE_RTT_RADIUS_KM` of the node: elsewhere it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from georouter.geo.distance import distance_km
from georouter.policy.steps import Latency
from georouter.routing.measure import NOTHING, Costs, refine
from georouter.routing.scene import Scene
from georouter.routing.steps.nearest import far_tiers
from georouter.routing.text import number
from georouter.routing.tiers import CLIENT_TIERS, TierArray, is_ranked

NODE_RTT_RADIUS_KM = 500.0
RTT_BASE_MS = 3.0
RTT_MS_PER_KM = 0.015


def rank(step: Latency, tiers: TierArray, scene: Scene) -> TierArray:
    """Split every tier by estimated round-trip time; see `measure.refine` for ties and far tiers."""

    def microseconds(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Costs:
        return np.fmin(np.rint(estimate_ms(lat, lon, scene) * 1000.0), NOTHING - 1).astype(np.int32)

    return refine(tiers, scene, microseconds, step.tolerance_ms)


def estimate_ms(lat: NDArray[np.float64], lon: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """The round trip from each place (N) to every region, shape (R, N); NaN without coordinates."""
    known = np.isfinite(scene.rtt_ms)
    km = distance_km(lat[None, :], lon[None, :], scene.lat[:, None], scene.lon[:, None])
    rtt_ms = model_ms(km)
    near = near_node(lat, lon, scene)
    if near.any() and known.any():
        measured = np.where(known, scene.rtt_ms, 0.0)
        rtt_ms = np.where(near[None, :] & known[:, None], measured[:, None], rtt_ms)
    return rtt_ms


def model_ms(km: NDArray[np.float64]) -> NDArray[np.float64]:
    """The round trip that the distance model expects."""
    return RTT_BASE_MS + km * RTT_MS_PER_KM


def near_node(lat: NDArray[np.float64], lon: NDArray[np.float64], scene: Scene) -> NDArray[np.bool_]:
    """Where this node's measurements speak for the client."""
    if scene.node is None:
        return np.zeros(lat.shape, dtype=np.bool_)
    near: NDArray[np.bool_] = (
        distance_km(lat, lon, np.float64(scene.node.lat), np.float64(scene.node.lon)) <= NODE_RTT_RADIUS_KM
    )
    return near


def explain(step: Latency, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """The round trip to every region that was ranked, quickest first, and where the figure is from."""
    del before
    lat, lon = scene.places.lat[:1].astype(np.float64), scene.places.lon[:1].astype(np.float64)
    if not (np.isfinite(lat[0]) and np.isfinite(lon[0])):
        return ("the client has no coordinates: the service's own order stands within each tier",)
    km = distance_km(lat, lon, scene.lat, scene.lon)
    measured = np.isfinite(scene.rtt_ms) & bool(near_node(lat, lon, scene)[0])
    rtt_ms = np.where(measured, scene.rtt_ms, model_ms(km))
    ranked = np.flatnonzero(is_ranked(after)[0])
    reasons = [
        f"the client is at {lat[0]:.2f}, {lon[0]:.2f}",
        _whose_rtt(lat, lon, scene),
    ]
    for column in sorted(ranked, key=lambda one: rtt_ms[one]):
        source = "measured by this node" if measured[column] else f"modelled from {number(km[column])} km"
        reasons.append(f"{scene.regions[column]} is {number(rtt_ms[column], 1)} ms away ({source})")
    if step.tolerance_ms:
        reasons.append(f"regions within {step.tolerance_ms:g} ms of a tier's best are equal")
    if len(ranked) and after[0, ranked].max() >= CLIENT_TIERS:
        reasons.append(far_tiers(after, scene))
    return tuple(reasons)


def _whose_rtt(lat: NDArray[np.float64], lon: NDArray[np.float64], scene: Scene) -> str:
    if scene.node is None:
        return "server.location is not set, so this node's measurements count for nobody"
    km = float(distance_km(lat, lon, np.float64(scene.node.lat), np.float64(scene.node.lon))[0])
    counts = "count" if km <= NODE_RTT_RADIUS_KM else "do not count"
    return (
        f"the client is {number(km)} km from this node: its measurements {counts} "
        f"(up to {number(NODE_RTT_RADIUS_KM)} km)"
    )
