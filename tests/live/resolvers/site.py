"""What a resolver is told: where it listens, whom it asks, how strict it is."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

Address = tuple[str, int]

LONDON_RESOLVER = "81.2.69.142"
"""From here resolvers ask: without client subnet it is London's answer that they get. The addresses here look
like others of the Internet, which some tools insist on, and are all our own loopback's."""
LONDON_RESOLVER6 = "2a02:c7c::53"
SINGAPORE_CLIENT = "165.21.0.53"
"""Where somebody lives who asks from far away."""
AUTHORITY, AUTHORITY_TOO, SECOND = "81.2.69.160", "2.125.160.216", "89.160.20.112"
"""Two addresses of one daemon, and that of a daemon that holds a zone below."""
AUTHORITY6, AUTHORITY_TOO6 = "2001:218::53", "2001:480::53"
"""The first daemon's others."""
OURS = (
    *(f"{address}/32" for address in (AUTHORITY, AUTHORITY_TOO, SECOND, "127.0.0.1")),
    *(f"{address}/128" for address in (AUTHORITY6, AUTHORITY_TOO6)),
)
"""The networks whose servers are told of clients' subnets."""
ROOT, TOP = "67.43.156.1", "202.196.224.1"
"""Where NSD serves the root, and the zones below it."""


class Way(Enum):
    """How a resolver gets to our names."""

    ROOT = "from the root"
    STUB = "stub zone"
    FORWARD = "forward zone"


@dataclass(frozen=True, slots=True)
class Site:
    """One resolver's world. `folder` is its own; `authority` matters to stubs and forwarders. It asks from
    `source` and, if there is one, `source6`.

    `strict` turns on what a careful operator may turn on: validation from `anchor`, minimised names without
    a way back, mixed case, small UDP payloads, and whatever is called hardening. Otherwise all that is off.
    """

    folder: Path
    listen: Address
    way: Way = Way.ROOT
    strict: bool = False
    source: str = "127.0.0.1"
    source6: str = ""
    authority: Address = (AUTHORITY, 53)
    hints: Path | None = None
    anchor: Path | None = None
