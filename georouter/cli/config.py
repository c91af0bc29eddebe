"""Where the running daemon is: `--admin`, `$GEOROUTER_ADMIN`, the policy's `server.admin`, the default."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from georouter.cli.client import AdminClient

if TYPE_CHECKING:
    from georouter.policy.model import Policy

DEFAULT_ADMIN = "127.0.0.1:8053"

_Command = TypeVar("_Command", bound=Callable[..., Any])
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to ask a daemon that listens everywhere."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where a daemon is thought to be, and the token for changes if one was found."""

    url: str
    token: str | None = None


def admin_options(command: _Command) -> _Command:
    """`--admin`, `--config` and `--token-file`; the command gets an `AdminClient` as `client`."""

    @click.option(
        "--admin",
        metavar="URL",
        envvar="GEOROUTER_ADMIN",
        show_envvar=True,
        help=f"Admin address of the daemon, otherwise from the policy, otherwise {DEFAULT_ADMIN}.",
    )
    @click.option(
        "--config",
        "-c",
        metavar="PATH",
        type=click.Path(),
        help="Policy file or folder to find the daemon by, otherwise $GEOROUTER_CONFIG and the usual places.",
    )
    @click.option(
        "--token-file",
        metavar="FILE",
        type=click.Path(),
        envvar="GEOROUTER_TOKEN_FILE",
        show_envvar=True,
        help="File with the token for changes from another machine.",
    )
    @wraps(command)
    def wrapped(
        *args: Any, admin: str | None, config: str | None, token_file: str | None, **kwargs: Any
    ) -> Any:
        daemon = find_daemon(admin, config, token_file)
        return command(*args, client=AdminClient(daemon.url, daemon.token), **kwargs)

    return wrapped  # type: ignore[return-value]


def find_daemon(admin: str | None = None, config: str | None = None, token_file: str | None = None) -> Daemon:
    """Where to ask. Reads the policy only when `admin` is not given.

    Raises click's errors: UsageError for what was typed, ClickException for what cannot be read.
    """
    token = _read_token(Path(token_file)) if token_file else None
    if admin:
        return Daemon(admin_url(admin), token)
    found = _from_policy(config)
    return Daemon(found.url, token or found.token)


def admin_url(text: str) -> str:
    """`http://HOST:PORT` from a URL, `HOST:PORT`, `[::1]:8053` or `:8053`. UsageError if it is none."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - one import less for `--help`

    url = text if "://" in text else f"http://{'127.0.0.1' if text.startswith(':') else ''}{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or (port is None and "://" not in text):
        raise click.UsageError(f"{text!r} is not an address like {DEFAULT_ADMIN} or http://{DEFAULT_ADMIN}")
    return url.rstrip("/")


def served_policy(config: str | None) -> "tuple[Path, Policy | None]":
    """Where the policy is, and the one that a daemon serves by it: the saved last good one if it is invalid.

    None where it is invalid and none was saved. SourceError when there is no policy to read.
    """
    from georouter.policy.load import PolicyFile, load  # noqa: PLC0415 - pydantic is slow to import
    from georouter.sources.policy_files import find_config, read_policy  # noqa: PLC0415 - as above
    from georouter.sources.state_files import guess_state_dir, load_last_good  # noqa: PLC0415 - as above
    from georouter.words.errors import PolicyError  # noqa: PLC0415 - as above

    files: tuple[PolicyFile, ...] = ()
    path = find_config(config, os.environ)
    try:
        files = read_policy(path)
        return path, load(files, zone_files=False).policy
    except PolicyError as error:
        # The daemon may well serve its last good policy, and `status` is how to find out.
        problems = len(error.diagnostics)
        click.echo(
            f"note: the policy cannot be used ({problems} problem{'s' if problems != 1 else ''}, "
            "see 'georouter check'); asking where the last good one was served",
            err=True,
        )
    kept = os.environ.get("GEOROUTER_STATE_DIR")
    good = load_last_good(Path(kept) if kept else guess_state_dir(path, files))
    try:
        return path, load(good, zone_files=False).policy if good else None
    except PolicyError:  # saved by another version
        return path, None


def _from_policy(config: str | None) -> Daemon:
    from georouter.words.errors import SourceError  # noqa: PLC0415 - not for `--help`

    try:
        path, policy = served_policy(config)
    except SourceError as error:
        if config or os.environ.get("GEOROUTER_CONFIG"):
            raise click.ClickException(str(error)) from error
        return Daemon(admin_url(DEFAULT_ADMIN))
    if policy is None:
        return Daemon(admin_url(DEFAULT_ADMIN))
    server = policy.server
    if server.admin is None:
        raise click.ClickException(f"the policy in {path} has no admin address (server.admin)")
    host, port = server.admin
    host = ANY_ADDRESS.get(host, host)
    token_file = Path(server.admin_token_file) if server.admin_token_file else None
    token = _read_token(token_file) if token_file and os.access(token_file, os.R_OK) else None
    return Daemon(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}", token)


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"the token file {path} cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise click.ClickException(f"the token file {path} does not hold one line of printable ASCII")
    return token
