"""Our two daemons, with every kind of name in their zones."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness.daemon import Daemon
from tests.live.resolvers.site import (
    AUTHORITY,
    AUTHORITY6,
    AUTHORITY_TOO,
    AUTHORITY_TOO6,
    LONDON_RESOLVER,
    LONDON_RESOLVER6,
    ROOT,
    SECOND,
    SINGAPORE_CLIENT,
    TOP,
)

HERE = Path(__file__).parent
SERVED = (AUTHORITY, AUTHORITY_TOO, AUTHORITY6, AUTHORITY_TOO6)
ADDRESSES = (*SERVED, SECOND, ROOT, TOP, LONDON_RESOLVER, LONDON_RESOLVER6, SINGAPORE_CLIENT)
"""All that a network needs, but for the resolvers' own."""
CROWD = tuple(f"192.0.2.{number}" for number in range(101, 151))
"""Addresses whose answer is larger than 512 octets and smaller than 1232."""
WORDS = {
    "@ONE@": AUTHORITY,
    "@TWO@": AUTHORITY_TOO,
    "@ONE6@": AUTHORITY6,
    "@TWO6@": AUTHORITY_TOO6,
    "@SECOND@": SECOND,
    "@CROWD@": ", ".join(CROWD),
    "@MANY@": ", ".join(f'"{number:02} {"x" * 180}"' for number in range(20)),
}


def policy(name: str) -> str:
    """A file of this folder with its words filled in."""
    text = (HERE / name).read_text()
    for word, meaning in WORDS.items():
        text = text.replace(word, meaning)
    return text


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Daemon]:
    """Two daemons, the second below the first; the first is given."""
    addresses = [(address, 53) for address in SERVED]
    with (
        Daemon(
            folder / "first",
            policy("world.yaml"),
            addresses=addresses,
            server=f", resolver: {{addresses: {TOP}}}",
        ) as first,
        Daemon(folder / "second", policy("far.yaml"), ready="www.far.example.com", addresses=[(SECOND, 53)]),
    ):
        yield first
