"""Endpoints in the control loop: a check's result becomes a belief, and is said once per change."""

from typing import TYPE_CHECKING

from georouter.control.beliefs import Beliefs
from georouter.control.events import Probed
from georouter.control.saying import degraded, numbers
from georouter.facts.health import Health, Outcome
from georouter.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from georouter.control.outlets import Tell


def take_in(
    probed: Probed, beliefs: Beliefs, now: float, tell: "Tell", metrics: Metrics
) -> tuple[Health, Health]:
    """Believe what a check found; the endpoint's health before and after. Strangers change nothing."""
    key = probed.key
    before, after = beliefs.observe(key, Outcome(probed.ok, probed.reason, probed.values), now)
    if probed.rtt_s is not None:
        beliefs.measure(key, probed.rtt_s * 1000.0)
    metrics.probe(key.region, key.address, key.check, probed.ok, probed.duration_s)
    if probed.values is not None:
        metrics.signals(key.region, numbers(beliefs.readings_of(key.region)))
    where = {"region": key.region, "endpoint": key.address, "check": key.check}
    if before.state is not after.state:
        tell(f"endpoint.{after.state}", **where, was=before.state.value, reason=after.reason or None)
    if before.degraded != after.degraded:
        event = "endpoint.degraded" if after.degraded else "endpoint.recovered"
        tell(event, **where, signals=degraded(after if after.degraded else before))
    return before, after
