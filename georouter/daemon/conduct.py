"""How the server treats its clients, made from the policy: above all, where cookie secrets come from."""

import logging
import secrets
from pathlib import Path

from georouter.answers.conduct import Conduct
from georouter.answers.cookies import SECRET_SIZE, Cookies
from georouter.policy.model import Server
from georouter.sources import reading
from georouter.sources.atomic import write_atomically
from georouter.telemetry.logs import event
from georouter.words.errors import SourceError

log = logging.getLogger(__name__)

SECRET_FILE = "cookie_secret"  # noqa: S105 - the name of the file
"""In `state_dir`: the secret of a node that shares none, so that cookies survive a restart."""
MOST_SECRETS = 2


def make_conduct(policy: Server, state_dir: Path) -> Conduct:
    """As the policy says. SourceError when the secret file cannot be used."""
    return _conduct(policy, Cookies(_secrets(policy, state_dir)) if policy.cookies else None)


def renewed(before: Conduct, was: Server, policy: Server, state_dir: Path) -> Conduct:
    """As `policy` says after `was`: with secrets as they are in their file now, or, where that is damaged,
    as they were.
    """
    return _conduct(policy, _renewed(before.cookies, was, policy, state_dir) if policy.cookies else None)


def _conduct(policy: Server, cookies: Cookies | None) -> Conduct:
    return Conduct(
        cookies=cookies, nsid=policy.nsid.encode(), version=policy.version, identity=policy.identity
    )


def _renewed(before: Cookies | None, was: Server, policy: Server, state_dir: Path) -> Cookies | None:
    if before is not None and was.cookie_secret_file is None and policy.cookie_secret_file is None:
        return before  # its own, which nobody else changes
    try:
        found = _secrets(policy, state_dir)
    except SourceError as error:
        event(log, "cookies.unreadable", level=logging.ERROR, error=str(error))
        return before
    if before is None:
        return Cookies(found)
    before.secrets = found
    return before


def read_secrets(file: Path) -> tuple[bytes, ...]:
    """One or two lines of 32 hexadecimal digits; SourceError for anything else."""
    try:
        lines = reading.secret(file).decode("ascii").split()
        found = tuple(bytes.fromhex(line) for line in lines)
    except OSError as error:
        raise SourceError(f"cannot read the cookie secrets in {file}: {error.strerror or error}") from error
    except ValueError:
        found = ()
    if not 1 <= len(found) <= MOST_SECRETS or any(len(secret) != SECRET_SIZE for secret in found):
        raise SourceError(
            f"{file} must hold one or two secrets of {2 * SECRET_SIZE} hexadecimal digits, a line each"
        )
    return found


def _secrets(policy: Server, state_dir: Path) -> tuple[bytes, ...]:
    if policy.cookie_secret_file is not None:
        return read_secrets(Path(policy.cookie_secret_file))
    file = state_dir / SECRET_FILE
    try:
        return read_secrets(file)
    except SourceError:
        made = secrets.token_bytes(SECRET_SIZE)
    try:
        write_atomically(file, f"{made.hex()}\n".encode())
    except SourceError as error:
        event(log, "cookies.unsaved", level=logging.WARNING, error=str(error))
    return (made,)
