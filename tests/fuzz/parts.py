"""Several files in one input, and what every loading of a policy keeps to."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from georouter.policy import yaml
from georouter.policy.files import PolicyFile
from georouter.policy.load import Loaded, load
from georouter.policy.resolve import ledger
from georouter.policy.zonefile import read
from georouter.words.errors import Diagnostic, PolicyError

SEPARATOR = b"\n%%%\n"
"""Between the files of one input."""
FOLDER = "/etc/g"
_YAML_LINE = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ZONE_LINE = re.compile("\n")
MOST_DIAGNOSTICS = 20_000


def split(data: bytes) -> list[str]:
    """The texts of an input, octets that are not UTF-8 as zone files have them."""
    return [part.decode("utf-8", "surrogateescape") for part in data.split(SEPARATOR)]


@contextmanager
def lowered() -> Iterator[None]:
    """Bounds on sizes, low enough that small inputs reach them."""
    with (
        patch.object(read, "MOST_GENERATED", 300),
        patch.object(read, "MOST_FILES", 20),
        patch.object(read, "LARGEST_ZONE", 500),
        patch.object(ledger, "LARGEST_ZONE", 500),
        patch.object(yaml, "LARGEST_EXPANSION", 3000),
        patch.object(yaml, "LARGEST_ALIASED", 1000),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        yield


def try_load(files: Sequence[PolicyFile]) -> Loaded | tuple[Diagnostic, ...]:
    """The policy, or every reason why there is none; both with positions that can be gone to."""
    try:
        with lowered():
            loaded = load(files, root=FOLDER)
    except PolicyError as error:
        assert any(item.severity == "error" for item in error.diagnostics)
        check_places(error.diagnostics, files)
        return error.diagnostics
    assert all(item.severity == "warning" for item in loaded.warnings)
    check_places(loaded.warnings, files)
    return loaded


def check_places(found: Sequence[Diagnostic], files: Sequence[PolicyFile]) -> None:
    """Every finding has a message, and stands in a line and column that the file has."""
    assert len(found) <= MOST_DIAGNOSTICS
    lines = {file.name: (_ZONE_LINE if file.zone else _YAML_LINE).split(file.text) for file in files}
    for item in found:
        assert item.message
        assert item.message.isprintable(), item
        assert item.path.isprintable(), item
        if item.line == 0 and (item.file == FOLDER or item.message.endswith("more like these")):
            continue
        assert item.file in lines, item
        assert 0 < item.line <= len(lines[item.file]), (item, len(lines[item.file]))
        assert 0 <= item.column <= len(lines[item.file][item.line - 1]) + 1, item
