"""Every room is one noun and one sentence, and its tests stand where its modules do."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "georouter"
TESTS = PACKAGE.parent / "tests"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
NATIVE = sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".pyx", ".pxd", ".h"})
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "shared", "stuff"}
"""Names that say nothing; things in them have a better home."""
LONGEST_MODULE = 500
"""Lines, tables not counted. From about 400 on, look for the second noun."""
LONGEST_LINE = 110
"""Characters; in Python the linter looks after it."""
LONGEST_FUNCTION = 100
"""Lines. From about 50 on, look for the second verb; the packet path may be unrolled."""


def relative(path: Path) -> str:
    """A short name for test ids and messages."""
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("room", ROOMS, ids=relative)
def test_a_room_says_what_it_is_in_one_line(room: Path) -> None:
    """The `__init__` of a room holds its sentence and nothing that runs."""
    tree = ast.parse((room / "__init__.py").read_text())
    sentence = ast.get_docstring(tree)
    assert sentence, "the room says nothing"
    assert len(sentence.splitlines()) == 1
    assert sentence.endswith(".")
    assert len(tree.body) == 1, "importing a room must run nothing"


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_a_module_is_one_thing(module: Path) -> None:
    """No drawers, a docstring, and a size that can be read in one go."""
    text = module.read_text()
    tree = ast.parse(text)
    assert module.stem not in DRAWERS
    assert ast.get_docstring(tree), "what is it for?"
    tables = sum(
        (node.end_lineno or 0) - node.lineno
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )
    assert len(text.splitlines()) - tables <= LONGEST_MODULE


@pytest.mark.parametrize("module", NATIVE, ids=relative)
def test_a_native_module_is_one_thing_too(module: Path) -> None:
    """What no linter reads: a beginning that says what it is for, and the sizes of Python's modules."""
    lines = module.read_text().splitlines()
    assert re.match(r'""|# |/\*', lines[0]), "what is it for?"
    assert len(lines) <= LONGEST_MODULE
    wide = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not wide, f"{relative(module)}: lines {wide} have more than {LONGEST_LINE} characters"


def test_functions_are_one_thing() -> None:
    """No function has grown beyond what can be held in one's head."""
    long = [
        f"{relative(module)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_tests_mirror_rooms() -> None:
    """`tests/<room>/test_<module>.py`, so that both are found from either side.

    A file may also be about the whole room, its properties, or a page of docs/ that it keeps true.
    """
    rooms = {room.name for room in ROOMS}
    pages = [page.stem for page in (PACKAGE.parent / "docs").glob("*.md")]
    for path in TESTS.glob("*/test_*.py"):
        room = path.parent.name
        assert room in rooms | {"house", "live", "fuzz", "config", "grafana"}, relative(path)
        if room in rooms:
            subjects = [module.stem for module in (PACKAGE / room).rglob("*.py")] + [
                room,
                "properties",
                *pages,
            ]
            stem = path.stem.removeprefix("test_")
            assert any(re.match(rf"{subject}(_|$)", stem) for subject in subjects), (
                f"{relative(path)} names nothing in georouter/{room}"
            )


def test_every_test_says_what_it_proves() -> None:
    """A one-line docstring on each test, so that a failure reads as a sentence."""
    silent = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)
