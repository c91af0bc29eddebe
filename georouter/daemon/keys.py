"""The keys that messages are signed with: their secrets are in files, and nowhere else."""

import base64
import binascii
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from georouter.policy.model import TsigKey
from georouter.sources import reading
from georouter.telemetry.logs import event
from georouter.wire.names import name_text
from georouter.wire.tsig import Key
from georouter.words.errors import SourceError

log = logging.getLogger(__name__)


def read_keys(keys: Iterable[TsigKey]) -> dict[bytes, Key]:
    """Every key by its name. SourceError for a file that cannot be used."""
    return {key.name: read_key(key) for key in keys}


def renew_keys(keys: Iterable[TsigKey], before: Mapping[bytes, Key]) -> dict[bytes, Key]:
    """As `read_keys`, but a key whose file cannot be used stays as it was, or is left out; it is said."""
    found: dict[bytes, Key] = {}
    for key in keys:
        try:
            found[key.name] = read_key(key)
        except SourceError as error:
            old = before.get(key.name)
            if old is not None and old.algorithm == key.algorithm:
                found[key.name] = old
            event(log, "keys.unreadable", level=logging.ERROR, key=name_text(key.name), error=str(error))
    return found


def read_key(key: TsigKey) -> Key:
    """A secret in base64, blanks and line breaks ignored. SourceError, which never shows what was read."""
    file = Path(key.secret_file)
    try:
        text = "".join(reading.secret(file).decode("ascii").split())
        secret = base64.b64decode(text, validate=True)
    except OSError as error:
        raise SourceError(f"cannot read the key in {file}: {error.strerror or error}") from error
    except (UnicodeDecodeError, binascii.Error):
        raise SourceError(f"{file} must hold a secret in base64, and nothing else") from None
    if not secret:
        raise SourceError(f"{file} is empty; it must hold a secret in base64")
    import georouter.wire.signing  # noqa: F401, PLC0415 - it takes a while: now, not at the first request

    return Key(key.name, key.algorithm, secret)
