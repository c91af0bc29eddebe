"""Builds the native packet path where there is a C compiler; everything works without it, only slower.

All else about the package is in pyproject.toml.
"""

from setuptools import Extension, setup

try:
    from Cython.Build import cythonize
except ImportError:  # installed without build requirements: the Python path
    cythonize = None

NATIVE = tuple(f"georouter.answers.{name}" for name in ("_memory", "_directory", "_tables", "_respond"))
"""Modules written in Cython, each with its `.pyx` and `.pxd`."""

FLAGS = ["-O3", "-ffp-contract=off"]
"""Sums of floats come out as in Python, on every processor."""


def extensions() -> list[Extension]:
    """One per module. `optional`: a compiler that is missing or fails is a warning."""
    if cythonize is None:
        return []
    found = [
        Extension(name, [name.replace(".", "/") + ".pyx"], extra_compile_args=FLAGS, optional=True)
        for name in NATIVE
    ]
    directives = {"language_level": 3, "boundscheck": True, "wraparound": False, "cdivision": True}
    return cythonize(found, build_dir="build/cython", compiler_directives=directives, quiet=True)


setup(ext_modules=extensions())
