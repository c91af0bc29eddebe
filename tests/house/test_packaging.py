"""What is shipped works away from the source tree: sdist, then a wheel made from it, then that alone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

SOURCES = (
    "georouter",
    "data",
    "config",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "NOTICE",
)
SECONDS = 100
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11.2 does not know the filter; later ones warn without it."""


def run(folder: Path, *words: str, **environment: str) -> str:
    """Run Python in `folder`, with only `environment` added; its output."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GEOROUTER"))}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, what: str, out: Path) -> Path:
    """Let setuptools build `what` ("sdist" or "wheel"), and nothing else, from `source`."""
    out.mkdir()
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(out)!r})"
    run(source, "-W", "ignore", "-c", code, CC="/nonexistent/cc")  # with one: tests/live/installed.py
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, by way of the sdist."""
    tmp = tmp_path_factory.mktemp("packaging")
    source = tmp / "source"
    source.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        path = repository / name
        if path.is_dir():
            shutil.copytree(path, source / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(path, source / name)
    with tarfile.open(build(source, "sdist", tmp / "sdist")) as archive:
        archive.extractall(tmp / "unpacked", **SAFELY)
    (unpacked,) = (tmp / "unpacked").iterdir()
    native = {path.name for path in repository.glob("georouter/*/*") if path.suffix in {".pyx", ".pxd", ".h"}}
    assert native <= {path.name for path in unpacked.rglob("_*")}
    with zipfile.ZipFile(build(unpacked, "wheel", tmp / "wheel")) as archive:
        archive.extractall(tmp / "installed")
    return tmp / "installed"


def test_the_wheel_carries_map_policies_and_licences(repository: Path, wheel: Path) -> None:
    """Everything of data/ and config/, as files, with the attribution."""
    for folder, link in (("data", "builtin"), ("config", "examples")):
        shipped = {path.name for path in (wheel / "georouter" / link).iterdir()}
        assert {path.name for path in (repository / folder).iterdir() if path.is_file()} <= shipped
        assert not any(path.is_symlink() for path in (wheel / "georouter" / link).iterdir())
    assert (wheel / "georouter/py.typed").exists()
    assert {path.name for path in wheel.rglob("*.dist-info/licenses/*")} == {"LICENSE", "NOTICE"}


def test_without_a_compiler_there_is_the_python_path(wheel: Path, tmp_path: Path) -> None:
    """The build goes through; what was built says so, and why the native path cannot be had."""
    assert not list(wheel.rglob("*.so"))
    said = run(tmp_path, "-m", "georouter", "version", PYTHONPATH=str(wheel))
    assert said.rstrip().endswith("python packet path)")


def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    """The built-in map and the demo policy are found where they were installed."""
    run_there = ("-m", "georouter")
    where = run(tmp_path, "-c", "import georouter; print(georouter.__file__)", PYTHONPATH=str(wheel))
    assert Path(where.strip()).is_relative_to(wheel)
    assert "GB" in run(tmp_path, *run_there, "geo", "lookup", "81.2.69.142", PYTHONPATH=str(wheel))
    demo = wheel / "georouter/examples/demo.yaml"
    run(tmp_path, *run_there, "check", "--config", str(demo), PYTHONPATH=str(wheel))
