"""Builds the native packet path where there is a C compiler; everything works without it, only slower.

All else about the package is in pyproject.toml.
"""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from Cython.Build import cythonize
except ImportError:  # installed without build requirements: the Python path
    cythonize = None

NATIVE = tuple(
    f"georouter.{name}"
    for name in (
        "answers._memory",
        "answers._directory",
        "answers._tables",
        "answers._respond",
        "server._loop",
    )
)
"""Modules written in Cython."""

HEADERS = ["georouter/server/_loop.h", *sorted(map(str, Path("georouter").rglob("*.pxd")))]
"""Whatever of them changes, all modules are built again: they lay out each other's memory."""

FLAGS = ["-O3", "-g0", "-ffp-contract=off"]
"""Sums of floats come out as in Python, on every processor."""

SUITABLE = sys.byteorder == "little" and sys.maxsize == 2**63 - 1
"""Names are hashed eight octets at a time, lowest first, and the rate limiter's buckets are found by Python's
64-bit hash: elsewhere there is the Python path alone.
"""

WITHOUT = """
georouter was built without its native packet path: UDP is answered in Python, which is slower and uses one
core. For the native path, install a C compiler and the headers of Python (Debian: gcc libc6-dev python3-dev)
and install georouter again. `georouter version` says which path was built.
"""

ELSEWHERE = """
georouter was built without its native packet path, which is for little-endian processors of 64 bits: UDP is
answered in Python.
"""


class Build(build_ext):
    """Says what it means when it was not to be."""

    def run(self) -> None:
        """Build all extensions, or say what works without them."""
        if not SUITABLE:
            self.extensions = []
        super().run()
        missing = [name for name in NATIVE if not Path(self.build_lib, self.get_ext_filename(name)).exists()]
        for name in missing:
            Path(self.get_ext_fullpath(name)).unlink(missing_ok=True)
        if missing:
            self.warn(WITHOUT if SUITABLE else ELSEWHERE)

    def build_extension(self, ext: Extension) -> None:
        """Build one. Where that fails, none is left from before."""
        try:
            super().build_extension(ext)
        except Exception:
            Path(self.build_lib, self.get_ext_filename(ext.name)).unlink(missing_ok=True)
            raise


def extensions() -> list[Extension]:
    """One per module. `optional`: a compiler that is missing or fails is a warning."""
    if cythonize is None:
        return []
    found = [
        Extension(
            name,
            [name.replace(".", "/") + ".pyx"],
            include_dirs=["georouter/server"],
            depends=HEADERS,
            extra_compile_args=FLAGS,
        )
        for name in NATIVE
    ]
    if not SUITABLE:
        return found  # to be left out by `Build`, which says so
    directives = {"language_level": 3, "boundscheck": True, "wraparound": False, "cdivision": True}
    made = cythonize(found, build_dir="build/cython", compiler_directives=directives, quiet=True)
    for extension in made:
        extension.optional = True  # cythonize does not hand it on
    return made


setup(ext_modules=extensions(), cmdclass={"build_ext": Build})
