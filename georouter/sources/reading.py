"""Reads a file whole, never waiting for what may not come: the path of a policy, a database or a secret may
lead to anything.

A pipe that nobody writes to is empty; one that somebody holds open (`--config <(make-policy)`) is waited for,
for a while. A device gives as much as was asked for and no more.
"""

import os
import select
import stat
import time
from pathlib import Path

PATIENCE_S = 10.0
"""For a pipe to come to its end: longer than a program takes to print a policy."""
MOST_OF_A_SECRET = 64 * 1024
_AT_ONCE = 1024 * 1024


def whole(path: str | Path, most: int, *, patience_s: float = PATIENCE_S) -> tuple[bytes, os.stat_result]:
    """At most one octet more than `most`, and what the file was then. OSError for an endless pipe, too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            os.set_blocking(descriptor, True)  # a file system in user space may take its time
        end, parts, room = time.monotonic() + patience_s, [], most + 1
        while room and (part := stream.read(min(room, _AT_ONCE))) != b"":
            if part is None:
                _wait(descriptor, end - time.monotonic())
            else:
                parts.append(part)
                room -= len(part)
        return b"".join(parts), status


def secret(path: str | Path) -> bytes:
    """What a file of a line or two holds, blanks around it left out."""
    found, _ = whole(path, MOST_OF_A_SECRET)
    if len(found) > MOST_OF_A_SECRET:
        raise OSError(0, "it is too large for a secret")
    return found.strip()


def _wait(descriptor: int, left_s: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if left_s <= 0 or not poll.poll(left_s * 1000):
        raise OSError(0, "whoever writes to it does not come to an end")
