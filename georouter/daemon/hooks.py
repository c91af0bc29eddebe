"""Calls the HTTP hooks of failover steps: JSON out, yes, no or nothing back, in the time they have.

A 2xx is yes, a 4xx is no; anything else (5xx, a redirect, silence, a broken connection) says neither. What
costs the event loop time (importing, TLS authorities, files, the state on disk) happens in threads.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from georouter import __version__
from georouter.control.orders import Answer, Call
from georouter.facts.failover import Reply
from georouter.policy.steps import Secret
from georouter.sources import reading

if TYPE_CHECKING:
    import httpx

SAID_BYTES = 2048
"""Of an answer's body: its first line is shown, the rest is not even read."""
SAID_LIMIT = 160
"""Characters of it: it stands in tables and log lines, and comes from outside."""


class Hooks:
    """`node` is who calls; `save` puts what is believed on disk before something outside is changed."""

    def __init__(self, node: str, save: Callable[[], Awaitable[None]]) -> None:
        self._node = node
        self._save = save

    async def call(self, call: Call) -> Answer:
        """Make one call. Its time limit begins when everything is ready."""
        try:
            client, content = await asyncio.to_thread(_prepare, call, self._node)
        except (OSError, ValueError) as error:
            return Answer(Reply.UNANSWERED, _line(f"cannot be asked: {error}"))
        await self._save()
        try:
            async with client, asyncio.timeout(call.hook.timeout_s):
                return await _ask(client, call, content)
        except TimeoutError:
            return Answer(Reply.UNANSWERED, f"no answer within {call.hook.timeout_s:g} s")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong on the way is no answer
            return Answer(Reply.UNANSWERED, _line(str(error) or type(error).__name__))


def _prepare(call: Call, node: str) -> "tuple[httpx.AsyncClient, bytes]":
    """A client with the call's headers, and the body. OSError or ValueError for files that cannot be used."""
    import httpx  # noqa: PLC0415 - most policies have no hooks

    hook = call.hook
    context = ssl.create_default_context(cafile=hook.ca_file) if hook.url.startswith("https:") else False
    headers = {
        **_read(hook.headers),
        "Content-Type": "application/json",
        "Idempotency-Key": call.id,
        "User-Agent": f"georouter/{__version__}",
    }
    client = httpx.AsyncClient(
        headers=headers, verify=context, timeout=hook.timeout_s, trust_env=False, follow_redirects=False
    )
    return client, json.dumps({**_read(hook.body), **call.message, "node": node}).encode()


async def _ask(client: "httpx.AsyncClient", call: Call, content: bytes) -> Answer:
    async with client.stream(call.hook.method, call.hook.url, content=content) as response:
        body = b""
        async for part in response.aiter_raw(SAID_BYTES):
            body += part
            if len(body) >= SAID_BYTES:
                break
    said = _line(f"{response.status_code} {_first_line(body)}".strip())
    if response.is_success:
        return Answer(Reply.ACCEPTED, said)
    return Answer(Reply.REFUSED if response.is_client_error else Reply.UNANSWERED, said)


def _read(values: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: _secret(value) if isinstance(value, Secret) else value for name, value in values.items()}


def _secret(secret: Secret) -> str:
    text = reading.secret(secret.file).decode("utf-8")
    if not text or not text.isprintable():
        raise ValueError(f"{secret.file} does not hold one line of text")
    return text


def _first_line(body: bytes) -> str:
    lines = body[:SAID_BYTES].decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else ""


def _line(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= SAID_LIMIT else shown[: SAID_LIMIT - 3] + "..."
