"""What the kernel tells of a process: memory, children, open files, niceness."""

import os
from pathlib import Path


def resident_mib(pid: int) -> float:
    """Resident memory, without what files could give back (RssAnon of proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def memory_mib(pid: int, what: str = "VmRSS") -> float:
    """A line of proc(5)'s status: all resident memory, files mapped included; `VmHWM` for the most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid: int) -> tuple[int, ...]:
    """The living children, zombies left out."""
    every = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return tuple(number for number in every if _parent_and_state(number) == (pid, True))


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    return _parent_and_state(pid)[1]


def open_files(pid: int) -> int:
    """How many descriptors it holds."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def niceness(pid: int) -> int:
    """The nice value."""
    return os.getpriority(os.PRIO_PROCESS, pid)


def _parent_and_state(pid: int) -> tuple[int, bool]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0, False
    return int(fields[1]), fields[0] not in "ZX"
