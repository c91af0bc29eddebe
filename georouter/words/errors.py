"""Errors, by who must act on them.

`PolicyError`: the operator edits a file; it carries every problem found, not the first.
`WireError`: the client sent something; it carries the response code it earned.
`SourceError`: the environment (a file, a database, a disk); the last good state stays in use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class GeorouterError(Exception):
    """Everything this program raises on purpose."""


def printable(text: str) -> str:
    """`text` with a backslash escape for every character that moves a cursor or is none at all."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


class Severity(StrEnum):
    """How bad a diagnostic is: an error stops the load, a warning does not (unless `--strict`)."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One problem in one place of one file. `line` and `column` count from 1; 0 means unknown.

    What `path` and `message` quote of a file is escaped where it cannot be printed.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", printable(self.path))
        object.__setattr__(self, "message", printable(self.message))

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        path = f"{self.path}: " if self.path else ""
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{where}: {warning}{path}{self.message}"


class PolicyError(GeorouterError):
    """The policy cannot be used. `diagnostics` holds all of its problems in file order."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n".join(str(item) for item in self.diagnostics))


class WireError(GeorouterError):
    """A message that cannot be answered as asked. `rcode` is what the client gets."""

    def __init__(self, rcode: int, reason: str) -> None:
        self.rcode = rcode
        super().__init__(reason)


class SourceError(GeorouterError):
    """Something outside the program (file, database, socket) is not as it should be."""
