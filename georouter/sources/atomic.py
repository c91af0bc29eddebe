"""`write_atomically`: a file is the old one or the new one, never half of either."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from georouter.words.errors import SourceError


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` (its folder is made) by a file with `data`, on disk when this returns if `durable`.

    Only the owner may read it. SourceError when the disk or its permissions do not allow it; what
    was there before is then still there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data, durable=durable)
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, data: bytes, *, durable: bool) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name, too, survives a power cut
    finally:
        os.close(folder)
