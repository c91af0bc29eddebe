"""What callers send, checked: JSON bodies to `Change`s, query strings to explain's arguments.

Everything here raises ValueError with a sentence for the caller.
"""

import json
from collections.abc import Mapping

from georouter.admin.desk import Action, Change, Failback, Question, RampChange, Unfreeze
from georouter.facts.ramp import RampOrder

MAX_REASON = 500
MAX_AUTHOR = 100
MAX_NAME = 1100
"""A domain name's 255 octets in presentation form, all escaped as \\DDD."""
MAX_FOR_S = 366 * 86400.0
"""Longer than a year is a slip of the pen; an override without `for_s` stays until it is ended."""

_COMMON = frozenset({"region", "reason", "author"})
_FORCED = {"up": Action.FORCE_UP, "down": Action.FORCE_DOWN}


def change(kind: str, body: bytes, source: str) -> Change:
    """The change that `POST /v1/{kind}` with this body asks for."""
    fields = _object(body)
    known = _COMMON | {"drain": {"for_s", "in_s"}, "force": {"for_s", "state"}}.get(kind, set())
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return Change(
        action=_action(kind, fields),
        region=_text(fields, "region", MAX_NAME),
        reason=_text(fields, "reason", MAX_REASON),
        author=_text(fields, "author", MAX_AUTHOR) if "author" in fields else "unknown",
        source=source,
        for_s=_duration(fields.get("for_s"), "for_s"),
        in_s=_duration(fields.get("in_s"), "in_s"),
    )


def failback(body: bytes, source: str) -> Failback:
    """The failback that `POST /v1/failback` with this body asks for."""
    fields = _object(body)
    known = {"service", "to", "reason", "author"}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return Failback(
        service=_text(fields, "service", MAX_NAME),
        to=_text(fields, "to", MAX_NAME) if fields.get("to") is not None else None,
        reason=_text(fields, "reason", MAX_REASON),
        author=_text(fields, "author", MAX_AUTHOR) if "author" in fields else "unknown",
        source=source,
    )


def ramp(body: bytes, source: str) -> RampChange:
    """What `POST /v1/ramp` with this body asks for."""
    fields = _object(body)
    known = {"service", "action", "reason", "author"}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    action = fields.get("action")
    if action not in tuple(RampOrder):
        raise ValueError(f"action must be one of {', '.join(RampOrder)}")
    return RampChange(
        service=_text(fields, "service", MAX_NAME),
        action=RampOrder(str(action)),
        reason=_text(fields, "reason", MAX_REASON),
        author=_text(fields, "author", MAX_AUTHOR) if "author" in fields else "unknown",
        source=source,
    )


def unfreeze(body: bytes, source: str) -> Unfreeze:
    """The end of a freeze that `POST /v1/unfreeze` with this body asks for."""
    fields = _object(body)
    known = {"reason", "author"}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return Unfreeze(
        reason=_text(fields, "reason", MAX_REASON),
        author=_text(fields, "author", MAX_AUTHOR) if "author" in fields else "unknown",
        source=source,
    )


def empty(body: bytes) -> None:
    """`POST /v1/reload` takes nothing, or an empty object."""
    if body.strip() and _object(body):
        raise ValueError("this takes no keys: send {}")


def question(query: Mapping[str, str]) -> Question:
    """What `GET /v1/explain` asks."""
    name, client, resolver = (query.get(key) or None for key in ("name", "client", "resolver"))
    if name is None or (client is None and resolver is None):
        missing = "name=" if name is None else "client= (or resolver=)"
        raise ValueError(f"{missing} is missing: /v1/explain?name=www.example.com&client=192.0.2.0/24&type=A")
    found = Question(name, client, resolver, query.get("type") or "A")
    if any(len(value) > MAX_NAME for value in (name, client or "", resolver or "", found.type)):
        raise ValueError("too long")
    return found


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - one error type for callers
    return value


def _action(kind: str, fields: Mapping[str, object]) -> Action:
    if kind != "force":
        return Action(kind)
    state = fields.get("state")
    if not isinstance(state, str) or state not in _FORCED:
        raise ValueError('state must be "up" or "down"')
    return _FORCED[state]


def _text(fields: Mapping[str, object], key: str, longest: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is missing: it must be a text")
    text = value.strip()
    if len(text) > longest:
        raise ValueError(f"{key} is longer than {longest} characters")
    if not text.isprintable():
        raise ValueError(f"{key} has control characters")
    return text


def _duration(value: object, key: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} must be a number of seconds")  # noqa: TRY004 - as in `_object`
    if not 0 < value <= MAX_FOR_S:  # not a number fails this too, and a huge integer is compared exactly
        raise ValueError(f"{key} must be above 0 and at most {MAX_FOR_S:.0f} seconds")
    return float(value)
