"""Builds the native packet path where there is a C compiler; everything works without it, only slower.

All else about the package is in pyproject.toml.
"""

from setuptools import Extension, setup

try:
    from Cython.Build import cythonize
except ImportError:  # installed without build requirements: the Python path
    cythonize = None

NATIVE = ("georouter.answers._tables", "georouter.answers._respond", "georouter.server._loop")
"""Modules written in Cython, each with its `.pyx` and `.pxd`."""


def extensions() -> list[Extension]:
    """One per module. `optional`: a compiler that is missing or fails is a warning."""
    if cythonize is None:
        return []
    found = [
        Extension(
            name,
            [name.replace(".", "/") + ".pyx"],
            include_dirs=["georouter/server"],
            depends=["georouter/server/_loop.h"],
            extra_compile_args=["-O3"],
            optional=True,
        )
        for name in NATIVE
    ]
    directives = {"language_level": 3, "boundscheck": True, "wraparound": False, "cdivision": True}
    return cythonize(found, build_dir="build/cython", compiler_directives=directives, quiet=True)


setup(ext_modules=extensions())
