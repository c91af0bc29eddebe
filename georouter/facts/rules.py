"""How many results it takes to change a mind: the parameters of the health state machine."""

from dataclasses import dataclass

from georouter.facts.signals import SignalRule


@dataclass(frozen=True, slots=True)
class HealthRule:
    """Timing and thresholds of one check, in seconds and consecutive results.

    Intervals run from start to start; the first failure switches to `confirm_interval_s`, measured
    from the failure's end, until the state is decided.
    """

    interval_s: float = 5.0
    timeout_s: float = 2.0
    confirm_interval_s: float = 0.5
    fall: int = 3
    rise: int = 2
    signals: tuple[SignalRule, ...] = ()
    """What else a good answer is judged by."""
