"""Memory that is given back."""

import subprocess
import sys

import pytest

from georouter.daemon.memory import BADNESS

CODE = """
from pathlib import Path
from georouter.daemon.memory import give_back
import numpy, sys

def resident_kib():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in line)
    return int(line.split()[1])

assert give_back()
before = resident_kib()
numpy.ones(20 << 17)  # used and freed: from here on, the library would keep blocks up to 20 MiB
blocks, kept = [], []
for _ in range(20):
    blocks.append(numpy.ones(2 << 17))
    kept.append(bytearray(100_000))  # lives longer than the block before it
del blocks
print(resident_kib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about the C library of Linux")
def test_large_blocks_do_not_stay() -> None:
    """After 40 MiB were used for a moment, they are not the process' any more."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) < 8 * 1024


def test_the_child_goes_first() -> None:
    """A process that offers itself has a score that says so."""
    code = (
        "from georouter.daemon.memory import offer_to_be_killed; offer_to_be_killed();"
        "print(open('/proc/self/oom_score_adj').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) == BADNESS
