"""HTTP checks against servers that behave and servers that do not."""

import asyncio
from typing import Any

import pytest

from georouter import __version__
from georouter.facts.rules import HealthRule
from georouter.facts.signals import Missing, SignalRule
from georouter.policy.model import CheckType
from georouter.probes.http import BODY_LIMIT_BYTES, PARTS_LIMIT
from georouter.words.ids import SignalName
from tests.probes.servers import (
    OK,
    PATIENT_S,
    TIMEOUT_S,
    hangs_up,
    probe,
    probe_with,
    repeats,
    resets,
    says,
    silent,
    unused_port,
)

HEAD = b"HTTP/1.1 200 OK\r\n"


def test_a_good_answer_passes() -> None:
    """Status 200, and the round trip of the connect phase comes with it."""
    result = probe(says(OK))
    assert result.ok
    assert result.rtt_s is not None
    assert 0 < result.rtt_s < 0.1


def test_the_request_is_what_it_should_be() -> None:
    """One plain GET: path with query, Host as configured, no compression, connection closed after it."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    assert probe(handle, path="/healthz?deep=1", host="web.example.com:8080").ok
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /healthz?deep=1 HTTP/1.1"
    assert {line.lower() for line in lines[1:-2]} == {
        "host: web.example.com:8080",
        f"user-agent: georouter/{__version__}",
        "accept: */*",
        "accept-encoding: identity",
        "connection: close",
    }


def test_headers_of_the_policy() -> None:
    """They are sent as written, and instead of ours where they have the same name."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    assert probe(handle, headers=(("X-Probe", "edge"), ("user-agent", "probe/1"))).ok
    lines = seen[0].decode().lower().split("\r\n")
    assert "x-probe: edge" in lines
    assert [line for line in lines if line.startswith("user-agent")] == ["user-agent: probe/1"]
    assert "host: web.example.com" in lines


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A health check goes where it says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    assert probe(says(OK)).ok


@pytest.mark.parametrize(
    ("status", "accepted", "reason"),
    [
        (200, {200}, ""),
        (204, {200, 204}, ""),
        (503, {200}, "status 503"),
        (200, {503}, "status 200"),
        (302, {200}, "status 302"),  # redirects are not followed
        (302, {302}, ""),
        (404, {200}, "status 404"),
    ],
)
def test_the_status_decides(status: int, accepted: set[int], reason: str) -> None:
    """Any status in the set is fine, every other one is the reason."""
    answer = b"HTTP/1.1 %d Some\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n" % status
    assert probe(says(answer), statuses=frozenset(accepted)).reason == reason


def test_a_wrong_status_fails_at_once() -> None:
    """Nobody waits for the body of an error page."""
    result = probe(says(b"HTTP/1.1 500 Oops\r\nContent-Length: 9999\r\n\r\n", after=60))
    assert result.reason == "status 500"
    assert result.ended - result.started < PATIENT_S


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"Content-Length: 11\r\n\r\n", b"all is", b" well"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"6\r\nall is\r\n", b"5\r\n well\r\n0\r\n\r\n"),
        (HEAD + b"\r\n", b"all is", b" well"),  # ends with the connection
        (b"HTTP/1.0 200 OK\r\n\r\n", b"all is well"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", HEAD + b"Content-Length: 11\r\n\r\nall is well"),
    ],
)
def test_the_body_is_found_in_any_framing(parts: tuple[bytes, ...]) -> None:
    """Across packets and chunks, with or without a length."""
    assert probe(says(*parts, pause_s=0.001), body="is well").ok
    assert probe(says(*parts), body="is ill").reason == "body does not hold the expected text"


def test_the_body_is_compared_as_utf_8() -> None:
    """Text outside ASCII is looked for in the bytes that UTF-8 makes of it."""
    answer = HEAD + b"Content-Length: 6\r\n\r\n" + "läuft".encode()
    assert probe(says(answer), body="läuft").ok


def test_only_the_first_part_of_a_body_counts() -> None:
    """A text that stands beyond the limit is not found, one that ends there is."""
    for padding, found in ((BODY_LIMIT_BYTES - 2, True), (BODY_LIMIT_BYTES - 1, False)):
        answer = HEAD + b"Content-Length: %d\r\n\r\n" % (padding + 2) + b"x" * padding + b"ok"
        assert probe(says(answer), body="ok").ok is found


def test_an_endless_body_is_judged_by_its_beginning() -> None:
    """At full speed it reaches the limit long before the timeout."""
    result = probe(repeats(HEAD + b"\r\n", b"x" * 8192))
    assert result.ok
    assert (
        probe(repeats(HEAD + b"\r\n", b"x" * 8192), body="y").reason == "body does not hold the expected text"
    )


def test_endless_tiny_chunks_are_cut_off() -> None:
    """Chunk headers count too: one byte of body in every 4 KiB never reaches the body's limit."""
    chunk = b"1;" + b"p" * 4096 + b"\r\nx\r\n"
    assert probe(repeats(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk)).ok


def test_tiny_parts_are_counted() -> None:
    """A thousand chunks of one octet are enough to judge by: each costs as much as a large one."""
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunks = b"1\r\nx\r\n" * (PARTS_LIMIT - 1)
    assert probe(says(start, chunks, b"2\r\nok\r\n0\r\n\r\n"), body="ok").ok is False
    few = b"1\r\nx\r\n" * (PARTS_LIMIT - 10)
    assert probe(says(start, few, b"2\r\nok\r\n0\r\n\r\n"), body="ok").ok
    assert probe(repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n")).reason == "endless answer"


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (HEAD, b"X-Header: value\r\n"),  # headers without end
        (HEAD + b"X: ", b"v" * 4096),  # one header without end
        (b"", b"HTTP"),  # a status line without end
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),  # informational answers without end
    ],
)
def test_an_endless_head_fails_early(start: bytes, part: bytes) -> None:
    """Memory is bounded, and the timeout need not be reached."""
    result = probe(repeats(start, part * 20))
    assert not result.ok
    assert "answer" in result.reason
    assert result.ended - result.started < PATIENT_S


@pytest.mark.parametrize(
    ("start", "part", "phase"),
    [
        (b"", b"H", "waiting for the answer"),
        (HEAD, b"X: y\r\n", "waiting for the answer"),
        (HEAD + b"\r\n", b"x", "reading the body"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "waiting for the answer"),
    ],
)
def test_slow_bytes_do_not_stretch_the_timeout(start: bytes, part: bytes, phase: str) -> None:
    """The time is for the whole check, not for each byte; the reason says how far it came."""
    result = probe(repeats(start, part, pause_s=0.03), timeout_s=TIMEOUT_S)
    assert result.reason in {
        f"timeout after {TIMEOUT_S:g} s while {phase}",
        "not a good HTTP answer: illegal status line",
    }
    assert result.rtt_s is not None


def test_silence_is_a_timeout() -> None:
    """A black hole behind an open port."""
    result = probe(silent, timeout_s=TIMEOUT_S)
    assert result.reason == f"timeout after {TIMEOUT_S:g} s while waiting for the answer"
    assert result.ended - result.started >= TIMEOUT_S * 0.99


def test_a_closed_connection_is_said() -> None:
    """Before any answer, and in the middle of one."""
    assert probe(hangs_up).reason == "connection closed without an answer"
    assert (
        "without sending complete message body"
        in probe(says(HEAD + b"Content-Length: 9\r\n\r\nshort")).reason
    )


def test_a_reset_is_said() -> None:
    """The connection ends with RST."""
    assert probe(resets).reason == "connection reset"


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\xff" * 500 + b"\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46"]
)
def test_something_else_than_http_is_not_good(junk: bytes) -> None:
    """Whatever the other side speaks, the result is a value with a printable reason."""
    reason = probe(says(junk)).reason
    assert reason.startswith("not a good HTTP answer")
    assert reason.isprintable()
    assert len(reason) <= 160


@pytest.mark.parametrize(("fields"), [{"path": "/a b"}, {"path": "/\u00e4"}, {"host": "a\r\nb: c"}])
def test_what_cannot_be_sent_is_said(fields: dict[str, Any]) -> None:
    """A path or host that no request line can carry fails without a crash or a smuggled header."""
    assert probe(says(OK), **fields).reason.startswith("cannot be asked")


def test_a_refused_connection_is_said() -> None:
    """There is no round trip then."""
    result = probe(says(OK), port=unused_port())
    assert result.reason == "connection refused"
    assert result.rtt_s is None


def test_tls_to_a_plain_port_fails() -> None:
    """The https check of a port that speaks plain HTTP."""
    reason = probe(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), CheckType.HTTPS, timeout_s=TIMEOUT_S).reason
    assert reason.startswith(("TLS: ", "timeout", "connection"))


def signals(*answer: bytes) -> object:
    """What a check with a signal at /lag makes of this answer."""
    lag = SignalName("lag")
    rule = HealthRule(timeout_s=PATIENT_S, signals=(SignalRule(lag, "/lag"),))
    result = probe_with(rule, says(*answer))
    assert result.ok
    assert result.values is not None
    return result.values[lag]


def test_signals_are_read_from_the_body() -> None:
    """Whole, in chunks, or until the connection ends."""
    body = b'{"lag": 12}'
    assert signals(HEAD + b"Content-Length: 11\r\n\r\n", body) == 12.0
    assert signals(HEAD + b"\r\n", body) == 12.0
    chunks = b"5\r\n" + body[:5] + b"\r\n6\r\n" + body[5:] + b"\r\n0\r\n\r\n"
    assert signals(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunks) == 12.0


def test_a_body_too_long_for_signals_has_none() -> None:
    """The check itself passes: its status is what it should be."""
    body = b'{"lag": 12, "rest": "' + b"x" * BODY_LIMIT_BYTES + b'"}'
    assert signals(HEAD + b"\r\n", body) == Missing("the answer is longer than 64 KiB")


def test_a_check_that_fails_reads_none() -> None:
    """A page of an error says nothing of a database."""
    rule = HealthRule(timeout_s=PATIENT_S, signals=(SignalRule(SignalName("lag"), "/lag"),))
    failed = probe_with(rule, says(b'HTTP/1.1 503 Sick\r\n\r\n{"lag": 12}'))
    assert (failed.ok, failed.values) == (False, None)
