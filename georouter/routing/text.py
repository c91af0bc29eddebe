"""How tiers and measures are written for people."""

from collections.abc import Iterable

from georouter.policy.steps import Tiers


def tier_list(tiers: Tiers) -> str:
    """`a > b = c`: b and c are equal, both behind a."""
    return " > ".join(" = ".join(tier) for tier in tiers)


def number(value: float, digits: int = 0) -> str:
    """A number with thousands separated, `5,918` or `12.4`."""
    return f"{value:,.{digits}f}"


def joined(parts: Iterable[str]) -> str:
    """Comma-separated."""
    return ", ".join(parts)
