"""The last build on disk: a restart of an unchanged policy answers without compiling anything.

    magic | SHA-256 of program and data | SHA-256 of the rest | pickle of a `Kept`

It is used only where it is what a build would give now: by the same program, from files with the same
content, and databases that are the same files. It is a cache: whatever is wrong with it, there is a build.
Reading it runs no code of others: it must be a file of ours that nobody else may write, its checksum must
be right, and only classes of ours that hold values are made from it.
"""

import hashlib
import logging
import os
import pickle
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np

import georouter
from georouter.control.orders import Built
from georouter.policy.files import PolicyFile
from georouter.sources import geo_files, policy_files, zone_files
from georouter.sources.atomic import replaced
from georouter.telemetry.logs import event
from georouter.words.errors import PolicyError, SourceError
from georouter.words.ids import RegionName

log = logging.getLogger("georouter")

LARGE_BYTES = 32 << 20
"""Databases from here on take seconds to load: a country's worth of small ones never does."""
FILE = "build"
"""In the cache folder."""
MAGIC = b"georouter build 1\n"
_DIGEST = 32
_BLOCK = 1 << 20
_START = len(MAGIC) + 2 * _DIGEST
_ROOMS = frozenset({"answers", "compiler", "control", "facts", "geo", "policy", "routing", "wire", "words"})
"""Whose classes a build is made of."""
_MAKERS = frozenset(
    {
        ("array", "_array_reconstructor"),
        ("array", "array"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("collections", "OrderedDict"),
        ("georouter.answers.tables", "_unpack"),
        ("ipaddress", "IPv4Address"),
        ("ipaddress", "IPv4Network"),
        ("ipaddress", "IPv6Address"),
        ("ipaddress", "IPv6Network"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
    }
)
"""What else may be called: makers of plain values."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A build of the policy at `config`, ranked by `rtt_ms`."""

    config: str
    built: Built
    rtt_ms: Mapping[RegionName, float] = field(default_factory=dict)
    newer: tuple[str, ...] = ()
    """Databases that are other files now than they were: a build would take long."""


def keep(folder: Path, kept: Kept, urgent: Callable[[], bool] = lambda: False) -> bool | None:
    """Write `kept` into the cache folder; False, and a word in the log, where that cannot be.

    None when something `urgent` turned up meanwhile: it may be a GiB, and nothing was written then.
    """
    try:
        with replaced(folder / FILE, durable=False) as file:
            file.write(MAGIC + program() + bytes(_DIGEST))
            counted = _Counted(file, urgent)
            pickle.dump(kept, counted, protocol=pickle.HIGHEST_PROTOCOL)  # in pieces
            file.seek(_START - _DIGEST)
            file.write(counted.digest.digest())
    except SourceError as error:
        event(log, "build.unkept", level=logging.WARNING, error=str(error))
        return False
    except _UrgentError:
        return None
    return True


class _UrgentError(Exception):
    """Somebody waits for the process."""


class _Counted:
    """A file that is written to, and the digest of what was."""

    def __init__(self, file: BinaryIO, urgent: Callable[[], bool]) -> None:
        self._file, self._urgent = file, urgent
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Write a piece."""
        if self._urgent():
            raise _UrgentError
        self._file.write(data)
        self.digest.update(data)


def take(folder: Path, config: Path, *, patient: bool = True) -> Kept | None:
    """What was kept, if a build of `config` would give just that now; None otherwise. Never raises.

    Who is not `patient` gets it too where only databases are newer that take long to load (`newer`).
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            head = file.read(_START)
            if not _is_ours(file) or not head.startswith(MAGIC + program()):
                return None
            if _digest(file) != head[-_DIGEST:]:
                raise ValueError("its checksum is wrong")
            file.seek(_START)
            kept = _Unpickler(file).load()
        if not isinstance(kept, Kept):
            raise TypeError("it holds something else")
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, a build makes a new one
        event(log, "build.unusable", level=logging.WARNING, file=path, error=f"{error}")
        return None
    return _if_current(kept, config, patient=patient)


def program() -> bytes:
    """A digest of what makes builds: versions, and the package's files by size and time."""
    digest = hashlib.sha256()
    digest.update(f"{georouter.__version__} {sys.version} {np.__version__}".encode())
    for folder in sorted(_folders(Path(georouter.__file__).parent)):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_file():
                    status = entry.stat()
                    digest.update(f"{entry.path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.digest()


def _folders(package: Path) -> list[str]:
    """The package's own folders and the built-in map's."""
    found = [str(package)]
    for folder in found:
        with os.scandir(folder) as entries:
            found += [entry.path for entry in entries if entry.is_dir() and entry.name != "__pycache__"]
    return found


def _is_ours(file: BinaryIO) -> bool:
    """Whether nobody else may have written it."""
    status = os.fstat(file.fileno())
    mine = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return mine and stat.S_ISREG(status.st_mode)


def _digest(file: BinaryIO) -> bytes:
    """Of everything behind the head."""
    file.seek(_START)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.digest()


def _if_current(kept: Kept, config: Path, *, patient: bool) -> Kept | None:
    """`kept` with today's stamps of its zone files, if the policy and its databases are what they were."""
    if kept.config != str(config):
        return None
    built = kept.built
    databases = geo_files.fingerprint((*built.policy.geo.databases, *built.policy.geo.asn_databases))
    newer = tuple(path for path, _ in set(databases) - set(built.databases))
    if newer and (patient or _together_bytes(databases) < LARGE_BYTES):
        return None
    try:
        policy_files.settle(config)
        files = policy_files.read_policy(config)
    except (SourceError, PolicyError):
        return None
    zones = tuple(file for file in built.files if file.zone)
    zone_files.settle(zones)
    now: tuple[PolicyFile, ...] = (*files, *zone_files.read_again(zones))
    return replace(kept, built=replace(built, files=now), newer=newer) if now == built.files else None


def _together_bytes(databases: geo_files.Fingerprint) -> int:
    """Of files that are all there; 0 otherwise."""
    stamps = [stamp for _, stamp in databases]
    return 0 if None in stamps else sum(stamp[2] for stamp in stamps if stamp is not None)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _MAKERS:
            return super().find_class(module, name)
        package, _, rest = module.partition(".")
        if package == "georouter" and (rest.partition(".")[0] in _ROOMS or module == __name__):
            found = getattr(import_module(module), name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a build")
