"""Tenant files as text: which ones a policy names, and their rows.

A policy is loaded from texts alone; whoever reads files asks here which ones. The rows of an SQLite table
come as CSV, made by who reads it; its first row is line 1.
"""

import csv
import io
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import TypeAlias

from georouter.policy import suggest, yaml
from georouter.policy.files import PolicyFile
from georouter.policy.nodes import describe

COLUMNS = ("tenant", "home", "residency", "state", "moving_to")
TABLE = "tenants"
"""The table of an SQLite file."""

_MENTION = re.compile(r"\bdirectory[\"']?\s*:")
_SPACE = re.compile(r"\s*")

Living: TypeAlias = tuple[str, str, str, str]
"""Home, residency, state, moving_to, as they are written; empty where nothing is."""
Row: TypeAlias = tuple[int, str, Living]
"""Line, tenant, how it lives."""
Tell: TypeAlias = Callable[[int, str], None]
"""Report a problem of a line."""


class Format(StrEnum):
    """How a tenant file is written."""

    CSV = "csv"
    JSON = "json"
    SQLITE = "sqlite"


_FORMATS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".db": Format.SQLITE,
    ".sqlite": Format.SQLITE,
    ".sqlite3": Format.SQLITE,
}
ENDINGS = ", ".join(_FORMATS)


def format_of(name: str) -> Format | None:
    """What the name's ending says."""
    return _FORMATS.get(posixpath.splitext(name)[1].lower())


def tenant_sources(files: Sequence[PolicyFile], root: str = "/") -> tuple[str, ...]:
    """The absolute names of the tenant files that these policy files name, but for what makes no sense."""
    found: dict[str, None] = {}
    for file in files:
        if file.zone or not _MENTION.search(file.text):
            continue
        top = yaml.parse(file.name, file.text, lambda _: None)
        services = top.get("services") if top is not None else None
        for _, service in services.items() if services is not None else ():
            chain = service.get("chain")
            for step in chain.value if chain is not None and isinstance(chain.value, list) else ():
                pin = step.get("pin")
                named = pin.get("directory") if pin is not None else None
                if named is not None and isinstance(named.value, str) and format_of(named.value):
                    folder = posixpath.join(root, posixpath.dirname(named.file))
                    found[posixpath.normpath(posixpath.join(folder, named.value))] = None
    return tuple(found)


def rows(text: str, form: Format, tell: Tell) -> Iterator[Row]:
    """The rows of a file; those that are none are told."""
    if form is Format.JSON:
        return _json_rows(text.removeprefix("\ufeff"), tell)
    return _csv_rows(text.removeprefix("\ufeff"), tell, -1 if form is Format.SQLITE else 0)


def _csv_rows(text: str, tell: Tell, before: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        header = next(reader, [])
        places = _places([cell.strip().lower() for cell in header], tell)
        if places is None:
            return
        width = len(header)
        pick = itemgetter(*(place if place >= 0 else width for place in places))
        for cells in reader:
            if not cells or cells[0].startswith("#"):
                continue
            line = reader.line_num + before
            if len(cells) != width:
                tell(line, f"expected {width} columns as in the header, found {len(cells)}")
                continue
            cells.append("")
            tenant, home, residency, state, moving_to = map(str.strip, pick(cells))
            yield line, tenant, (home, residency, state, moving_to)
    except csv.Error as error:
        tell(reader.line_num + before, f"not CSV: {error}")


def _places(header: list[str], tell: Tell) -> list[int] | None:
    """Where each of `COLUMNS` stands; -1 for one that is left out."""
    wrong = [name for name in header if name not in COLUMNS]
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = [name for name in COLUMNS[:2] if name not in header]
    for name in wrong:
        tell(1, suggest.unknown("column", name, COLUMNS))
    for name in twice:
        tell(1, f'the column "{name}" is there twice')
    if missing and not wrong:
        tell(1, f"the first line names the columns, {','.join(COLUMNS)}; missing: {', '.join(missing)}")
    if wrong or twice or missing:
        return None
    return [header.index(name) if name in header else -1 for name in COLUMNS]


class _Lines:
    """Line numbers of ascending positions in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def of(self, at: int) -> int:
        """The line that position `at` is in."""
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line


def _json_rows(text: str, tell: Tell) -> Iterator[Row]:
    """`{"acme": {"home": "eu"}}`, `{"acme": "eu"}`, or `[{"tenant": "acme", "home": "eu"}]`."""
    decode, lines = json.JSONDecoder().raw_decode, _Lines(text)
    at = _skip(text, 0)
    opening = text[at : at + 1]
    if opening not in ("[", "{"):
        tell(lines.of(at), "expected a list of tenants, or an object with one key for each")
        return
    closing = "]" if opening == "[" else "}"
    try:
        at = _skip(text, at + 1)
        while text[at : at + 1] != closing:
            line, key = lines.of(at), None
            value, at = decode(text, at)
            if opening == "{":
                key, at = value, _expect(text, at, ":")
                value, at = decode(text, at)
            row = _entry(key, value, line, tell)
            if row is not None:
                yield row
            at = _skip(text, at)
            if text[at : at + 1] != closing:
                at = _expect(text, at, ",")
        if _skip(text, at + 1) != len(text):
            tell(lines.of(at + 1), "there is more after the end")
    except (ValueError, RecursionError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else at
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        tell(text.count("\n", 0, at) + 1, f"not JSON: {message}")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"expected '{mark}'", text, at)
    return _skip(text, at + 1)


def _entry(key: object, value: object, line: int, tell: Tell) -> Row | None:
    """One tenant of a JSON file."""
    if key is not None:
        fields = {"home": value} if isinstance(value, str) else value
        if not isinstance(key, str) or not isinstance(fields, dict):
            tell(line, f'expected a home or an object such as {{"home": "eu-west"}}, found {describe(value)}')
            return None
        value = {"tenant": key, **fields}
    if not isinstance(value, dict):
        tell(line, f'expected an object such as {{"tenant": "acme", "home": ...}}, found {describe(value)}')
        return None
    texts: list[str] = []
    for name in value:
        if name not in COLUMNS:
            tell(line, suggest.unknown("key", str(name), COLUMNS))
            return None
    for name in COLUMNS:
        found = value.get(name, "")
        if name == "residency" and isinstance(found, list) and all(isinstance(item, str) for item in found):
            found = " ".join(found)
        if found is not None and not isinstance(found, str):
            tell(line, f"{name}: expected a text, found {describe(found)}")
            return None
        texts.append((found or "").strip())
    return line, texts[0], (texts[1], texts[2], texts[3], texts[4])
