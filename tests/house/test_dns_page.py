"""docs/dns.md promises nothing that no test proves."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/dns.md"
HEAD = ["RFC", "section", "what georouter does", "test"]
OLDER = (1034, 1035, 2181, 2308, 3597, 4343, 4592)
NEWER = (6604, 6672, 6891, 7766, 7871, 8020, 8482, 8906, 8914, 9210)
"""What an authoritative server of this kind is measured by."""


def rows() -> list[list[str]]:
    """The cells of all tables, without heads and rules."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row != HEAD and set(row) != {"---"}]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions in a file."""
    found = ast.walk(ast.parse((ROOT / path).read_text()))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row[:2]))
def test_every_row_names_tests_that_exist(row: list[str]) -> None:
    """A number (or a dash, where no RFC asks for it), a section, a promise, and at least one test."""
    number, section, promise, proofs = row
    assert re.fullmatch(r"\d{4}|-", number)
    assert section
    assert promise
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", proofs)
    assert named
    assert not re.sub(r"`[^`]+`", "", proofs).strip(), "something that is no test"
    assert len(named) == proofs.count("`") // 2
    missing = [f"{path}::{test}" for path, test in named if test not in functions_of(path)]
    assert not missing


def test_what_matters_is_there() -> None:
    """Every RFC of the list has a row; the same promise does not stand twice."""
    numbers = {int(row[0]) for row in rows() if row[0] != "-"}
    assert {*OLDER, *NEWER} <= numbers
    promises = [(row[0], row[2]) for row in rows()]
    assert len(set(promises)) == len(promises)
