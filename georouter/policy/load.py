"""Policy files to a `Policy`: all problems of all files at once, or the finished model."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath

from georouter.policy import lint, yaml
from georouter.policy.files import PolicyFile
from georouter.policy.merge import merge
from georouter.policy.model import Policy
from georouter.policy.nodes import Node
from georouter.policy.report import Report
from georouter.policy.resolve import document
from georouter.policy.zonefile.again import Readings
from georouter.words.errors import Diagnostic, PolicyError

__all__ = ["Loaded", "PolicyFile", "load"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy that can be used, and what is likely not meant in it."""

    policy: Policy
    warnings: tuple[Diagnostic, ...] = ()


def load(
    files: Sequence[PolicyFile],
    *,
    root: str | PathLike[str] = "/",
    zone_files: bool = True,
    readings: Readings | None = None,
) -> Loaded:
    """Read, merge, check and resolve `files`.

    Among them are the zone files that the policy names (`zonefile.includes` tells which). `root` is the
    absolute folder that relative file names start from; `sources.policy_files` gives absolute ones. Without
    `zone_files` these are left out: for who asks for anything but the records. Who loads
    again and again gives `readings`, so that zone files with the same text are read once.

    Raises PolicyError with every problem in file order (and the warnings found so far).
    """
    written = [file for file in files if not file.zone]
    if not written:
        raise PolicyError([Diagnostic(fspath(root), 0, 0, "", "there is no policy file here")])
    report = Report(Node(written[0].name, 1, 1, {}))
    tops = [yaml.parse(file.name, file.text, report.add) for file in written]
    readable = [top for top in tops if top is not None]
    if not readable:
        raise PolicyError(report.all())
    merged = merge(readable, report)
    report.root = merged.root
    pieces = document.read(report.root, report)
    if len(readable) < len(tops) or not merged.whole:
        # Names that the unreadable parts define would all look unknown.
        raise PolicyError(report.all())
    given = {file.name: file for file in files if file.zone} if zone_files else None
    policy = document.resolve(pieces, report, fspath(root), given, readings)
    if readings is not None:
        readings.end()
    if not report.failed:
        lint.lint(policy, report)
    if report.failed:
        raise PolicyError(report.all())
    return Loaded(policy, report.warnings())
