"""Quantities with units."""

from collections.abc import Callable

import pytest

from georouter.policy import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">1000", (">", 1000.0)),
        (">= 0.5", (">=", 0.5)),
        ("<-2e3", ("<", -2000.0)),
        ("<=1", ("<=", 1.0)),
        ("==true", ("==", True)),
        ("!= false", ("!=", False)),
        ("==read only", ("==", "read only")),
    ],
)
def test_comparisons(text: str, expected: tuple[str, object]) -> None:
    """An operator and a number, a boolean or a text."""
    assert units.comparison(text) == expected
    assert type(units.comparison(text)[1]) is type(expected[1])


@pytest.mark.parametrize(
    "text", ["", "1000", ">", "> ", "=1", ">true", ">fast", "==a\x07", 5, None, ">1e999"]
)
def test_what_compares_with_nothing(text: object) -> None:
    """Said, with what it should look like."""
    with pytest.raises(ValueError, match=r"comparison|compares with"):
        units.comparison(text)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (units.duration_s, "500ms", 0.5),
        (units.duration_s, "30s", 30),
        (units.duration_s, "5m", 300),
        (units.duration_s, "1h", 3600),
        (units.duration_s, "1d", 86400),
        (units.duration_s, "2w", 1209600),
        (units.duration_s, "1h30m", 5400),
        (units.duration_s, "1.5s", 1.5),
        (units.duration_s, 0, 0),
        (units.distance_km, "200km", 200),
        (units.distance_km, "100mi", 160.9344),
        (units.distance_km, "500m", 0.5),
        (units.distance_km, 0, 0),
        (units.percent, "20%", 20),
        (units.percent, -99, -99),
        (units.percent, "-5%", -5),
        (units.size_bytes, "4MiB", 4 * 1024 * 1024),
        (units.size_bytes, "512KiB", 524288),
        (units.size_bytes, "4MB", 4_000_000),
        (units.size_bytes, 1232, 1232),
    ],
)
def test_reads(read: Callable[[object], float], text: object, expected: float) -> None:
    """What is written is what is meant."""
    assert read(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read, text)
        for read in (units.duration_s, units.distance_km, units.percent, units.size_bytes)
        for text in (
            "",
            "5",
            "s",
            "5 s",
            "5x",
            "-5s",
            "5s ",
            "٣s",
            True,
            None,
            [],
            "1" * 100 + "s",
            "5S",
            "1e3s",
        )
    ],
)
def test_refuses(read: Callable[[object], float], text: object) -> None:
    """Anything else is a ValueError with an example."""
    with pytest.raises(ValueError, match=r"write it like|needs a unit"):
        read(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.5, "500ms"),
        (1, "1s"),
        (90, "90s"),
        (300, "5m"),
        (3600, "1h"),
        (86400, "1d"),
        (1.5, "1.5s"),
    ],
)
def test_duration_text(seconds: float, text: str) -> None:
    """Durations in messages."""
    assert units.duration_text(seconds) == text


def test_health_and_instants() -> None:
    """Fractions and percentages; RFC 3339 with any offset."""
    assert [units.health(value) for value in (0.5, "50%", 1, 0)] == [0.5, 0.5, 1.0, 0.0]
    assert units.instant("2026-05-01T14:00:00.5+02:00") == units.instant("2026-05-01T12:00:00Z") + 0.5
    assert units.instant_text(units.instant("2026-05-01t12:00:00z")) == "2026-05-01T12:00:00Z"


@pytest.mark.parametrize("value", ["", "2026-05-01", "2026-13-01T12:00:00Z", "2026-05-01T12:00:00", 5, None])
def test_what_is_no_instant(value: object) -> None:
    """Said, with what it should look like."""
    with pytest.raises(ValueError, match="instant"):
        units.instant(value)


@pytest.mark.parametrize("value", [True, None, "half", 1.5, "101%", -1])
def test_what_is_no_health(value: object) -> None:
    """Said, with what it should look like."""
    with pytest.raises(ValueError, match=r"health|percentage"):
        units.health(value)
