"""What the control loop says of what it did: to people as events, to Prometheus as numbers."""

from collections.abc import Mapping

from georouter.compiler.publish import Published
from georouter.control.outlets import Tell
from georouter.facts.health import Health
from georouter.facts.signals import value_text
from georouter.facts.world import Effective, Reading, State, World
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import SignalName


def say(  # noqa: PLR0917 - whom, and of what
    tell: Tell, metrics: Metrics, world: World, before: World | None, published: Published, seconds: float
) -> None:
    """A publication of `world` after `before`, which took `seconds`."""
    metrics.published(published.snapshot.generation, seconds)
    for name, facts in world.regions.items():
        metrics.region(name, facts.observed, facts.effective, facts.health)
        old = before.regions.get(name) if before else None
        was = old.observed if old else State.UNKNOWN
        if facts.observed is not was:
            metrics.transition(name, facts.observed)
        if old is None or old.effective is not facts.effective:
            tell(
                f"region.{facts.effective}",
                region=name,
                was=(old.effective if old else Effective.UNKNOWN).value,
                observed=facts.observed.value,
                forced=facts.forced.value if facts.forced else None,
            )
    for service, status in published.services.items():
        metrics.failover_active(service, status.failover_active)
    for change in published.changes:
        tell(
            "answers.changed",
            service=change.service,
            was=list(change.before),
            now=list(change.after),
            moved=None if change.moved is None else round(change.moved, 3),
        )
    tell("snapshot.published", generation=published.snapshot.generation, ms=round(seconds * 1000, 1))


def degraded(health: Health) -> list[str]:
    """The signals that are, with their values: `replication_lag_ms 1,200`."""
    return [
        f"{name} {'-' if signal.value is None else value_text(signal.value)}"
        for name, signal in health.signals.items()
        if signal.degraded
    ]


def numbers(readings: Mapping[SignalName, Reading]) -> dict[str, float]:
    """Values that a gauge can show: numbers, and booleans as 0 and 1."""
    return {name: float(item.value) for name, item in readings.items() if not isinstance(item.value, str)}
