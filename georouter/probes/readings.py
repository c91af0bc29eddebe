"""What an HTTP answer says of a check's signals: JSON bytes in, a value or a reason per signal out.

Rule 1. Junk is a reason, never an error: no JSON, too deep, a number that is none or has no end.
Rule 2. A key that stands twice in its object has no value (RFC 8259 section 4 leaves open which one counts).
Rule 3. Numbers, booleans and texts of at most `TEXT_LIMIT` printable characters are values.

A pointer is a JSON Pointer (RFC 6901). How deep an answer may nest is the parser's own limit; it reads
no more than the http check hands it.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

from georouter.facts.signals import Missing, SignalRule, Value, Values

TEXT_LIMIT = 100
"""Characters of a text; a role or a version is shorter, and it stands in tables."""

_TWICE = object()
"""Stands for the value of a key that its object has more than once."""
_ENDLESS = object()
"""Stands for NaN and the infinities, which Python's parser takes though JSON has none."""

CUT_SHORT = Missing("the answer is longer than 64 KiB")
NOT_JSON = Missing("the answer is not JSON")


def read(rules: Iterable[SignalRule], body: bytes, *, whole: bool = True) -> Values:
    """The value of every signal in `body`; `whole` is False if there was more of it."""
    if not whole:
        return {rule.name: CUT_SHORT for rule in rules}
    try:
        document = json.loads(body, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        return {rule.name: NOT_JSON for rule in rules}
    return {rule.name: _value(_find(document, rule.path), rule.path) for rule in rules}


def _find(document: Any, pointer: str) -> Any:
    """What `pointer` leads to, or `Missing`."""
    found = document
    for part in pointer.split("/")[1:]:
        if isinstance(found, dict):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), Missing(f"there is no {pointer}"))
        elif isinstance(found, list) and _is_index(part) and int(part) < len(found):
            found = found[int(part)]
        else:
            return found if isinstance(found, Missing) else _nothing(found, pointer)
    return found


def _nothing(found: Any, pointer: str) -> Any:
    return found if found is _TWICE else Missing(f"there is no {pointer}")


def _is_index(part: str) -> bool:
    """RFC 6901 section 4: digits without a leading zero."""
    return part.isascii() and part.isdigit() and len(part) < 10 and (part == "0" or part[0] != "0")


def _value(found: Any, pointer: str) -> Value | Missing:
    if isinstance(found, bool | Missing):
        return found
    if found is _TWICE:
        return Missing(f"{pointer} is ambiguous: a key stands twice")
    if isinstance(found, str):
        if len(found) <= TEXT_LIMIT and found.isprintable():
            return found
        return Missing(f"{pointer} is not a short printable text")
    if isinstance(found, int | float):
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        return number if math.isfinite(number) else Missing(f"{pointer} is too large a number")
    return Missing(f"{pointer} is not a finite number" if found is _ENDLESS else f"{pointer} is not a value")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made[key] = _TWICE
            seen.add(key)
    return made


def _constant(_text: str) -> object:
    return _ENDLESS
