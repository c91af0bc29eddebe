"""Quantities with units as the files write them: `30s`, `1h30m`, `200km`, `50%`, `4MiB`."""

import re
from datetime import UTC, datetime

_DURATION_PART = r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|w)"
DURATION_PATTERN = rf"^(?:{_DURATION_PART})+$"
DISTANCE_PATTERN = r"^[0-9]+(?:\.[0-9]+)?(?:km|mi|m)$"
PERCENT_PATTERN = r"^-?[0-9]+(?:\.[0-9]+)?%$"
SIZE_PATTERN = r"^[0-9]+(?:\.[0-9]+)?(?:B|kB|KiB|MB|MiB)$"

STATUS_PATTERN = "^([1-5]xx|[1-5][0-9]{2}-[1-5][0-9]{2})$"

COMPARISON_PATTERN = r"^(>=|<=|==|!=|>|<) *[^ ].*$"

_INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
)

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_KILOMETRES = {"km": 1.0, "mi": 1.609344, "m": 0.001}
_BYTES = {"B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2}
_PART = re.compile(r"([0-9.]+)([A-Za-z]+)")
_LONGEST = 40


def duration_s(value: object) -> float:
    """Seconds of `500ms`, `30s`, `5m`, `1h30m`, `1d`, `2w`; a plain 0 needs no unit."""
    if _is_zero(value):
        return 0.0
    if _is_number(value):
        raise ValueError(f"a duration needs a unit: write {value}s (or ms, m, h, d)")
    if not isinstance(value, str) or len(value) > _LONGEST or not re.match(DURATION_PATTERN, value):
        raise ValueError(f"{_shown(value)} is not a duration; write it like 500ms, 30s, 5m, 1h or 1d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(value))


def distance_km(value: object) -> float:
    """Kilometres of `200km`, `120mi`, `500m`; a plain 0 needs no unit."""
    if _is_zero(value):
        return 0.0
    if _is_number(value):
        raise ValueError(f"a distance needs a unit: write {value}km (or mi)")
    if not isinstance(value, str) or len(value) > _LONGEST or not re.match(DISTANCE_PATTERN, value):
        raise ValueError(f"{_shown(value)} is not a distance; write it like 200km or 120mi")
    number, unit = _PART.findall(value)[0]
    return float(number) * _KILOMETRES[unit]


def percent(value: object) -> float:
    """Percent of `20%` or of the plain number 20."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or len(value) > _LONGEST or not re.match(PERCENT_PATTERN, value):
        raise ValueError(f"{_shown(value)} is not a percentage; write it like 20 or 20%")
    return float(value[:-1])


def statuses(value: object) -> object:
    """HTTP status codes of `2xx`, of `200-399`, or of a list of them; other values as they are."""
    found: list[object] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            found.extend(_statuses(item))
        else:
            found.append(item)
    return found


def _statuses(text: str) -> range:
    if not re.match(STATUS_PATTERN, text):
        raise ValueError(f"{_shown(text)} is not an HTTP status; write it like 200, 2xx or 200-399")
    first, _, last = text.replace("xx", "00").partition("-")
    end = int(last) if last else int(first) + 99
    if end < int(first):
        raise ValueError(f"{_shown(text)} ends before it begins")
    return range(int(first), end + 1)


def health(value: object) -> float:
    """Graded health, 0 to 1, of `0.5` or `50%`."""
    found = percent(value) / 100 if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        raise ValueError(f"{_shown(value)} is no health; write it like 0.5 or 50%, from 0 to 1")
    return float(found)


def instant(value: object) -> float:
    """Unix seconds of `2026-05-01T12:00:00Z` (RFC 3339): date, time and offset."""
    if isinstance(value, str) and re.match(_INSTANT_PATTERN, value):
        try:
            return datetime.fromisoformat(value.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{_shown(value)} is no instant; write it like 2026-05-01T12:00:00Z")


def instant_text(seconds: float) -> str:
    """An instant as `instant` reads it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def size_bytes(value: object) -> int:
    """Bytes of `512KiB`, `4MiB`, `4MB`; a plain number counts bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > _LONGEST or not re.match(SIZE_PATTERN, value):
        raise ValueError(f"{_shown(value)} is not a size; write it like 512KiB or 4MiB")
    number, unit = _PART.findall(value)[0]
    return int(float(number) * _BYTES[unit])


def comparison(value: object) -> tuple[str, float | bool | str]:
    """Operator and bound of `>1000`, `<= 0.5`, `==true`, `!=primary`; numbers are compared as floats."""
    found = re.match(r"(>=|<=|==|!=|>|<) *(.*)", value) if isinstance(value, str) else None
    if found is None or not found[2] or len(found[2]) > 100 or not found[2].isprintable():
        raise ValueError(f'{_shown(value)} is not a comparison; write it like ">1000", "<=0.5" or "==true"')
    compare, bound = found[1], found[2].strip()
    if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", bound):
        number = float(bound)
        if number in {float("inf"), float("-inf")}:
            raise ValueError(f"{_shown(value)} compares with too large a number")
        return compare, number
    if compare not in {"==", "!="}:
        raise ValueError(
            f"{_shown(value)} compares with no number; texts, true and false know == and != only"
        )
    return compare, {"true": True, "false": False}.get(bound, bound)


def duration_text(seconds: float) -> str:
    """Seconds in the largest unit that keeps the number whole: `90s`, `5m`, `500ms`."""
    for unit in ("d", "h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds // _SECONDS[unit])}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_zero(value: object) -> bool:
    return _is_number(value) and value == 0


def _shown(value: object) -> str:
    return f'"{value[:_LONGEST]}"' if isinstance(value, str) else "this"
