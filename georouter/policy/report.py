"""Collecting what is wrong: every finding becomes a `Diagnostic` at its place in the files."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from georouter.policy.nodes import Node, Path, find, path_text
from georouter.words.errors import Diagnostic, Severity

MOST_OF_ONE_FILE = 200
"""Findings of one zone file that are listed, per severity: a wrong origin makes a million of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A place in a zone file."""

    file: str
    line: int


Place: TypeAlias = Path | Line
"""Where something was written: in the document, or in a zone file."""


class Report:
    """All findings of one load. `root` is the merged document, which paths start from."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._found: dict[Diagnostic, None] = {}
        self._of_file: Counter[tuple[str, Severity]] = Counter()

    def error(self, place: Place, message: str, *, key: bool = False) -> None:
        """Something that makes the policy unusable; `key` points at the key instead of its value."""
        self._add(place, message, Severity.ERROR, key)

    def warn(self, place: Place, message: str, *, key: bool = False) -> None:
        """Something that works but is likely not meant."""
        self._add(place, message, Severity.WARNING, key)

    def add(self, diagnostic: Diagnostic) -> None:
        """A finding that already has its place."""
        self._found[diagnostic] = None

    def where(self, place: Place) -> str:
        """`file:line:column`, or `file:line` in a zone file."""
        if isinstance(place, Line):
            return f"{place.file}:{place.line}"
        node = find(self.root, place).node
        return f"{node.file}:{node.line}:{node.column}"

    def _add(self, place: Place, message: str, severity: Severity, key: bool) -> None:
        if isinstance(place, Line):
            self._add_line(place, message, severity)
            return
        found = find(self.root, place)
        mark = found.key if key and found.key is not None else found.node
        self.add(Diagnostic(mark.file, mark.line, mark.column, path_text(found.path), message, severity))

    def _add_line(self, place: Line, message: str, severity: Severity) -> None:
        self._of_file[place.file, severity] += 1
        if self._of_file[place.file, severity] <= MOST_OF_ONE_FILE:
            self.add(Diagnostic(place.file, place.line, 0, "", message, severity))

    @property
    def findings(self) -> int:
        """How many there are so far; more after every further one."""
        return len(self._found) + self._of_file.total()

    @property
    def failed(self) -> bool:
        """Whether any error was found."""
        return any(item.severity is Severity.ERROR for item in self._found)

    def all(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings in file order."""
        return tuple(sorted([*self._found, *self._unlisted()]))

    def warnings(self) -> tuple[Diagnostic, ...]:
        """Warnings alone, in file order."""
        return tuple(item for item in self.all() if item.severity is Severity.WARNING)

    def _unlisted(self) -> list[Diagnostic]:
        """How many findings of a file are not listed one by one."""
        return [
            Diagnostic(file, 0, 0, "", f"{count - MOST_OF_ONE_FILE} more like these", severity)
            for (file, severity), count in self._of_file.items()
            if count > MOST_OF_ONE_FILE
        ]
