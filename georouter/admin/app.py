"""The HTTP door: an aiohttp application in the control loop, that handles no signals.

    GET  /            a page for people          POST /v1/drain    {region, reason, in_s?, for_s?, author?}
    GET  /metrics     for Prometheus             POST /v1/undrain  {region, reason, author?}
    GET  /livez       the loop turns             POST /v1/force    {region, state, reason, for_s?, author?}
    GET  /readyz      queries are answered       POST /v1/clear    {region, reason, author?}
    GET  /v1/status   all of it as JSON          POST /v1/reload   {}
                                               POST /v1/failback {service, reason, to?, author?}
                                               POST /v1/ramp {service, action, reason, author?}
                                               POST /v1/unfreeze {reason, author?}
    GET  /v1/explain  ?name=&client=&resolver=&type=

Errors are `{"error": "a sentence"}`. `guard` says who may do what, `doorkeeper` for how long.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http import HttpProcessingError

from georouter.admin import requests
from georouter.admin.address import why_not
from georouter.admin.desk import Desk, Json
from georouter.admin.doorkeeper import Doorkeeper
from georouter.admin.guard import Guard, Refusal
from georouter.admin.page import render
from georouter.admin.style import CONTENT_SECURITY_POLICY
from georouter.telemetry.logs import event
from georouter.words.errors import SourceError

MAX_BODY_BYTES = 16 * 1024
"""The longest change (a reason of 500 characters, escaped) has under 8 KiB."""
BODY_TIMEOUT_S = 10.0
KEEPALIVE_S = 75.0
"""Longer than the usual scrape interval, so that Prometheus keeps its connection."""
STOP_TIMEOUT_S = 2.0

CHANGES: tuple[str, ...] = ("drain", "undrain", "force", "clear")
"""`POST /v1/{change}`."""

_log = logging.getLogger("georouter.admin")
_http_log = logging.getLogger("georouter.admin.http")
_CALLERS_FAULT = (HttpProcessingError, web.RequestPayloadError)
"""A request that cannot be read."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RunningAdmin:
    """The open door."""

    def __init__(self, server: asyncio.Server, runner: web.AppRunner, guard: Guard, port: int) -> None:
        self._server = server
        self._guard = guard
        self._runner = runner
        self.port = port
        """The TCP port, chosen by the kernel if 0 was asked for."""

    def renew(self, token: str | None) -> None:
        """Changes from elsewhere need this token from now on."""
        self._guard.renew(token)

    async def stop(self) -> None:
        """Take no more connections; let requests at work finish for a moment, then close."""
        self._server.close()
        await self._runner.cleanup()


async def start(
    host: str, port: int, desk: Desk, token: str | None = None, *, doorkeeper: Doorkeeper | None = None
) -> RunningAdmin:
    """Open the door. `token` is what changes from other machines must bring; None: they cannot.

    Raises SourceError when the address cannot be bound.
    """
    doorkeeper = doorkeeper or Doorkeeper()
    guard = Guard(token, (host, socket.gethostname()))
    application = make_app(desk, guard, doorkeeper)
    runner = web.AppRunner(
        application,
        handle_signals=False,
        access_log=None,
        logger=_http_log,
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=STOP_TIMEOUT_S,
    )
    await runner.setup()
    http = runner.server
    if http is None:
        raise RuntimeError("aiohttp made no server")
    try:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(doorkeeper.factory(http), host, port)
    except OSError as error:
        await runner.cleanup()
        raise SourceError(why_not(host, port, error)) from error
    return RunningAdmin(server, runner, guard, server.sockets[0].getsockname()[1])


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether aiohttp complains of us: a request that cannot be read is answered with 400, and is no news."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CALLERS_FAULT))


_http_log.addFilter(_is_ours)


def make_app(desk: Desk, guard: Guard, doorkeeper: Doorkeeper) -> web.Application:
    """The application without a socket."""
    views = _Views(desk, guard)

    @web.middleware
    async def outermost(request: web.Request, handler: _Handler) -> web.StreamResponse:
        doorkeeper.request_began(request.transport)
        return await _answered(request, handler)

    application = web.Application(middlewares=[outermost], client_max_size=MAX_BODY_BYTES)
    application.add_routes(
        [
            web.get("/", views.index),
            web.get("/metrics", views.metrics),
            web.get("/livez", views.livez),
            web.get("/readyz", views.readyz),
            web.get("/v1/status", views.status),
            web.get("/v1/explain", views.explain),
            web.post("/v1/reload", views.reload),
            web.post("/v1/failback", views.fail_back),
            web.post("/v1/ramp", views.ramp),
            web.post("/v1/unfreeze", views.unfreeze),
            *(web.post(f"/v1/{kind}", views.change(kind)) for kind in CHANGES),
        ]
    )
    return application


async def _answered(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """The handler's response, or one that says what went wrong; with the headers all of ours have."""
    response: web.StreamResponse
    try:
        response = await handler(request)
    except _RefusedError as problem:
        response = _error(problem.refusal.status, problem.refusal.reason)
    except web.HTTPException as problem:
        response = _error(problem.status, problem.reason)
        if "Allow" in problem.headers:
            response.headers["Allow"] = problem.headers["Allow"]
    except Exception:  # noqa: BLE001 - the door outlives whatever is wrong behind it
        event(_log, "admin.failed", level=logging.ERROR, exc_info=True, path=request.path)
        response = _error(500, "something is wrong here; the log says what")
    response.headers.update(
        {
            "Server": "georouter",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        }
    )
    return response


class _Views:
    """One method per address."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard

    async def index(self, request: web.Request) -> web.Response:
        self._check_read(request)
        page = render(self._desk.status(), self._desk.ready())
        return web.Response(text=page, content_type="text/html")

    async def metrics(self, request: web.Request) -> web.Response:
        self._check_read(request)
        body, content_type = self._desk.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def livez(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        reason = self._desk.ready()
        return web.Response(text="ok\n") if reason is None else web.Response(status=503, text=f"{reason}\n")

    async def status(self, request: web.Request) -> web.Response:
        self._check_read(request)
        return _json(self._desk.status())

    async def explain(self, request: web.Request) -> web.Response:
        self._check_read(request)
        try:
            return _json(await self._desk.explain(requests.question(request.query)))
        except ValueError as problem:
            return _error(400, str(problem))

    def change(self, kind: str) -> _Handler:
        async def handler(request: web.Request) -> web.Response:
            self._check_change(request)
            try:
                command = requests.change(kind, await _body(request), request.remote or "unknown")
                return _json(await self._desk.change(command))
            except ValueError as problem:
                return _error(400, str(problem))
            except LookupError as problem:
                return _error(404, str(problem.args[0] if problem.args else problem))

        return handler

    async def fail_back(self, request: web.Request) -> web.Response:
        self._check_change(request)
        try:
            command = requests.failback(await _body(request), request.remote or "unknown")
            return _json(await self._desk.fail_back(command))
        except ValueError as problem:
            return _error(400, str(problem))
        except LookupError as problem:
            return _error(404, str(problem.args[0] if problem.args else problem))

    async def ramp(self, request: web.Request) -> web.Response:
        self._check_change(request)
        try:
            command = requests.ramp(await _body(request), request.remote or "unknown")
            return _json(await self._desk.ramp(command))
        except ValueError as problem:
            return _error(400, str(problem))
        except LookupError as problem:
            return _error(404, str(problem.args[0] if problem.args else problem))

    async def unfreeze(self, request: web.Request) -> web.Response:
        self._check_change(request)
        try:
            command = requests.unfreeze(await _body(request), request.remote or "unknown")
            return _json(await self._desk.unfreeze(command))
        except ValueError as problem:
            return _error(400, str(problem))

    async def reload(self, request: web.Request) -> web.Response:
        self._check_change(request)
        try:
            requests.empty(await _body(request))
        except ValueError as problem:
            return _error(400, str(problem))
        return _json(await self._desk.reload())

    def _check_read(self, request: web.Request) -> None:
        _refuse(self._guard.may_read(request.remote or "", request.headers))

    def _check_change(self, request: web.Request) -> None:
        _refuse(self._guard.may_change(request.remote or "", request.headers))


class _RefusedError(Exception):
    """A refusal on its way to `_answered`."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.reason)


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise _RefusedError(refusal)


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise _RefusedError(Refusal(408, "the body did not come in time")) from None
    except _CALLERS_FAULT:
        raise _RefusedError(Refusal(400, "the body is not what its headers say")) from None
    except ConnectionError:  # nobody is there to read this
        raise _RefusedError(Refusal(400, "the body ended early")) from None


def _json(value: Json) -> web.Response:
    return web.Response(text=json.dumps(value, default=str) + "\n", content_type="application/json")


def _error(status: int, reason: str) -> web.Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    text = json.dumps({"error": reason}) + "\n"
    return web.Response(status=status, text=text, content_type="application/json", headers=headers)
