"""Below the purity line nothing reads a file, a clock, a random source or the environment.

The import contracts keep the modules out; this keeps out what needs no import.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "georouter"
PURE = ("analysis", "compiler", "routing", "policy", "facts", "geo", "answers", "wire", "words")
MODULES = sorted(path for room in PURE for path in (PACKAGE / room).rglob("*.py"))
CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}
METHODS = {
    "now",
    "utcnow",
    "today",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "fromfile",
    "tofile",
}


def impurities(tree: ast.Module) -> Iterator[str]:
    """What in `tree` depends on more than its arguments."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"line {node.lineno}: {name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
                yield f"line {node.lineno}: .{name}()"
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random" | "memmap"):
                yield f"line {node.lineno}: numpy.{node.attr}"
            case ast.Import(names=names) if "os" in {item.name for item in names}:
                yield f"line {node.lineno}: import os"
            case ast.ImportFrom(module="os", names=names) if {n.name for n in names} - {"PathLike", "fspath"}:
                yield f"line {node.lineno}: from os"
            case ast.Global():
                yield f"line {node.lineno}: global {', '.join(node.names)}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_depends_on_its_arguments_only(module: Path) -> None:
    """Time, randomness and bytes come in as arguments; results go out."""
    assert not list(impurities(ast.parse(module.read_text())))


@pytest.mark.parametrize("line", ["open('x')", "datetime.now(UTC)", "np.random.default_rng()", "print(1)"])
def test_the_rule_sees(line: str) -> None:
    """The rule above is not blind."""
    assert list(impurities(ast.parse(line)))
