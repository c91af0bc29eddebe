"""Talking to a running daemon: one small HTTP client, and errors that say what to do."""

import json
from collections.abc import Mapping
from typing import Any

import click

Json = dict[str, Any]
"""A decoded JSON object."""

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 60.0
"""A reload of a large policy takes seconds."""


class NoDaemonError(click.ClickException):
    """Nobody answers there. Exit code 1."""


class RefusedError(click.ClickException):
    """The daemon answered, with an error; `status` is the HTTP status. Exit code 1."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class AdminClient:
    """Speaks to the admin port at `url`. `token` is for changes from another machine."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """The JSON object at `path`. Raises NoDaemonError or RefusedError."""
        return self._ask("GET", path, params=params or {})

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        """What the daemon says to a change. Raises NoDaemonError or RefusedError."""
        return self._ask("POST", path, body=body)

    def _ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
    ) -> Json:
        import httpx  # noqa: PLC0415 - takes 0.1 s, which `--help` need not pay

        headers = {"Authorization": f"Bearer {self._token}"} if self._token and method != "GET" else {}
        timeout = httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        try:
            # trust_env: a proxy for the web is no way to a daemon beside us. Authorities are only for TLS:
            # reading them takes longer than the question, and a small image may have none.
            encrypted = self.url.lower().startswith("https:")
            with httpx.Client(timeout=timeout, trust_env=False, verify=encrypted) as client:
                response = client.request(method, self.url + path, params=params, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NoDaemonError(_nobody(self.url, error)) from error
        return _decoded(self.url, response.status_code, response.content)


def _decoded(url: str, status: int, content: bytes) -> Json:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError(status, f"what answers at {url} is not a georouter (HTTP status {status})")
    if status != 200:
        raise RefusedError(status, str(value.get("error", f"HTTP status {status}")))
    return value


def _nobody(url: str, error: Exception) -> str:
    why = str(error) or type(error).__name__
    return (
        f"no daemon answers at {url} ({why}).\n"
        "Is 'georouter serve' running? --admin or $GEOROUTER_ADMIN names another address."
    )
