"""Zone files on disk: those that a policy names, and what they include; tenant files likewise."""

import os
import stat
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from georouter.policy.files import PolicyFile, Stamp
from georouter.sources import tenant_tables

if TYPE_CHECKING:
    from georouter.policy.zonefile.includes import ZoneSource

LARGEST_BYTES = 512 * 1024 * 1024
"""Of all zone files of a policy together: some ten million records. Bounds what is read into memory."""
MOST_FILES = 10_000

QUIET_S, PATIENCE_S = 0.25, 30.0
"""For `settle`: a large zone takes its time to be copied, over a network with pauses."""


def gather(files: Sequence[PolicyFile]) -> tuple[PolicyFile, ...]:
    """The zone files that the policy files `files` name, and everything these include, once each.

    Never raises: a file that cannot be read has a `problem` in place of a text, which `load` reports where
    the file is named.
    """
    from georouter.policy.tenant_files import tenant_sources  # noqa: PLC0415 - a start often needs no YAML
    from georouter.policy.zonefile.includes import zone_sources  # noqa: PLC0415 - as above

    shelf = _Shelf()
    for source in zone_sources(files):
        shelf.add(source.name, source)
    for name in tenant_sources(files):
        shelf.add_alone(name)
    return tuple(shelf.files.values())


def read_again(files: Iterable[PolicyFile]) -> tuple[PolicyFile, ...]:
    """Zone files that were read before, as they are now."""
    return tuple(_file(file.name, LARGEST_BYTES) for file in files)


def settle(files: Iterable[PolicyFile]) -> bool:
    """Wait while one of the zone files among `files` is being written; whether that was worth reading again.

    Until nothing was written for `QUIET_S`, `PATIENCE_S` at most: half a zone is a zone without the names
    in its other half.
    """
    paths = [file.name for file in files if file.zone]
    end, waited = time.monotonic() + PATIENCE_S, False
    while paths and time.monotonic() < end:
        wait_s = _written(paths) + QUIET_S - time.time()
        if not 0.0 < wait_s <= QUIET_S:  # quiet, or written in the future of a clock that was set
            break
        time.sleep(wait_s)
        waited = True
    return waited


def stamps(files: Iterable[PolicyFile]) -> tuple[tuple[str, Stamp], ...]:
    """The zone files among `files` with what told them from later ones when they were read."""
    return tuple((file.name, file.stamp) for file in files if file.zone)


def stamps_now(known: Iterable[tuple[str, Stamp]]) -> tuple[tuple[str, Stamp], ...]:
    """The same files as they are on disk now."""
    return tuple((name, _stamp_of(name)) for name, _ in known)


class _Shelf:
    """Files that were read, by name."""

    def __init__(self) -> None:
        self.files: dict[str, PolicyFile] = {}
        self._room = LARGEST_BYTES

    def add(self, name: str, source: "ZoneSource") -> None:
        """Read a file, and below it what it includes and may."""
        from georouter.policy.zonefile.includes import included, is_allowed  # noqa: PLC0415 - as above

        pending = [name]
        while pending:
            path = pending.pop()
            if path in self.files:
                continue
            file = self.files[path] = self._read(path, source)
            pending.extend(found for found in included(file.text, path) if is_allowed(found, source))

    def add_alone(self, name: str) -> None:
        """Read a file that includes none."""
        if name not in self.files:
            file = self.files[name] = _file(name, self._room)
            self._room -= len(file.text)

    def _read(self, name: str, source: "ZoneSource") -> PolicyFile:
        if len(self.files) >= MOST_FILES:
            return PolicyFile(name, "", zone=True, problem=f"more than {MOST_FILES} zone files")
        if name != source.name and not _is_inside(name, source):
            return PolicyFile(name, "", zone=True, problem="it is a link that leads out of the folder")
        file = _file(name, self._room)
        self._room -= len(file.text)
        return file


def _file(name: str, most: int) -> PolicyFile:
    if tenant_tables.is_database(name):
        text, problem, stamp = tenant_tables.read(name, most)
        return PolicyFile(name, text, zone=True, problem=problem, stamp=stamp)
    try:
        data, stamp = _bytes(name, most)
    except OSError as error:
        return PolicyFile(name, "", zone=True, problem=error.strerror or str(error))
    if len(data) > most:
        problem = f"the zone files have more than {LARGEST_BYTES // 1024 // 1024} MiB together"
        return PolicyFile(name, "", zone=True, problem=problem, stamp=stamp)
    return PolicyFile(name, data.decode("utf-8", "surrogateescape"), zone=True, stamp=stamp)


def _bytes(name: str, most: int) -> tuple[bytes, Stamp]:
    """At most one octet more than `most` of a regular file: a pipe or a device is none."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        return stream.read(most + 1), stamp(status)


def _is_inside(name: str, source: "ZoneSource") -> bool:
    """Whether the file itself, links followed, lies below one of the folders that `is_allowed` allows."""
    from georouter.policy.zonefile.includes import ZoneSource, is_allowed  # noqa: PLC0415 - as above

    real = os.path.realpath(name)
    folders = tuple(os.path.realpath(folder) for folder in source.folders)
    return is_allowed(real, ZoneSource(source.name, folders))


def stamp(status: os.stat_result) -> Stamp:
    """What tells a file from a later one: device, inode, size, nanoseconds of its last change."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _stamp_of(name: str) -> Stamp:
    if tenant_tables.is_database(name):
        return tenant_tables.stamp_of(name)
    try:
        return stamp(Path(name).stat())
    except OSError:
        return ()


def _written(names: Iterable[str]) -> float:
    """When the youngest of these files was written; 0 when that cannot be told."""
    return max((max(stamp[3::4]) / 1e9 for stamp in map(_stamp_of, names) if stamp), default=0.0)
