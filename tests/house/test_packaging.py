"""What is shipped works away from the source tree: sdist, then a wheel made from it, then that alone."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
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
SOURCE_ONLY = {".pyx", ".pxd", ".h"}
NO_COMPILER = {"CC": "/nonexistent/cc"}
SECONDS = 100
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11.2 does not know the filter; later ones warn without it."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """`source` is what was built from, `unpacked` the sdist and `wheel` what its wheel holds."""

    source: Path
    unpacked: Path
    wheel: Path
    tag: str


def run(folder: Path, *words: str, **environment: str) -> str:
    """Run Python in `folder`, with only `environment` added; what it printed."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GEOROUTER"))}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build(source: Path, what: str, out: Path) -> Path:
    """Let setuptools build `what` ("sdist" or "wheel"), and nothing else, from `source`."""
    out.mkdir()
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(out)!r})"
    run(source, "-W", "ignore", "-c", code, **NO_COMPILER)  # with one: tests/live/installed.py
    (built,) = out.iterdir()
    return built


def files(folder: Path) -> set[str]:
    """All files below, those behind links too, but for compiled ones."""
    found = {path for path in folder.glob("**/*") if path.is_file()}
    for link in folder.glob("*"):
        if link.is_symlink():
            found |= {path for path in link.glob("**/*") if path.is_file()}
    return {str(path.relative_to(folder)) for path in found if path.suffix not in {".so", ".pyc"}}


@pytest.fixture(scope="module")
def shipped(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The sdist, and the wheel by way of it."""
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
    built = build(unpacked, "wheel", tmp / "wheel")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp / "installed")
    return Shipped(source, unpacked, tmp / "installed", built.stem.split("-", 2)[2])


@pytest.fixture
def wheel(shipped: Shipped) -> Path:
    """The unpacked wheel."""
    return shipped.wheel


def test_the_sdist_is_what_the_package_is_built_from(shipped: Shipped) -> None:
    """All of georouter with map and policies, what builds it, the licences; nothing made here."""
    beside = {name for name in SOURCES if (shipped.source / name).is_file()}
    package = {f"georouter/{name}" for name in files(shipped.source / "georouter")}
    assert {Path(name).suffix for name in package} >= SOURCE_ONLY
    found = {
        name for name in files(shipped.unpacked) if not name.startswith(("build/", "georouter.egg-info/"))
    }
    assert found == beside | package | {"PKG-INFO", "setup.cfg"}
    assert not list(shipped.unpacked.glob("georouter/**/*.so"))


def test_the_wheel_holds_the_package_and_no_source_of_native_code(shipped: Shipped) -> None:
    """And is for this version of Python on this processor, whether native code could be built or not."""
    package = {name for name in files(shipped.source / "georouter") if Path(name).suffix not in SOURCE_ONLY}
    assert files(shipped.wheel / "georouter") == package
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert shipped.tag == f"{python}-{python}-{platform}"
    assert {path.name.partition("-")[0] for path in shipped.wheel.iterdir()} == {"georouter"}


def test_wheels_are_built_for_every_python_that_is_promised(repository: Path) -> None:
    """The classifiers, and what cibuildwheel builds, on both processors."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    wheels = project["tool"]["cibuildwheel"]
    marked = "Programming Language :: Python :: 3."
    versions = [item.removeprefix(marked) for item in project["project"]["classifiers"] if marked in item]
    assert wheels["build"] == [f"cp3{version}-*" for version in versions]
    assert project["project"]["requires-python"] == f">=3.{versions[0]}"
    assert wheels["linux"]["archs"] == ["x86_64", "aarch64"]


def test_the_wheel_carries_map_policies_and_licences(repository: Path, wheel: Path) -> None:
    """Everything of data/ and config/, as files, with the attribution."""
    for folder, link in (("data", "builtin"), ("config", "examples")):
        found = {path.name for path in (wheel / "georouter" / link).iterdir()}
        assert {path.name for path in (repository / folder).iterdir() if path.is_file()} <= found
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


def test_no_page_has_pip_take_georouter_from_an_index(repository: Path) -> None:
    """There the name is another project's."""
    pages = [*repository.glob("*.md"), *repository.glob("docs/**/*.md")]
    commands = [line for page in pages for line in re.findall(r"pip install [^`\n]*", page.read_text())]
    assert commands
    assert not [line for line in commands if re.search(r"[ '\"]georouter(?![\w./-])", line)]


def test_a_failed_build_leaves_nothing_of_an_earlier_one(shipped: Shipped, tmp_path: Path) -> None:
    """It is said what is missing, and what to do."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    (tmp_path / "georouter/answers").mkdir(parents=True)
    before = tmp_path / f"georouter/answers/_memory{suffix}"
    before.touch()
    os.utime(before, (0, 0))
    said = run(shipped.unpacked, "setup.py", "build_ext", "--build-lib", str(tmp_path), **NO_COMPILER)
    assert "install a C compiler" in said
    assert not before.exists()


@pytest.mark.parametrize("other", ["sys.byteorder = 'big'", "sys.maxsize = 2**31 - 1"])
def test_other_processors_get_the_python_path(shipped: Shipped, tmp_path: Path, other: str) -> None:
    """Native code is for little-endian ones of 64 bits: elsewhere no compiler is asked."""
    command = ["setup.py", "build_ext", "--build-lib", str(tmp_path)]
    code = (
        f"import runpy, sys; sys.argv = {command}; {other}; runpy.run_path('setup.py', run_name='__main__')"
    )
    said = run(shipped.unpacked, "-c", code, **NO_COMPILER)
    assert "little-endian processors of 64 bits" in said
    assert "failed" not in said
    assert not list(tmp_path.rglob("*.so"))
