"""The parameters of what we believe: when a health changes, how long an alias target's addresses last."""

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


@dataclass(frozen=True, slots=True)
class AliasRule:
    """Bounds of how long the addresses of an alias target are used before they are asked for again."""

    min_ttl_s: int = 5
    max_ttl_s: int = 3600


@dataclass(frozen=True, slots=True)
class BrakeRule:
    """When so many regions fail at once that this node suspects itself, and for how long at most."""

    share: float = 0.5
    """More than this part of the checked regions, 0 to 1."""
    min_regions: int = 6
    window_s: float = 10.0
    max_freeze_s: float = 300.0
