"""A freeze as JSON in the saved state. Only its own figures: the healths are written as all healths are."""

from collections.abc import Mapping
from dataclasses import replace

from georouter.facts.brake import Brake, Freeze
from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.words.ids import RegionName


def encode(brake: Brake) -> dict[str, object] | None:
    """What a restart should know; None while free. Falls are not kept: they are of seconds ago."""
    freeze = brake.freeze
    if freeze is None:
        return None
    return {
        "since": freeze.since,
        "until": freeze.until,
        "of": freeze.of,
        "regions": sorted(freeze.fallen),
        "down": sorted(brake.fallen),
    }


def decode(value: object, healths: Mapping[EndpointKey, Health]) -> Brake:
    """The brake of what `encode` gave, with these healths acted on. ValueError says what makes no sense."""
    if not isinstance(value, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 -- one error type for callers
    since, until, of = (_number(value.get(key), key) for key in ("since", "until", "of"))
    regions, down = _names(value.get("regions")), _names(value.get("down"))
    freeze = Freeze(since, until, frozenset(regions), int(of), dict(healths))
    return replace(Brake(), fallen=dict.fromkeys(down, since), freeze=freeze)


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
        raise ValueError(f"{key} is not a number")
    return float(value)


def _names(value: object) -> list[RegionName]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("not a list of regions")
    return [RegionName(name) for name in value]
