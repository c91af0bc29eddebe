"""Structured logs: one event, one line, nothing forged."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from georouter.telemetry.logs import (
    OURS,
    JsonLines,
    LogFormat,
    TextLines,
    event,
    json_line,
    set_up,
    text_value,
    utc_text,
)

log = logging.getLogger("georouter.test_logs")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged while a test runs; the process's own set-up is restored afterwards."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_text(lines: io.StringIO) -> None:
    """Bare values where they are unambiguous, quoted ones elsewhere; None fields are left out."""
    set_up(stream=lines)
    event(
        log,
        "region.down",
        region="eu-west",
        reason="connection refused",
        ok=False,
        rtt_ms=9.123456789,
        by=None,
    )
    stamp, rest = lines.getvalue().split(" ", 1)
    assert rest == 'INFO region.down region=eu-west reason="connection refused" ok=false rtt_ms=9.12346\n'
    assert stamp.endswith("Z")
    assert len(stamp) == len("2026-05-20T12:00:00.123Z")


def test_json(lines: io.StringIO) -> None:
    """One object per line with the time, the level, the event and its fields."""
    set_up(LogFormat.JSON, stream=lines)
    event(log, "region.down", level=logging.WARNING, region="eu-west", rtt_ms=9.5, event_count=3)
    written = json.loads(lines.getvalue())
    written.pop("at")
    assert written == {
        "level": "warning",
        "event": "region.down",
        "region": "eu-west",
        "rtt_ms": 9.5,
        "event_count": 3,
    }


def test_levels(lines: io.StringIO) -> None:
    """What is below the level is not written."""
    set_up(level=logging.WARNING, stream=lines)
    event(log, "quiet")
    event(log, "loud", level=logging.ERROR)
    assert [line.split(" ")[2] for line in lines.getvalue().splitlines()] == ["loud"]


def test_libraries_are_quiet(lines: io.StringIO) -> None:
    """A library's information is left out, unless everything is wanted; its warnings are not."""
    library = logging.getLogger("some.library")
    set_up(stream=lines)
    library.info("chatter")
    library.warning("trouble")
    set_up(level=logging.DEBUG, stream=lines)
    library.debug("details")
    assert [line.rpartition("=")[2] for line in lines.getvalue().splitlines()] == ["trouble", "details"]


@pytest.mark.parametrize("form", list(LogFormat))
def test_nothing_forges_a_line(form: LogFormat, lines: io.StringIO) -> None:
    """Line breaks, escape sequences, C1 controls and Unicode line separators are escaped in both formats."""
    set_up(form, stream=lines)
    event(log, "probe.failed", reason='a\nb\r\x1b[31mred\x9b\u2028\x00\x7f c=d "q"', key="v\tw")
    text = lines.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isprintable()


@pytest.mark.parametrize("form", list(LogFormat))
def test_library_records_and_tracebacks(form: LogFormat, lines: io.StringIO) -> None:
    """A library's message and an exception take one line each."""
    set_up(form, stream=lines)
    logging.getLogger("some.library").warning("odd %s", "thing\nindeed")
    try:
        raise ValueError("broken\nbadly")
    except ValueError:
        event(log, "task.failed", level=logging.ERROR, exc_info=True)
    first, second = lines.getvalue().splitlines()
    assert "some.library" in first
    assert "odd thing\\nindeed" in first
    assert "task.failed" in second
    assert "ValueError: broken\\nbadly" in second


def test_setting_up_again_replaces(lines: io.StringIO) -> None:
    """Two set-ups do not write every line twice."""
    set_up(stream=lines)
    set_up(stream=lines)
    event(log, "once")
    assert len(lines.getvalue().splitlines()) == 1


def test_a_field_cannot_hide_the_event(lines: io.StringIO) -> None:
    """A field called like one of ours gets another name in JSON."""
    set_up(LogFormat.JSON, stream=lines)
    event(log, "real", event="fake", at="never")
    written = json.loads(lines.getvalue())
    assert (written["event"], written["event_"], written["at_"]) == ("real", "fake", "never")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("eu-west", "eu-west"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("Zürich", '"Zürich"'),
        (True, "true"),
        (7, "7"),
        (0.25, "0.25"),
        (["a", "b"], "a,b"),
    ],
)
def test_text_values(value: object, text: str) -> None:
    """How a value looks on a text line."""
    assert text_value(value) == text


def test_json_takes_everything() -> None:
    """What JSON has no word for becomes null or text instead of an error."""
    assert json_line({"a": float("nan"), "b": {"c": (float("inf"), 1)}, "d": LogFormat, "e": {2}}).startswith(
        '{"a": null, "b": {"c": [null, 1]}, "d": "'
    )


def test_times_are_utc() -> None:
    """Unix time in RFC 3339, with milliseconds."""
    assert utc_text(1770000000.1234) == "2026-02-02T02:40:00.123Z"


def test_formatters_leave_the_record_alone() -> None:
    """Both formatters can take the same record, in any order."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "hello %s", ("you",), None)
    assert TextLines().format(record).endswith('INFO log logger=x message="hello you"')
    assert json.loads(JsonLines().format(record))["message"] == "hello you"
