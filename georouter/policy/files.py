"""A file of a policy as it was read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """Relative paths inside it start from the folder of `name`.

    `zone` tells zone files from policy files; octets of a zone file that are not UTF-8 are
    `surrogateescape`d. `problem` says why a file that is named has no text.
    """

    name: str
    text: str
    zone: bool = False
    problem: str = ""
