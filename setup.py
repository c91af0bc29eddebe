"""Builds the native packet path where there is a C compiler; everything works without it, only slower.

All else about the package is in pyproject.toml.
"""

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

WITHOUT = """
georouter was built without its native packet path: UDP is answered in Python, which is slower and uses one
core. For the native path, install a C compiler and the headers of Python (Debian: gcc libc6-dev python3-dev)
and install georouter again. `georouter version` says which path was built.
"""


class Build(build_ext):
    """Says what it means when it was not to be."""

    def run(self) -> None:
        """Build all extensions, or none that could be used."""
        super().run()
        if not all(Path(self.get_ext_fullpath(name)).exists() for name in NATIVE):
            self.warn(WITHOUT)


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
    directives = {"language_level": 3, "boundscheck": True, "wraparound": False, "cdivision": True}
    made = cythonize(found, build_dir="build/cython", compiler_directives=directives, quiet=True)
    for extension in made:
        extension.optional = True  # cythonize does not hand it on
    return made


setup(ext_modules=extensions(), cmdclass={"build_ext": Build})
