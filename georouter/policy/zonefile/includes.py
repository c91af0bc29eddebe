"""Which files a policy's zones are written in: what `file:` and `$INCLUDE` name.

A policy is loaded from texts alone; whoever reads files asks here which ones.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from georouter.policy import yaml
from georouter.policy.files import PolicyFile

_MENTION = re.compile(r"\bfile[\"']?\s*:")
_INCLUDE = re.compile(r"""\$INCLUDE[ \t]+(?:"([^"\n]+)"|([^\s;"()]+))""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ZoneSource:
    """A zone file that the policy names. `folders` are where its `$INCLUDE` may reach."""

    name: str
    folders: tuple[str, ...]


def zone_sources(files: Sequence[PolicyFile], root: str = "/") -> tuple[ZoneSource, ...]:
    """The zone files that these policy files name, once each. What makes no sense is left to `load`."""
    found: dict[str, ZoneSource] = {}
    for file in files:
        if file.zone or not _MENTION.search(file.text):
            continue
        top = yaml.parse(file.name, file.text, lambda _: None)
        zones = top.get("zones") if top is not None else None
        for _, zone in zones.items() if zones is not None else ():
            named = zone.get("file")
            if named is not None and isinstance(named.value, str) and named.value:
                source = zone_source(named.value, named.file, root)
                found.setdefault(source.name, source)
    return tuple(found.values())


def zone_source(name: str, file: str, root: str) -> ZoneSource:
    """The zone file that the policy file `file` calls `name`."""
    folder = posixpath.normpath(posixpath.join(root, posixpath.dirname(file)))
    path = posixpath.normpath(posixpath.join(folder, name))
    own = posixpath.dirname(path)
    return ZoneSource(path, (folder,) if _is_below(path, folder) else (folder, own))


def included(text: str, name: str) -> Iterator[str]:
    """The paths that a zone file's `$INCLUDE` lines name, relative ones from its own folder."""
    at = text.find("$")
    while at >= 0:
        if at == 0 or text[at - 1] == "\n":
            found = _INCLUDE.match(text, at)
            if found is not None:
                yield included_path(found[1] or found[2], name)
        at = text.find("$", at + 1)


def included_path(written: str, name: str) -> str:
    """The path that the zone file `name` calls `written`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), written))


def is_allowed(path: str, source: ZoneSource) -> bool:
    """Whether a zone's files may be read from `path`: below the policy's folder or the zone file's own.

    Zone files come from many hands; no line of one of them makes this program read another's secrets.
    """
    return any(_is_below(path, folder) for folder in source.folders)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
