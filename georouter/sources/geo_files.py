"""Reads geo databases from files: whole, validated, and the extracted map kept for the next start.

A file is read into memory before anything looks at it (an mmap of a file that is truncated in place
kills the process). Extracting a large database takes seconds; the result is kept in `cache_dir` as
plain arrays under the content's hash, so that it is never mistaken for another file's.
"""

import hashlib
import json
import logging
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from georouter.geo import store
from georouter.geo.map import GeoMap
from georouter.words.errors import SourceError

if TYPE_CHECKING:
    from georouter.geo.asn import AsnMap

BUILTIN_NAME = "builtin.geomap"
CACHE_FORMAT = 1
"""Part of every cache file's name; changes when extraction gives other results for the same bytes."""
_BLOCK = 1 << 20
CACHE_KEPT = 2
"""Extracted maps kept beside the newest: the one before a reload is a likely next one."""

logger = logging.getLogger(__name__)


def load_map(databases: Sequence[str], cache_dir: Path | None = None) -> GeoMap:
    """The map of the given files; the built-in one when there are none.

    A file is an MMDB or a compact map that `georouter geo build` wrote (alone). SourceError with the
    file's name for everything that cannot be used.
    """
    if not databases:
        return _decode(read_builtin(), "the built-in map")
    if cache_dir is None:
        return _extract(databases, _read)
    cached = _cache_path(cache_dir, [_digest(path) for path in databases])
    result = _load_cached(cached)
    if result is None:
        read = _Reading()
        result = _extract(databases, read.content)
        cached = _cache_path(cache_dir, [read.digests[path] for path in databases])  # as they were read now
        _save_cached(cached, result)
    _remember(cached, _last_path(cache_dir, databases))
    return result


def load_last(databases: Sequence[str], cache_dir: Path) -> GeoMap | None:
    """The map that files of these names gave when they were last good; None where none was kept."""
    return _load_cached(_last_path(cache_dir, databases)) if databases else None


def load_asn(paths: Sequence[str]) -> "AsnMap | None":
    """The AS numbers of the given files, None without files. SourceError if they cannot be used."""
    if not paths:
        return None
    from georouter.geo import mmdb  # noqa: PLC0415 - a start often needs no database

    try:
        return mmdb.read_asn([partial(_read, path) for path in paths])
    except ValueError as error:
        raise SourceError(f"{', '.join(paths)}: {error}") from error


Fingerprint: TypeAlias = tuple[tuple[str, tuple[int, int, int, int] | None], ...]
"""Files by their paths: device, inode, size and modification time; None for one that is not there."""


def fingerprint(paths: Sequence[str]) -> Fingerprint:
    """What changes when one of the files does."""
    result: list[tuple[str, tuple[int, int, int, int] | None]] = []
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            result.append((path, None))
        else:
            result.append((path, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)))
    return tuple(result)


def read_builtin() -> bytes:
    """The compact map that the package carries."""
    try:
        return (files("georouter") / "builtin" / BUILTIN_NAME).read_bytes()
    except OSError as error:
        raise SourceError(f"the built-in map is missing from this installation: {error}") from error


class _Reading:
    """Reads files, and remembers the digest of what was in them."""

    def __init__(self) -> None:
        self.digests: dict[str, bytes] = {}

    def content(self, path: str) -> bytes:
        """A file's bytes."""
        content = _read(path)
        digest = _digest_of(path)
        digest.update(content)
        self.digests[path] = digest.digest()
        return content


def _extract(databases: Sequence[str], read: Callable[[str], bytes]) -> GeoMap:
    """The map of these files, each read when it is its turn."""
    shown = ", ".join(databases)
    if any(_is_compact(path) for path in databases):
        if len(databases) > 1:
            raise SourceError(f"{shown}: a compact map is used alone")
        return _decode(read(databases[0]), shown)
    from georouter.geo import mmdb  # noqa: PLC0415 - as above

    try:
        return mmdb.read([partial(read, path) for path in databases], [Path(path).name for path in databases])
    except ValueError as error:
        raise SourceError(f"{shown}: {error}") from error


def _is_compact(path: str) -> bool:
    return next(_blocks(path), b"").startswith(store.MAGIC)


def _read(path: str) -> bytes:
    try:
        with _opened(path) as file:
            return file.read()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error


def _decode(content: bytes, shown: str) -> GeoMap:
    try:
        return store.decode(content)
    except ValueError as error:
        raise SourceError(f"{shown}: {error}") from error


def _blocks(path: str) -> Iterator[bytes]:
    """A file in pieces."""
    try:
        with _opened(path) as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error


def _opened(path: str) -> BinaryIO:
    """To be read; OSError for a pipe, which might be silent for ever, and a device, which might not end."""
    place = Path(path)
    if place.exists() and not place.is_file() and not place.is_dir():
        raise OSError(0, "not a regular file")
    return place.open("rb")


def _digest_of(path: str) -> "hashlib.blake2b":
    """Of a file's name, because attribution depends on it; its content is to follow."""
    return hashlib.blake2b(json.dumps(Path(path).name).encode(), digest_size=16)


def _digest(path: str) -> bytes:
    digest = _digest_of(path)
    for block in _blocks(path):
        digest.update(block)
    return digest.digest()


def _cache_path(cache_dir: Path, digests: Sequence[bytes]) -> Path:
    digest = hashlib.blake2b(b"".join(digests), digest_size=16)
    return cache_dir / f"geo-{CACHE_FORMAT}-{digest.hexdigest()}.npz"


def _last_path(cache_dir: Path, databases: Sequence[str]) -> Path:
    digest = hashlib.blake2b(
        json.dumps([str(Path(path).absolute()) for path in databases]).encode(), digest_size=16
    )
    return cache_dir / f"last-{CACHE_FORMAT}-{digest.hexdigest()}.npz"


def _remember(cached: Path, last: Path) -> None:
    """Have `last` name the extracted map: a hard link, which stays when the cache forgets it."""
    with suppress(OSError):  # `cached` could not be written, which was said; or both are one already
        if last.exists() and last.samefile(cached):
            return
        draft = last.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.hardlink_to(cached)
        draft.replace(last)
        _forget_old(last, "last-*.npz")


def _load_cached(path: Path) -> GeoMap | None:
    """The cached map, None if there is none or it is damaged (it is extracted again then)."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, NDArray[np.generic]] = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
        return store.from_arrays(arrays, store.read_info(header["info"]), tuple(header["cities"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("extracted map %s is damaged and will be made again: %s", path, error)
        return None


def _save_cached(path: Path, result: GeoMap) -> None:
    """Write beside the final name, then rename: a reader sees all of it or nothing."""
    header = json.dumps({"info": store.info_text(result.info), "cities": result.places.cities}).encode()
    arrays = store.to_arrays(result) | {"header": np.frombuffer(header, np.uint8)}
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".geo-", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, allow_pickle=False, **arrays)
        temporary.replace(path)
        _forget_old(path, "geo-*.npz")
    except OSError as error:
        logger.warning("extracted map cannot be kept in %s: %s", path.parent, error.strerror or error)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _forget_old(newest: Path, pattern: str) -> None:
    """Remove all but the newest few of these files."""
    others = [path for path in newest.parent.glob(pattern) if path != newest]
    others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in others[CACHE_KEPT:]:
        with suppress(OSError):
            path.unlink()
