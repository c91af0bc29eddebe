"""What every resolver needs: where to report, and which names the document defines at all."""

import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from georouter.policy import suggest
from georouter.policy.files import PolicyFile
from georouter.policy.nodes import Path, find
from georouter.policy.report import Report
from georouter.policy.tenants import ReadDirectory
from georouter.words.ids import RegionName

if TYPE_CHECKING:
    from georouter.policy.zonefile.again import Readings


@dataclass(frozen=True, slots=True)
class Context:
    """The names include those of broken pieces, so that one error does not cause others."""

    report: Report
    root: str
    checks: frozenset[str]
    regions: frozenset[str]
    services: frozenset[str]
    zone_files: Mapping[str, PolicyFile] | None
    """By absolute name, tenant files among them; None where nobody asks for what they hold."""
    keys: frozenset[bytes] = frozenset()
    """Keys of the server, in lower-case wire format."""
    readings: "Readings | None" = None
    """Zone files as the last load read them."""
    directories: dict[str, ReadDirectory] = field(default_factory=dict)
    """Tenant directories that were read, by absolute name."""

    def absolute(self, name: str, path: Path) -> str:
        """A file name as an absolute path; relative ones start from the file that `path` stands in."""
        return posixpath.normpath(posixpath.join(self.root, posixpath.dirname(self.file_of(path)), name))

    def file_of(self, path: Path) -> str:
        """The file that `path` stands in."""
        return find(self.report.root, path).node.file

    def where(self, path: Path) -> str:
        """`file:line:column` of `path`."""
        return self.report.where(path)

    def known(self, what: str, name: str, known: Iterable[str], path: Path, *, key: bool = False) -> bool:
        """Whether `name` is among `known`; if not, that is reported with the nearest one."""
        if name in known:
            return True
        self.report.error(path, suggest.unknown(what, name, known), key=key)
        return False

    def region_of(
        self, name: str, allowed: Collection[RegionName], service: str, path: Path, *, key: bool = False
    ) -> bool:
        """Whether a chain may name the region `name`; if not, the reason is reported."""
        if RegionName(name) in allowed:
            return True
        if name in self.regions:
            message = f'region "{name}" is not among the regions of service "{service}"'
            self.report.error(path, message, key=key)
            return False
        return self.known("region", name, allowed, path, key=key)
