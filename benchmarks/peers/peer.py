"""A name server that can be measured: what it is called, whether it is there, how it is started."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import environ
from pathlib import Path

from benchmarks.peers.world import Site

PATH = f"{environ.get('PATH', '')}:/usr/sbin:/sbin"
"""Servers are not on every user's."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`prepare` writes the configuration and gives the command that serves it in the foreground.

    `parts` are files (globs) that must be there besides the program, `packages` those of Debian that bring
    it all. `missing` says in words what else is.
    """

    name: str
    program: str
    prepare: Callable[[Site], list[str]]
    packages: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str | None] = lambda: None
    decides: bool = True
    """Whether it answers at all; the bare echo does not."""

    def absent(self) -> str | None:
        """Why it cannot be measured, None when it can."""
        there = shutil.which(self.program, path=PATH) is not None and all(
            any(Path("/").glob(part[1:])) for part in self.parts
        )
        if not there:
            return f"apt-get install --no-install-recommends {' '.join(self.packages)}"
        return self.missing()
