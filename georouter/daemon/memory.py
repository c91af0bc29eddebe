"""Gives memory back: what a reload needed for a moment must not stay with the process."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_M_MMAP_THRESHOLD = -3
"""Of mallopt(3)."""
LARGE_BYTES = 128 * 1024
"""Blocks from here on are mapped one by one, and so given back when they are freed. It is where the C
library starts; by itself it then raises the border to the largest block ever freed, 32 MiB at most, and
arrays of a compile end up in a heap that cannot shrink: 100 MiB instead of 60 after some reloads.
"""


def give_back() -> bool:
    """Fix the border. False where the C library knows no such thing; then nothing changes."""
    if sys.platform != "linux":
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    set_option.argtypes = (ctypes.c_int, ctypes.c_int)
    set_option.restype = ctypes.c_int
    return bool(set_option(_M_MMAP_THRESHOLD, LARGE_BYTES))


def step_back(nice: int) -> None:
    """Leave the processors to whoever answers: `nice` (nice(2)), and never in a hurry when there is
    something to do, as what works for seconds (SCHED_BATCH of sched(7)).
    """
    os.nice(nice)
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


BADNESS = 500
"""Of 1,000: before anything of its size, and long before the daemon, whose child can be replaced."""


def offer_to_be_killed() -> None:
    """When memory runs out, this process rather than others (proc(5), oom_score_adj)."""
    with suppress(OSError):  # it is so already, or there is no such file
        Path("/proc/self/oom_score_adj").write_text(str(BADNESS))
