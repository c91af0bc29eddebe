"""Structured logs: one line per event on stderr, as text or as JSON.

An event has a dotted lower-case name and fields: `event(log, "region.down", region="eu-west",
reason="connection refused")`. Queries are never logged here. Control characters are escaped, so that
what a client or a health endpoint sent can neither forge a line nor drive a terminal.
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from georouter.telemetry.spool import Spool

FieldValue = str | int | float | bool | None
"""What a field may hold; anything else is shown as its text."""

_PLAIN = re.compile(r"[\w.,:;/@%+*()\[\]<>~^&|!?#$-]+")
"""Text that needs no quotes: no blank, quote, backslash, equals sign or control character."""
_FIELDS = "georouter_fields"
STDERR = 2
OURS = "georouter"
"""The logger above all of ours."""


class LogFormat(StrEnum):
    """`--log-format`."""

    TEXT = "text"
    JSON = "json"


def event(
    log: logging.Logger,
    name: str,
    *,
    level: int = logging.INFO,
    exc_info: bool | BaseException | None = False,
    **fields: object,
) -> None:
    """Log one event. Fields that are None are left out; `exc_info` adds the exception being handled, or
    the one given.
    """
    if log.isEnabledFor(level):
        kept = {key: value for key, value in fields.items() if value is not None}
        log.log(level, name, extra={_FIELDS: kept}, exc_info=exc_info, stacklevel=2)


def set_up(form: LogFormat = LogFormat.TEXT, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the whole process's logs to `stream`, replacing what was set up before; without one to standard
    error, where nobody who logs waits for it (`spool`).

    Libraries are heard from warnings on, and below only when `level` is DEBUG.
    """
    handler = Spool(STDERR) if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))
    logging.getLogger(OURS).setLevel(level)


def form_in_use() -> LogFormat:
    """What `set_up` was told, for a process that we start."""
    ours = any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)
    return LogFormat.JSON if ours else LogFormat.TEXT


class TextLines(logging.Formatter):
    """`2026-05-20T12:00:00.123Z INFO region.down region=eu-west reason="connection refused"`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line without its line break."""
        name, fields = _parts(self, record)
        pairs = "".join(f" {key}={text_value(value)}" for key, value in fields.items())
        return f"{utc_text(record.created)} {record.levelname} {name}{pairs}"


class JsonLines(logging.Formatter):
    """`{"at": "2026-05-20T12:00:00.123Z", "level": "info", "event": "region.down", "region": "eu-west"}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object without a line break."""
        name, fields = _parts(self, record)
        head = {"at": utc_text(record.created), "level": record.levelname.lower(), "event": name}
        return json_line({**head, **{_free(key, head): value for key, value in fields.items()}})


def utc_text(at: float) -> str:
    """Unix time as RFC 3339 in UTC with milliseconds; seconds, for years that it cannot tell."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{at:.3f}"


def text_value(value: object) -> str:
    """A field's value on a text line: bare where that is unambiguous, else quoted and escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.isascii() else _quoted(text)


def json_line(fields: Mapping[str, object]) -> str:
    """One line of JSON in ASCII; what JSON cannot hold becomes text, NaN and infinities null."""
    return json.dumps(_jsonable(fields), default=str, allow_nan=False)


def _jsonable(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_jsonable(item) for item in value]
        case _:
            return value


def _quoted(text: str) -> str:
    """In double quotes with JSON's escapes; C1 controls and line separators too, other Unicode as it is."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped)


def _free(key: str, head: Mapping[str, object]) -> str:
    return f"{key}_" if key in head else key


def _parts(formatter: logging.Formatter, record: logging.LogRecord) -> tuple[str, dict[str, object]]:
    """Event name and fields; a library's record becomes the event `log` with logger and message."""
    given = getattr(record, _FIELDS, None)
    if isinstance(given, dict):
        name, fields = record.getMessage(), dict(given)
    else:
        name, fields = "log", {"logger": record.name, "message": record.getMessage()}
    if record.exc_info:
        fields["traceback"] = formatter.formatException(record.exc_info)
    return name, fields
