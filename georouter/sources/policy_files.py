"""Policy files on disk: one file, or a folder of `*.yaml` and `*.yml`, with the zone files they name."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from georouter.policy.files import PolicyFile, Stamp
from georouter.sources import zone_files
from georouter.sources.reading import whole
from georouter.words.errors import Diagnostic, PolicyError, SourceError

LARGEST_FILE_BYTES = 64 * 1024 * 1024
"""More than any policy `policy.yaml` accepts; bounds what is read into memory."""

STANDARD_PLACES: tuple[Path, ...] = (Path("georouter.yaml"), Path("/etc/georouter/georouter.yaml"))
"""Where the policy is looked for when nobody names it; the first that exists is used."""

QUIET_S, PATIENCE_S = 0.05, 1.0
"""For `settle`: longer than a file takes to be written from memory; a reload is to take 3 s at most."""

VARIABLE = "GEOROUTER_CONFIG"


def read(path: Path) -> tuple[PolicyFile, ...]:
    """The policy at `path` as `read_policy` gives it, followed by the zone files it names."""
    files = read_policy(path)
    return (*files, *zone_files.gather(files))


def read_settled(path: Path) -> tuple[PolicyFile, ...]:
    """As `read`, once nobody is writing (see `settle`)."""
    settle(path)
    files = read(path)
    return read(path) if zone_files.settle(files) else files


def read_policy(path: Path) -> tuple[PolicyFile, ...]:
    """The file at `path`, or the policy files of the folder in the order of their names.

    File names in the result are absolute (links are not followed, so that they stay what the
    operator knows them by). Files whose name starts with a dot are left out; a link to nowhere is
    not, because the policy would be another one without it. Raises SourceError when something cannot
    be read and PolicyError when a file is not UTF-8.
    """
    try:
        files = _listed(path) if path.is_dir() else [path]
        if not files:
            raise SourceError(f"{path}: the folder holds no *.yaml or *.yml file")
        raw = [(str(file.absolute()), *_bytes(file)) for file in files]
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    return tuple(_decoded(raw))


def settle(path: Path) -> None:
    """Wait while the policy at `path` is being written: an editor or a copy in place shows half a file.

    Until nothing was written for `QUIET_S`, `PATIENCE_S` at most. Half a file may well be a policy, one
    without the names in its other half. Replacing files by rename shows nobody half of one.
    """
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        written = _written(path)
        wait_s = written + QUIET_S - time.time()
        if not 0.0 < wait_s <= QUIET_S:  # quiet, or written in the future of a clock that was set
            return
        time.sleep(wait_s)


def written_at(files: Iterable[PolicyFile], now: float) -> int:
    """The policy's own time in Unix seconds: when the youngest of its files was written, `now` at the latest.

    `now`, too, where nothing tells: files that were kept as the last good ones have no time of their own.
    """
    times = [file.stamp[3] for file in files if file.stamp]
    return int(min(max(times) / 1e9, now) if times else now)


def find_config(option: str | None, environ: Mapping[str, str]) -> Path:
    """Where the policy is: the command line's option, `$GEOROUTER_CONFIG`, or a standard place.

    A place that was named is returned whether it exists or not. Raises SourceError when nothing was
    named and no standard place exists.
    """
    named = option or environ.get(VARIABLE)
    if named:
        return Path(named)
    for place in STANDARD_PLACES:
        if place.exists():
            return place
    looked = ", ".join(f"./{place}" if not place.is_absolute() else str(place) for place in STANDARD_PLACES)
    raise SourceError(f"no policy found: give --config, set {VARIABLE}, or create one of {looked}")


def _written(path: Path) -> float:
    """When the youngest of the policy's files was written; 0 when that cannot be told."""
    try:
        return max(
            (file.stat().st_mtime for file in (_listed(path) if path.is_dir() else [path])), default=0.0
        )
    except OSError:
        return 0.0


def _listed(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix in (".yaml", ".yml")
        and not file.name.startswith(".")
        and (file.is_file() or (file.is_symlink() and not file.exists()))
    )


def _bytes(file: Path) -> tuple[bytes, Stamp]:
    data, status = whole(file, LARGEST_FILE_BYTES)
    if len(data) > LARGEST_FILE_BYTES:
        raise SourceError(f"{file}: is larger than {LARGEST_FILE_BYTES // 1024 // 1024} MiB")
    return data, zone_files.stamp(status)


def _decoded(raw: list[tuple[str, bytes, Stamp]]) -> list[PolicyFile]:
    files: list[PolicyFile] = []
    problems: list[Diagnostic] = []
    for name, data, stamp in raw:
        try:
            files.append(PolicyFile(name, data.decode("utf-8"), stamp=stamp))
        except UnicodeDecodeError as error:
            problems.append(_not_utf8(name, data, error.start))
    if problems:
        raise PolicyError(problems)
    return files


def _not_utf8(name: str, data: bytes, at: int) -> Diagnostic:
    line_start = data.rfind(b"\n", 0, at) + 1
    line = data.count(b"\n", 0, at) + 1
    column = len(data[line_start:at].decode("utf-8", "replace")) + 1
    return Diagnostic(
        name, line, column, "", f"the byte 0x{data[at]:02X} is not UTF-8; save the file as UTF-8"
    )
