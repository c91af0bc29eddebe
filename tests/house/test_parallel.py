"""Tests in several processes: what belongs together stays together, and who wants to be alone is."""

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

MODULE = """
import os, time
import pytest
{mark}
@pytest.mark.parametrize("number", range(3))
def test_usual(number, request):
    tell("alone" if request.node.get_closest_marker("alone") else "usual")

@pytest.mark.alone
def test_alone():
    tell("alone")

def tell(kind):
    began = time.monotonic()
    time.sleep(0.02)
    with open(os.environ["TOLD"], "a") as file:
        worker = os.environ["PYTEST_XDIST_WORKER"]
        print(kind, __name__, worker, began, time.monotonic(), file=file)
"""


def test_a_module_stays_together_and_alone_is_alone(repository: Path, tmp_path: Path) -> None:
    """In two processes: nobody is at work while a test marked `alone` is; one that is, is handed out last."""
    for name in ("tests/conftest.py", "pyproject.toml"):
        shutil.copy(repository / name, tmp_path)
    for name, mark in zip("abcde", ("pytestmark = pytest.mark.alone", "", "", "", ""), strict=True):
        (tmp_path / f"test_{name}.py").write_text(MODULE.replace("{mark}", mark))
    told = tmp_path / "told"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:hypothesispytest", "."],
        cwd=tmp_path,
        env={"TOLD": str(told), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in told.read_text().splitlines()]
    assert len(rows) == 20
    workers = {(module, worker) for _, module, worker, *_ in rows}
    assert len(workers) == 5
    assert len({worker for _, worker in workers}) == 2
    spans = sorted((float(began), float(ended), kind, module) for kind, module, _, began, ended in rows)
    for before, after in pairwise(spans):
        assert before[1] <= after[0] or "alone" not in {before[2], after[2]}
    # the other process may still have another module before it when this one waits for its turn
    order = sorted(
        (float(began), module) for _, module, worker, began, _ in rows if ("test_a", worker) in workers
    )
    assert [module for _, module in order[-4:]] == ["test_a"] * 4
