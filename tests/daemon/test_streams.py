"""Standard streams that were closed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from georouter.daemon.streams import STANDARD, hold_standard

REPORT = """
import os, socket
from georouter.daemon.streams import hold_standard
closed = hold_standard()
with socket.socket() as sock, open({path!r}, "w") as file:
    file.write(f"{{closed}} {{sock.fileno() > 2}} {{[os.fstat(n).st_rdev for n in closed]}}")
"""


def test_open_ones_stay() -> None:
    """Nothing is touched where nothing is closed."""
    before = [os.fstat(number) for number in STANDARD]
    assert hold_standard() == ()
    assert [os.fstat(number).st_ino for number in STANDARD] == [status.st_ino for status in before]


@pytest.mark.parametrize("closed", [(2,), (0, 1, 2), (0,), (1, 2)])
def test_closed_ones_are_held(closed: tuple[int, ...], tmp_path: Path) -> None:
    """No socket gets one of their numbers."""
    path = tmp_path / "report"
    redirections = " ".join(f"{number}>&-" for number in closed)
    script = f'exec "$@" {redirections}'
    command = ["sh", "-c", script, "sh", sys.executable, "-c", REPORT.format(path=str(path))]
    subprocess.run(command, check=True, timeout=30)
    null = Path(os.devnull).stat().st_rdev
    assert path.read_text() == f"{closed} True {[null] * len(closed)}"
