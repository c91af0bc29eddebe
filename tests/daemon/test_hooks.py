"""Hooks called over real sockets: yes, no, and everything that is neither."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.hooks import HookServer
from georouter.control.orders import Answer, Call
from georouter.daemon.hooks import SAID_LIMIT, Hooks
from georouter.facts.failover import Reply
from georouter.policy.steps import Hook, Secret
from georouter.words.ids import ServiceName
from tests.probes.servers import Handler, repeats, resets, says, serving, silent, unused_port

saved: list[float] = []


async def _save() -> None:
    saved.append(time.time())


def call(url: str, *, timeout_s: float = 5.0, **fields: Any) -> Answer:
    """What comes of one call."""
    hook = Hook(url, timeout_s=timeout_s, **fields)
    order = Call(ServiceName("db"), "promote", "an/id/1", hook, {"event": "promote", "to": "b"})
    return asyncio.run(Hooks("ns1", _save).call(order))


@pytest.fixture
def server() -> Iterator[HookServer]:
    """A hook that says yes."""
    with HookServer() as running:
        yield running


def test_a_yes(server: HookServer, tmp_path: Path) -> None:
    """JSON with our members and the policy's, secrets from their files, a key to tell repeats by."""
    (tmp_path / "token").write_text("Bearer sesame\n")
    (tmp_path / "pin").write_text("1234")
    before = len(saved)
    answer = call(
        f"{server.url}/promote",
        headers={"Authorization": Secret(str(tmp_path / "token")), "X-Plain": "text"},
        body={"pin": Secret(str(tmp_path / "pin")), "cluster": "main"},
    )
    assert answer == Answer(Reply.ACCEPTED, "200 done")
    (asked,) = server.asked
    assert {key: asked[key] for key in ("event", "to", "node", "pin", "cluster", "path")} == {
        "event": "promote",
        "to": "b",
        "node": "ns1",
        "pin": "1234",
        "cluster": "main",
        "path": "/promote",
    }
    headers = asked["headers"]
    assert headers["Authorization"] == "Bearer sesame"
    assert headers["X-Plain"] == "text"
    assert headers["Idempotency-Key"] == "an/id/1"
    assert headers["Content-Type"] == "application/json"
    assert len(saved) == before + 1


@pytest.mark.parametrize(
    ("status", "reply"),
    [(204, Reply.ACCEPTED), (409, Reply.REFUSED), (404, Reply.REFUSED), (500, Reply.UNANSWERED)],
)
def test_by_status(server: HookServer, status: int, reply: Reply) -> None:
    """2xx is yes, 4xx is no, the rest is no answer."""
    server.status = status
    assert call(server.url).reply is reply


def against(handler: Handler, timeout_s: float = 5.0) -> Answer:
    """What comes of a call to this server."""

    async def once() -> Answer:
        async with serving(handler) as port:
            order = Call(
                ServiceName("db"), "promote", "id", Hook(f"http://127.0.0.1:{port}/", timeout_s=timeout_s), {}
            )
            return await Hooks("ns1", _save).call(order)

    return asyncio.run(once())


def test_a_redirect_is_not_followed() -> None:
    """A secret goes where the policy sends it."""
    answer = against(
        says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    )
    assert answer == Answer(Reply.UNANSWERED, "302")


@pytest.mark.parametrize(
    "handler",
    [silent, repeats(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause_s=0.05)],
    ids=["silent", "drips its head"],
)
def test_the_time_limit_is_for_the_whole_call(handler: Handler) -> None:
    """However the time is spent."""
    began = time.monotonic()
    assert against(handler, 0.4) == Answer(Reply.UNANSWERED, "no answer within 0.4 s")
    assert time.monotonic() - began < 3


def test_an_endless_body_is_not_read() -> None:
    """The status says it; of the rest a line is enough."""
    answer = against(repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"all is well \x00" * 100))
    assert answer.reply is Reply.ACCEPTED
    assert len(answer.said) <= SAID_LIMIT
    assert answer.said.isprintable()


@pytest.mark.parametrize("handler", [resets, says(b"junk\r\n\r\n")], ids=["resets", "junk"])
def test_broken_servers_have_not_answered(handler: Handler) -> None:
    """With something to look for."""
    answer = against(handler)
    assert answer.reply is Reply.UNANSWERED
    assert answer.said


def test_nobody_listens() -> None:
    """Refused connections are no answer."""
    assert call(f"http://127.0.0.1:{unused_port()}/").reply is Reply.UNANSWERED


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
def test_a_secret_that_cannot_be_read(server: HookServer, tmp_path: Path, content: str | None) -> None:
    """Nothing is sent; the file is named, its content is not."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    answer = call(server.url, headers={"Authorization": Secret(str(file))})
    assert answer.reply is Reply.UNANSWERED
    assert str(file) in answer.said or "No such file" in answer.said
    assert "lines" not in answer.said
    assert not server.asked


def test_tls_is_checked(tmp_path: Path) -> None:
    """An authority file that is none is said; a certificate nobody vouches for is no answer."""
    (tmp_path / "ca.pem").write_text("junk")
    answer = call("https://127.0.0.1:1/", ca_file=str(tmp_path / "ca.pem"))
    assert answer.reply is Reply.UNANSWERED
    assert "cannot be asked" in answer.said


def test_the_message_is_json(server: HookServer) -> None:
    """What the policy adds never replaces what we say."""
    call(server.url, body={"event": "mine"})
    assert json.loads(json.dumps(server.asked[0]))["event"] == "promote"
