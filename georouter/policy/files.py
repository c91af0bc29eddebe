"""A file of a policy as it was read."""

from dataclasses import dataclass, field
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, ...]
"""What tells a file on disk from a later one of the same name; empty for one that is not there."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """Relative paths inside it start from the folder of `name`.

    `zone` tells what a policy names (zone files and tenant files) from the policy itself; octets in it that
    are not UTF-8 are `surrogateescape`d. `problem` says why a file that is named has no text. `stamp` is what
    the file was on disk when it was read; files with the same content are the same.
    """

    name: str
    text: str
    zone: bool = False
    problem: str = ""
    stamp: Stamp = field(default=(), compare=False)
