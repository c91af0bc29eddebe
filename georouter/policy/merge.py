"""The files of a folder as one document: sections merge, the same key in two files is an error."""

from collections.abc import Sequence
from dataclasses import dataclass

from georouter.policy import suggest
from georouter.policy.nodes import Node, Path, describe, path_text
from georouter.policy.report import Report
from georouter.policy.shape import not_yet
from georouter.policy.written import VERSION, Document
from georouter.words.errors import Diagnostic

SECTIONS: tuple[str, ...] = tuple(name for name in Document.model_fields if name != "version")
_DEEP = ("geo", "networks")
"""The one place where merging goes below a section's own keys."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`root` holds the sections of all files. `whole` is False when a section could not be read."""

    root: Node
    whole: bool


def merge(tops: Sequence[Node], report: Report) -> Merged:
    """One mapping with the sections of all files; unknown sections and wrong kinds are reported."""
    first = tops[0]
    merged = Node(first.file, first.line, first.column, {})
    present = {name for top in tops for name, _ in top.items()}
    whole = True
    for top in tops:
        for name, section in top.items():
            if name == "version":
                _version(top.keys[name], section, report)
            elif name not in SECTIONS:
                key = top.keys[name]
                message = not_yet(name) or suggest.unknown("key", name, Document.model_fields)
                report.add(Diagnostic(key.file, key.line, key.column, name, message))
                meant = suggest.nearest(name, SECTIONS)
                whole = whole and (meant is None or meant in present)
                continue
            whole = _section(merged, name, top.keys[name], section, report) and whole
    if merged.get("version") is None:
        where = first.file, first.line, first.column
        report.add(Diagnostic(*where, "", f'"version" is missing; start with "version: {VERSION}"'))
    return Merged(merged, whole)


def _version(key: Node, section: Node, report: Report) -> None:
    if section.value != VERSION or isinstance(section.value, bool):
        found = describe(section.value)
        message = f"this program reads version {VERSION} of the policy format, found {found}"
        report.add(Diagnostic(key.file, section.line, section.column, "version", message))


def _section(merged: Node, name: str, key: Node, section: Node, report: Report) -> bool:
    expected: type = list if name == "tests" else dict
    if name != "version" and section.value is not None and not isinstance(section.value, expected):
        what = "list" if expected is list else "mapping"
        message = f"expected a {what}, found {describe(section.value)}"
        report.add(Diagnostic(section.file, section.line, section.column, name, message))
        return False
    if not isinstance(merged.value, dict):
        return False
    known = merged.value.get(name)
    if known is None or known.value is None:
        merged.value[name] = _own(section)
        merged.keys[name] = key
    elif isinstance(known.value, list) and isinstance(section.value, list):
        known.value.extend(section.value)
    elif isinstance(section.value, dict):
        _entries(known, section, (name,), report)
    return True


def _own(section: Node) -> Node:
    """A copy whose entries can be added to without changing what an alias shares."""
    copy = Node(section.file, section.line, section.column, section.value, section.text)
    if isinstance(section.value, dict):
        copy.value, copy.keys = dict(section.value), dict(section.keys)
    elif isinstance(section.value, list):
        copy.value = list(section.value)
    return copy


def _entries(into: Node, section: Node, path: Path, report: Report) -> None:
    if not isinstance(into.value, dict):
        return
    for name, node in section.items():
        key, known = section.keys[name], into.value.get(name)
        if known is None:
            into.value[name], into.keys[name] = node, key
        elif (*path, name) == _DEEP and isinstance(known.value, dict) and isinstance(node.value, dict):
            into.value[name] = _own(known)
            _entries(into.value[name], node, (*path, name), report)
        else:
            other = into.keys[name]
            message = f"is already defined at {other.file}:{other.line}:{other.column}"
            report.add(Diagnostic(key.file, key.line, key.column, path_text((*path, name)), message))
