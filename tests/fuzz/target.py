"""What the harness knows of a target, and the targets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

NAMES = (
    "messages",
    "native",
    "signed",
    "edns",
    "tsig",
    "names",
    "rdata",
    "zonefiles",
    "policies",
    "state",
    "overlay",
    "mmdb",
    "geomap",
    "http",
    "admin",
)
"""The modules of this folder that are targets."""


@dataclass(frozen=True, slots=True)
class About:
    """How a target is fuzzed.

    `words` are worth inserting. `is_text` tells what is mutated
    by lines and words from what is mutated by octets. `longest` is an input's length in octets, `slow_s`
    more time than any input may take. `mutations` is how many the seeded run tries.
    """

    longest: int
    is_text: bool = False
    words: tuple[bytes, ...] = ()
    slow_s: float = 2.0
    mutations: int = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """One of `NAMES`, imported."""

    name: str
    about: About
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = field(repr=False)

    def corpus(self) -> tuple[bytes, ...]:
        """What is kept of earlier runs."""
        folder = CORPUS / self.name
        return tuple(path.read_bytes() for path in sorted(folder.iterdir())) if folder.is_dir() else ()


def load(name: str) -> Target:
    """The target of this name."""
    module = import_module(f"tests.fuzz.{name}")
    seeds: Iterable[bytes] = module.seeds()
    return Target(name, module.ABOUT, module.run, tuple(seeds))
