"""The door over real loopback sockets: what each address answers."""

import asyncio
import logging
import socket

import httpx
import pytest

from georouter.admin.app import MAX_BODY_BYTES, start
from georouter.admin.desk import Action, Change, Failback, Json, Question, RampChange
from georouter.facts.ramp import RampOrder
from georouter.words.errors import SourceError
from tests.admin.desks import STATUS, FakeDesk
from tests.admin.doors import visit

DRAIN = {"region": "eu-west", "reason": "kernel update", "author": "ada", "for_s": 60}


def test_views() -> None:
    """Status, explain, liveness, metrics and the page."""

    async def look(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        assert (await client.get("/v1/status")).json() == STATUS
        explained = await client.get("/v1/explain", params={"name": "a.test", "client": "192.0.2.0/24"})
        assert explained.json() == {"name": "a.test", "answer": ["192.0.2.10"]}
        assert desk.questions == [Question("a.test", "192.0.2.0/24")]
        assert (await client.get("/livez")).text == "ok\n"
        metrics = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert desk.accepts == ["application/openmetrics-text"]
        page = await client.get("/")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "eu-west" in page.text

    visit(look)


def test_readiness() -> None:
    """503 with the reason until queries are answered; liveness does not wait for that."""

    async def look(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        desk.not_ready = "waiting for the first health round"
        waiting = await client.get("/readyz")
        assert (waiting.status_code, waiting.text) == (503, "waiting for the first health round\n")
        assert (await client.get("/livez")).status_code == 200
        desk.not_ready = None
        assert (await client.get("/readyz")).status_code == 200

    visit(look)


def test_changes_reach_the_desk() -> None:
    """Each kind of change, with where it came from."""

    async def change(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        drained = await client.post("/v1/drain", json=DRAIN)
        assert drained.status_code == 200
        assert drained.json()["effective"] == "drained"
        short = {"region": "eu-west", "reason": "done"}
        for path, more in (("undrain", {}), ("force", {"state": "down"}), ("clear", {})):
            assert (await client.post(f"/v1/{path}", json=short | more)).status_code == 200
        first, *others = desk.changes
        assert first == Change(Action.DRAIN, "eu-west", "kernel update", "ada", "127.0.0.1", 60.0)
        assert [item.action for item in others] == [Action.UNDRAIN, Action.FORCE_DOWN, Action.CLEAR]
        wish = {"service": "write", "to": "us-east", "reason": "repaired", "author": "ada"}
        assert (await client.post("/v1/failback", json=wish)).json()["failover"]["active"] == "us-east"
        assert desk.failbacks == [Failback("write", "us-east", "repaired", "ada", "127.0.0.1")]
        order = {"service": "write", "action": "resume", "reason": "repaired", "author": "ada"}
        assert (await client.post("/v1/ramp", json=order)).json()["ramp"]["phase"] == "stepped_back"
        assert desk.ramps == [RampChange("write", RampOrder.RESUME, "repaired", "ada", "127.0.0.1")]
        reloaded = await client.post("/v1/reload", json={})
        assert reloaded.json() == desk.reload_result
        assert desk.reloads == 1

    visit(change)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "/v1/drain", {**DRAIN, "region": "eu-wst"}, 404, "did you mean 'eu-west'?"),
        ("POST", "/v1/drain", {**DRAIN, "region": "us-east"}, 400, "last region that is up"),
        ("POST", "/v1/drain", {"region": "eu-west"}, 400, "reason is missing"),
        ("POST", "/v1/failback", {"service": "web", "reason": "x"}, 400, "no failover step"),
        ("POST", "/v1/failback", {"service": "wrte", "reason": "x"}, 404, "did you mean write?"),
        ("POST", "/v1/failback", {"service": "write"}, 400, "reason is missing"),
        ("POST", "/v1/unfreeze", {}, 400, "reason is missing"),
        ("POST", "/v1/unfreeze", {"reason": "x", "region": "y"}, 400, "unknown key"),
        ("POST", "/v1/failback", {"service": "write", "reason": "x", "region": "y"}, 400, "unknown key"),
        ("POST", "/v1/ramp", {"service": "web", "action": "pause", "reason": "x"}, 400, "no ramp"),
        ("POST", "/v1/ramp", {"service": "wrte", "action": "pause", "reason": "x"}, 404, "mean write?"),
        ("POST", "/v1/ramp", {"service": "write", "action": "stop", "reason": "x"}, 400, "pause, resume"),
        ("POST", "/v1/ramp", {"service": "write", "action": ["pause"], "reason": "x"}, 400, "one of"),
        ("POST", "/v1/ramp", {"service": "write", "action": "pause"}, 400, "reason is missing"),
        ("POST", "/v1/ramp", {"service": "write", "x": 1}, 400, "unknown key"),
        ("POST", "/v1/reload", {"now": True}, 400, "no keys"),
        ("POST", "/v1/drain", {**DRAIN, "author": "x" * MAX_BODY_BYTES}, 413, "Too Large"),
        ("GET", "/v1/drain", None, 405, "Not Allowed"),
        ("POST", "/v1/status", {}, 405, "Not Allowed"),
        ("GET", "/v1/nothing", None, 404, "Not Found"),
        ("GET", "/v1/explain", None, 400, "name= is missing"),
        ("GET", "/v1/explain?name=a.test&client=nonsense", None, 400, "not an address"),
    ],
)
def test_errors(method: str, path: str, body: Json | None, status: int, says: str) -> None:
    """Every refusal is JSON with a sentence, and changes nothing."""

    async def ask(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        answer = await client.request(method, path, json=body)
        assert answer.status_code == status
        assert says in answer.json()["error"]
        assert desk.changes == []
        assert desk.reloads == 0

    visit(ask)


def test_the_guard_stands_at_every_door() -> None:
    """Changes and views pass the guard; a token is asked for by name."""
    rebound = {"Host": "evil.example"}

    async def ask(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        for path in ("/", "/metrics", "/v1/status", "/v1/explain?name=a&client=b"):
            assert (await client.get(path, headers=rebound)).status_code == 403
        for path in (
            "/v1/drain",
            "/v1/undrain",
            "/v1/force",
            "/v1/clear",
            "/v1/failback",
            "/v1/ramp",
            "/v1/unfreeze",
            "/v1/reload",
        ):
            assert (await client.post(path, json=DRAIN, headers=rebound)).status_code == 403
            assert (await client.post(path, data=DRAIN)).status_code == 415
            wrong = await client.post(path, json=DRAIN, headers={"Authorization": "Bearer no"})
            assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, "Bearer")
        right = {"Authorization": "Bearer yes", "X-Forwarded-For": "192.0.2.7"}
        assert desk.changes == []
        assert (await client.post("/v1/drain", json=DRAIN, headers=right)).status_code == 200

    visit(ask, token="yes")


def test_headers_of_every_answer() -> None:
    """No caching, no sniffing, no framing, nothing about what serves it."""

    async def ask(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        for path in ("/", "/v1/status", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["Server"] == "georouter"
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]

    visit(ask)


class BrokenDesk(FakeDesk):
    """Raises what nobody expected."""

    def status(self) -> dict[str, object]:
        """Fail."""
        raise RuntimeError("boom")


def test_a_broken_desk_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    """The caller hears that something is wrong, the log what; the door stays open."""

    async def ask(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        with caplog.at_level(logging.ERROR):
            answer = await client.get("/v1/status")
        assert answer.status_code == 500
        assert "boom" not in answer.text
        assert (await client.get("/livez")).status_code == 200

    visit(ask, desk=BrokenDesk())
    assert [record.getMessage() for record in caplog.records] == ["admin.failed"]
    assert "boom" in caplog.text


def test_a_taken_port_is_said_plainly() -> None:
    """A second daemon on the same admin address gets a SourceError that names the address."""

    async def run() -> None:
        first = await start("127.0.0.1", 0, FakeDesk())
        try:
            with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{first.port} is taken"):
                await start("127.0.0.1", first.port, FakeDesk())
        finally:
            await first.stop()

    asyncio.run(run())


def test_an_address_that_is_not_ours() -> None:
    """An address of another machine is a SourceError too."""
    with pytest.raises(SourceError, match=r"192\.0\.2\.1:8053 cannot be opened"):
        asyncio.run(start("192.0.2.1", 8053, FakeDesk()))


def test_stopping_frees_the_port() -> None:
    """After `stop` nobody listens, and the port can be taken again at once."""

    async def run() -> None:
        first = await start("127.0.0.1", 0, FakeDesk())
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://127.0.0.1:{first.port}/livez")
            await first.stop()
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{first.port}/livez")
        second = await start("127.0.0.1", first.port, FakeDesk())
        await second.stop()

    asyncio.run(run())


def test_ipv6() -> None:
    """The door opens on ::1 as well, and believes its clients there."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    async def run() -> None:
        desk = FakeDesk()
        admin = await start("::1", 0, desk)
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                done = await client.post(f"http://[::1]:{admin.port}/v1/drain", json=DRAIN)
                assert done.status_code == 200
                assert desk.changes[0].source == "::1"
        finally:
            await admin.stop()

    asyncio.run(run())


def test_another_token_while_open() -> None:
    """The old one is refused from then on."""

    async def run() -> None:
        admin = await start("127.0.0.1", 0, FakeDesk(), "old")
        try:
            admin.renew("new")
            async with httpx.AsyncClient() as client:
                for token, code in (("old", 401), ("new", 200)):
                    done = await client.post(
                        f"http://127.0.0.1:{admin.port}/v1/drain",
                        json=DRAIN,
                        headers={"Authorization": f"Bearer {token}"},
                    )
                    assert done.status_code == code
        finally:
            await admin.stop()

    asyncio.run(run())


BODY = b"POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET\r\n\r\n",
        b"\x00" * 100,
        b"GET / HTTP/1.1\r\n" + b"x" * 20000 + b"\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        BODY + b"Content-Length: -1\r\n\r\n",
        BODY + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n\r\n",
        BODY + b"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789",
    ],
)
def test_junk(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is not HTTP is refused and closed, and is worth no line in the log; the next caller is served."""

    async def throw(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(junk)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
        writer.close()
        assert (await client.get("/livez")).status_code == 200

    visit(throw)
    assert not caplog.records


def test_a_body_that_ends_early(caplog: pytest.LogCaptureFixture) -> None:
    """Its sender has gone: nothing is done, and nothing is said."""

    async def leave(client: httpx.AsyncClient, desk: FakeDesk) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(BODY + b'Content-Length: 100\r\n\r\n{"region":')
        await writer.drain()
        assert (await client.get("/livez")).status_code == 200  # the other request is being read by now
        writer.close()
        await writer.wait_closed()
        assert (await client.get("/livez")).status_code == 200
        assert desk.changes == []

    visit(leave)
    assert not caplog.records
