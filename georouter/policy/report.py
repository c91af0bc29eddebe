"""Collecting what is wrong: every finding becomes a `Diagnostic` at its place in the files."""

from georouter.policy.nodes import Node, Path, find, path_text
from georouter.words.errors import Diagnostic, Severity


class Report:
    """All findings of one load. `root` is the merged document, which paths start from."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._found: dict[Diagnostic, None] = {}

    def error(self, path: Path, message: str, *, key: bool = False) -> None:
        """Something that makes the policy unusable; `key` points at the key instead of its value."""
        self._add(path, message, Severity.ERROR, key)

    def warn(self, path: Path, message: str, *, key: bool = False) -> None:
        """Something that works but is likely not meant."""
        self._add(path, message, Severity.WARNING, key)

    def add(self, diagnostic: Diagnostic) -> None:
        """A finding that already has its place."""
        self._found[diagnostic] = None

    def _add(self, path: Path, message: str, severity: Severity, key: bool) -> None:
        found = find(self.root, path)
        mark = found.key if key and found.key is not None else found.node
        self.add(Diagnostic(mark.file, mark.line, mark.column, path_text(found.path), message, severity))

    @property
    def failed(self) -> bool:
        """Whether any error was found."""
        return any(item.severity is Severity.ERROR for item in self._found)

    def all(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings in file order."""
        return tuple(sorted(self._found))

    def warnings(self) -> tuple[Diagnostic, ...]:
        """Warnings alone, in file order."""
        return tuple(item for item in self.all() if item.severity is Severity.WARNING)
