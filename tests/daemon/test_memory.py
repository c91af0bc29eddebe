"""Memory that is given back."""

import subprocess
import sys

import pytest

CODE = """
from pathlib import Path
from georouter.daemon.memory import give_back
import numpy, sys

def resident_kib():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in line)
    return int(line.split()[1])

assert give_back()
kept, before = [], resident_kib()
for size in (1, 2, 4, 8, 16, 24):
    del kept[:]
    blocks = [numpy.ones(size << 17) for _ in range(4)]
    kept.append(bytearray(4096))  # small things that live longer than large ones, above them in a heap
    del blocks
print(resident_kib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about the C library of Linux")
def test_large_blocks_do_not_stay() -> None:
    """After megabytes were used for a moment, they are not the process' any more."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) < 2048
