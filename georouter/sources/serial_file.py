"""`serials.json`: the serial that every zone had last, so that it never falls across a restart."""

import json
from collections.abc import Mapping
from pathlib import Path

from georouter.compiler.serials import Numbered
from georouter.sources.atomic import write_atomically
from georouter.wire.serials import WRAP
from georouter.words.ids import ZoneName

SERIALS_FILE = "serials.json"
FORMAT = 1
SIZE_LIMIT_BYTES = 64 * 1024 * 1024
"""Half a million zones."""


def save(directory: Path, known: Mapping[ZoneName, Numbered]) -> None:
    """Write what is known (on disk when this returns). SourceError when it cannot be."""
    zones = {name: [item.serial, item.digest] for name, item in known.items()}
    text = json.dumps({"format": FORMAT, "zones": zones}, separators=(",", ":"))
    write_atomically(directory / SERIALS_FILE, text.encode())


def load(directory: Path) -> dict[ZoneName, Numbered]:
    """What was saved; entries that make no sense are left out, and a file that does is as good as none."""
    try:
        with (directory / SERIALS_FILE).open("rb") as stream:
            document = json.loads(stream.read(SIZE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    zones = document.get("zones") if isinstance(document, dict) else None
    if not isinstance(zones, dict) or document.get("format") != FORMAT:
        return {}
    found: dict[ZoneName, Numbered] = {}
    for name, item in zones.items():
        match item:
            case [int(serial), str(digest)] if 0 <= serial < WRAP and not isinstance(serial, bool):
                found[ZoneName(name)] = Numbered(digest, serial)
    return found
