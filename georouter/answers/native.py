"""The native answer function, where it was built: that takes a C compiler when georouter is installed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from georouter.answers._tables import Tables
else:
    try:
        from georouter.answers._tables import Tables
    except ImportError:
        Tables = None

__all__ = ["Tables", "available"]


def available() -> bool:
    """Whether there is a native answer function; without one, `Tables` is None."""
    return Tables is not None
