"""Who runs where: servers on the first processor, whoever asks them on the second."""

import os
import shutil


def prefix(*wanted: int) -> list[str]:
    """A command prefix that binds to these of the usable processors; empty where there are not as many."""
    usable = sorted(os.sched_getaffinity(0))
    if max(wanted) >= len(usable) or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", ",".join(str(usable[number]) for number in wanted)]


def server_prefix() -> list[str]:
    """For a server with one worker."""
    return prefix(0) if asker_prefix() else []


def asker_prefix() -> list[str]:
    """For who asks."""
    return prefix(1)
